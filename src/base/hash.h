/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a of 64 bits: for tables and for telling values apart, not against an
 * attacker who chooses the bytes (unless the start is drawn by lot). Other
 * processes compute the same.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Continues from h, which is HASH_START or anything else at the beginning. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static inline uint64_t hash_string(uint64_t h, const char *s)
{
	return hash_bytes(h, s, strlen(s));
}

#endif
