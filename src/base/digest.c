/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithms are fetched once: OpenSSL 3 looks them up by name, under a
 * lock, whenever it is asked by EVP_sha256() and its like, and a signature is
 * four HMACs.
 *
 * Short SHA-256 digests, which signing is made of, go through OpenSSL's plain
 * SHA256_*() functions: the same code for the blocks, without the contexts
 * that EVP allocates for each digest, and with a state that can be kept
 * (struct hmac_key). OpenSSL 3 prefers EVP; hence the macro.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static struct {
	pthread_once_t once;
	EVP_MD *md[2]; /* by enum digest_kind */
} algorithms = { .once = PTHREAD_ONCE_INIT };

static void digest_fetch_algorithms(void)
{
	algorithms.md[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.md[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
}

int digest_init(void)
{
	pthread_once(&algorithms.once, digest_fetch_algorithms);
	if (!algorithms.md[DIGEST_SHA256] || !algorithms.md[DIGEST_MD5])
		return -ENOSYS;
	return 0;
}

/* No memory, or no algorithm: there is no digest to go on with. */
static void digest_must(int ok)
{
	if (!ok)
		abort();
}

static const EVP_MD *digest_algorithm(enum digest_kind kind)
{
	digest_init();
	digest_must(algorithms.md[kind] != NULL);
	return algorithms.md[kind];
}

void sha256(const void *bytes, size_t n, unsigned char out[SHA256_SIZE])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, bytes, n);
	SHA256_Final(out, &ctx);
}

void sha256_hex(const void *bytes, size_t n, char out[SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_SIZE];

	sha256(bytes, n, digest);
	hex_encode(digest, sizeof(digest), out);
}

/* The hash after one block: the key, padded, each byte XORed with pad. */
static void digest_key_state(const unsigned char block[SHA256_CBLOCK],
			     unsigned char pad, uint32_t out[8])
{
	unsigned char padded[SHA256_CBLOCK];
	SHA256_CTX ctx;

	for (size_t i = 0; i < sizeof(padded); i++)
		padded[i] = block[i] ^ pad;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, padded, sizeof(padded));
	for (size_t i = 0; i < 8; i++)
		out[i] = ctx.h[i];
	wipe(padded, sizeof(padded));
	wipe(&ctx, sizeof(ctx));
}

/* RFC 2104. */
void hmac_key_init(struct hmac_key *k, const void *key, size_t key_len)
{
	unsigned char block[SHA256_CBLOCK] = { 0 };

	if (key_len > sizeof(block))
		sha256(key, key_len, block);
	else if (key_len)
		memcpy(block, key, key_len);
	digest_key_state(block, 0x36, k->inner);
	digest_key_state(block, 0x5c, k->outer);
	wipe(block, sizeof(block));
}

static void digest_finish(const uint32_t state[8], const void *bytes, size_t n,
			  unsigned char out[SHA256_SIZE])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	for (size_t i = 0; i < 8; i++)
		ctx.h[i] = state[i];
	ctx.Nl = 8 * SHA256_CBLOCK; /* bits so far */
	SHA256_Update(&ctx, bytes, n);
	SHA256_Final(out, &ctx);
	wipe(&ctx, sizeof(ctx));
}

void hmac_key_sign(const struct hmac_key *k, const void *bytes, size_t n,
		   unsigned char out[SHA256_SIZE])
{
	unsigned char inner[SHA256_SIZE];

	digest_finish(k->inner, bytes, n, inner);
	digest_finish(k->outer, inner, sizeof(inner), out);
}

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t n,
		 unsigned char out[SHA256_SIZE])
{
	struct hmac_key k;

	hmac_key_init(&k, key, key_len);
	hmac_key_sign(&k, bytes, n, out);
	wipe(&k, sizeof(k));
}

void md5(const void *bytes, size_t n, unsigned char out[MD5_SIZE])
{
	digest_must(EVP_Digest(bytes, n, out, NULL,
			       digest_algorithm(DIGEST_MD5), NULL));
}

void sha1_hex(const void *bytes, size_t n, char out[SHA1_HEX_SIZE])
{
	unsigned char digest[SHA1_HEX_SIZE / 2];

	digest_must(EVP_Digest(bytes, n, digest, NULL, EVP_sha1(), NULL));
	hex_encode(digest, sizeof(digest), out);
}

/* ISA-L's function neither starts from nor ends in the inverted register. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	crc = ~crc;
	while (n) {
		int piece = n > INT_MAX ? INT_MAX : (int)n;

		crc = crc32_iscsi((unsigned char *)p, piece, crc);
		p += piece;
		n -= (size_t)piece;
	}
	return ~crc;
}

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx ||
	    !EVP_DigestInit_ex2(d->ctx, digest_algorithm(kind), NULL)) {
		EVP_MD_CTX_free(d->ctx);
		free(d);
		return NULL;
	}
	return d;
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
	digest_must(EVP_DigestUpdate(d->ctx, bytes, n));
}

size_t digest_end(struct digest *d, unsigned char out[SHA256_SIZE])
{
	unsigned len;

	digest_must(EVP_DigestFinal_ex(d->ctx, out, &len));
	EVP_MD_CTX_free(d->ctx);
	free(d);
	return len;
}

void hex_encode(const void *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

bool hex_decode(const char *s, size_t n, unsigned char *out)
{
	for (size_t i = 0; i < n; i++) {
		int high = text_hex_value(s[2 * i]);
		int low = high < 0 ? -1 : text_hex_value(s[2 * i + 1]);

		if (low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void base64_encode(const void *bytes, size_t n, struct buf *out)
{
	char *room = n > INT_MAX ? NULL : buf_reserve(out, (n + 2) / 3 * 4);

	if (room)
		out->len +=
			EVP_EncodeBlock((unsigned char *)room, bytes, (int)n);
}

/* OpenSSL is lenient; what is not written again as it was is refused. */
int base64_decode(const char *s, size_t n, struct buf *out)
{
	BUF_SECRET bytes = BUF_INIT(n), again = BUF_INIT(n);
	char *room = n > INT_MAX ? NULL : buf_reserve(&bytes, n / 4 * 3);
	int len = room ? EVP_DecodeBlock((unsigned char *)room,
					 (const unsigned char *)s, (int)n)
		       : -1;

	for (size_t i = n; i && i + 2 > n && s[i - 1] == '='; i--)
		len--;
	if (len >= 0)
		base64_encode(room, (size_t)len, &again);
	if (len < 0 || again.len != n || memcmp(buf_str(&again), s, n))
		return -EINVAL;
	buf_add(out, room, (size_t)len);
	return buf_err(out);
}

int digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void wipe_free(char *s)
{
	if (s)
		wipe(s, strlen(s));
	free(s);
}
