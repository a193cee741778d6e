/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's random bytes.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

/* At most 256. Cannot fail; soon after the machine's start it may wait. */
void random_bytes(void *out, size_t n);
/* 2 * n digits and a NUL; n: 32 at most. */
void random_hex(char *out, size_t n);

#endif
