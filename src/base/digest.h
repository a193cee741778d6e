/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, and the encodings they travel in. OpenSSL and ISA-L stand behind.
 * Pure; any thread. digest_init() once, before threads start.
 *
 * A digest cannot fail: where OpenSSL has no memory left for one the program
 * ends, because a wrong digest could make two secrets look equal.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65 /* with the NUL */
#define MD5_SIZE 16
#define SHA1_HEX_SIZE 41 /* with the NUL */

int digest_init(void); /* 0 or -ENOSYS when OpenSSL has no such digest */

void sha256(const void *bytes, size_t n, unsigned char out[SHA256_SIZE]);
void sha256_hex(const void *bytes, size_t n, char out[SHA256_HEX_SIZE]);
void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
		 unsigned char out[SHA256_SIZE]);
void md5(const void *bytes, size_t n, unsigned char out[MD5_SIZE]);
/* For names that others have chosen so, and for nothing else. */
void sha1_hex(const void *bytes, size_t n, char out[SHA1_HEX_SIZE]);

/*
 * A key of HMAC-SHA-256 made ready: what the two hashes inside have become
 * after its block. As secret as the key; plain data, to be wiped.
 */
struct hmac_key {
	uint32_t inner[8], outer[8];
};
void hmac_key_init(struct hmac_key *k, const void *key, size_t key_len);
void hmac_key_sign(const struct hmac_key *k, const void *bytes, size_t n,
		   unsigned char out[SHA256_SIZE]);

/* Continues from crc (0 at the start): the CRC-32C of all that came so far. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* A SHA-256 or MD5 over pieces. new: NULL without memory. */
enum digest_kind { DIGEST_SHA256, DIGEST_MD5 };
struct digest;
struct digest *digest_new(enum digest_kind kind);
void digest_add(struct digest *d, const void *bytes, size_t n);
/* Writes the digest (32 or 16 bytes), returns its size, and frees d. */
size_t digest_end(struct digest *d, unsigned char out[SHA256_SIZE]);

void hex_encode(const void *bytes, size_t n, char *out); /* 2n + 1 bytes */
/* n bytes from 2n digits of either case; false: they are none. */
bool hex_decode(const char *s, size_t n, unsigned char *out);
void base64_encode(const void *bytes, size_t n, struct buf *out);
/* Canonical RFC 4648 with padding. 0, -EINVAL, or out's own failure. */
int base64_decode(const char *s, size_t n, struct buf *out);

/* For secrets: no early exit, and an overwrite that is not optimised away. */
int digest_equal(const void *a, const void *b, size_t n); /* 1 if equal */
void wipe(void *p, size_t n);
void wipe_free(char *s); /* a string; NULL is fine */

#endif
