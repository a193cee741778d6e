/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of passwords: scrypt (RFC 7914), in the form that others write too,
 *
 *   $scrypt$ln=14,r=8,p=5$SALT$HASH
 *
 * with SALT and HASH in base64 without padding. Any thread; one call takes as
 * long as a guess shall cost, and the memory that the hash asks for (16 MiB of
 * ours, at most KDF_MEMORY_MAX of others').
 */
#ifndef BASE_KDF_H
#define BASE_KDF_H

#include <stddef.h>

struct buf;

#define KDF_PASSWORD_MAX 1024 /* bytes */
#define KDF_HASH_MAX 256
#define KDF_MEMORY_MAX (64UL << 20)

/* Appends a hash with a salt of its own. 0, -EINVAL (a password that is empty
 * or too long), -ENOMEM. */
int kdf_hash(const void *password, size_t n, struct buf *out);
/* Is it a hash that kdf_matches() takes? 0, or -EINVAL with why set. */
int kdf_check(const char *hash, struct buf *why);
/* In a time that does not depend on how much agrees. 1, 0, or -EINVAL as
 * kdf_check(), -ENOMEM. */
int kdf_matches(const char *hash, const void *password, size_t n);

#endif
