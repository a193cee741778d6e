/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's scrypt behind a hash's text. The cost stands in the text, so what
 * was made before keeps working when ours changes; what others ask for is
 * bounded before it is paid.
 */
#include "base/kdf.h"
#include "base/random.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#define PREFIX "$scrypt$"
/* OWASP's: as much work as N = 2^17 with p = 1, in an eighth of the memory. */
#define OUR_LN 14
#define OUR_R 8
#define OUR_P 5
#define OUR_SALT 16
#define OUR_HASH 32
#define BYTES_MAX 64 /* of a salt or a hash */
#define WORK_MAX (UINT64_C(1) << 30) /* 128 N r p */

struct hash {
	uint64_t ln, r, p;
	unsigned char salt[BYTES_MAX], bytes[BYTES_MAX];
	size_t salt_len, len;
};

/* ---- the text ---- */

static int kdf_add_base64(struct buf *out, const void *bytes, size_t n)
{
	BUF_LOCAL text = BUF_INIT(2 * BYTES_MAX);

	base64_encode(bytes, n, &text);
	while (text.len && text.data[text.len - 1] == '=')
		buf_truncate(&text, text.len - 1);
	buf_adds(out, buf_str(&text));
	return buf_err(out);
}

static bool kdf_take_base64(const char *s, size_t n, size_t min,
			    unsigned char *out, size_t *len)
{
	BUF_SECRET padded = BUF_INIT(4 * BYTES_MAX),
		   bytes = BUF_INIT(BYTES_MAX);
	bool ok;

	buf_add(&padded, s, n);
	while (padded.len % 4 && !buf_err(&padded))
		buf_addc(&padded, '=');
	ok = !buf_err(&padded) &&
	     !base64_decode(buf_str(&padded), padded.len, &bytes) &&
	     bytes.len >= min;
	if (ok) {
		memcpy(out, bytes.data, bytes.len);
		*len = bytes.len;
	}
	return ok;
}

/* `name=NUMBER`, and the byte after it. */
static bool kdf_take_number(const char **at, const char *name, char end,
			    uint64_t max, uint64_t *out)
{
	size_t n;

	if (!text_starts_with(*at, name))
		return false;
	*at += strlen(name);
	n = strspn(*at, "0123456789");
	if (parse_u64n(*at, n, max, out) || (*at)[n] != end || !*out)
		return false;
	*at += n + 1;
	return true;
}

static bool kdf_parse(const char *text, struct hash *out)
{
	size_t n;

	if (!text_starts_with(text, PREFIX))
		return false;
	text += strlen(PREFIX);
	if (!kdf_take_number(&text, "ln=", ',', 20, &out->ln) ||
	    !kdf_take_number(&text, "r=", ',', 64, &out->r) ||
	    !kdf_take_number(&text, "p=", '$', 64, &out->p))
		return false;
	n = strcspn(text, "$");
	if (text[n] != '$' ||
	    !kdf_take_base64(text, n, 8, out->salt, &out->salt_len))
		return false;
	text += n + 1;
	return kdf_take_base64(text, strlen(text), 16, out->bytes, &out->len);
}

static uint64_t kdf_memory(const struct hash *h)
{
	return (UINT64_C(128) << h->ln) * h->r;
}

int kdf_check(const char *hash, struct buf *why)
{
	struct hash h = { 0 };
	int rc = 0;

	if (!kdf_parse(hash, &h))
		rc = buf_fail(why, -EINVAL,
			      "not a hash that `stagefs passwd` made: "
			      "$scrypt$ln=...,r=...,p=...$SALT$HASH");
	else if (kdf_memory(&h) > KDF_MEMORY_MAX ||
		 kdf_memory(&h) * h.p > WORK_MAX)
		rc = buf_fail(
			why, -EINVAL,
			"ln=%llu,r=%llu,p=%llu costs too much: at most 64 "
			"MiB of memory, and 1 GiB in all",
			(unsigned long long)h.ln, (unsigned long long)h.r,
			(unsigned long long)h.p);
	wipe(&h, sizeof(h));
	return rc;
}

/* ---- the work ---- */

static int kdf_derive(const struct hash *h, const void *password, size_t n,
		      unsigned char *out)
{
	/* OpenSSL counts a few blocks more than 128 N r. */
	uint64_t most = kdf_memory(h) + 128 * h->r * h->p + (1U << 20);

	return EVP_PBE_scrypt(password, n, h->salt, h->salt_len,
			      UINT64_C(1) << h->ln, h->r, h->p, most, out,
			      h->len) == 1
		       ? 0
		       : -ENOMEM;
}

int kdf_hash(const void *password, size_t n, struct buf *out)
{
	struct hash h = { .ln = OUR_LN,
			  .r = OUR_R,
			  .p = OUR_P,
			  .salt_len = OUR_SALT,
			  .len = OUR_HASH };
	int rc;

	if (!n || n > KDF_PASSWORD_MAX)
		return -EINVAL;
	random_bytes(h.salt, h.salt_len);
	rc = kdf_derive(&h, password, n, h.bytes);
	if (!rc) {
		buf_addf(out, PREFIX "ln=%d,r=%d,p=%d$", OUR_LN, OUR_R, OUR_P);
		kdf_add_base64(out, h.salt, h.salt_len);
		buf_addc(out, '$');
		rc = kdf_add_base64(out, h.bytes, h.len);
	}
	wipe(&h, sizeof(h));
	return rc;
}

int kdf_matches(const char *hash, const void *password, size_t n)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	unsigned char got[BYTES_MAX];
	struct hash h = { 0 };
	int rc = kdf_check(hash, &why);

	if (!rc && n > KDF_PASSWORD_MAX)
		n = 0; /* takes as long, and is never right: kdf_hash() */
	if (!rc) {
		kdf_parse(hash, &h);
		rc = kdf_derive(&h, password, n, got);
	}
	if (!rc)
		rc = n && digest_equal(got, h.bytes, h.len);
	wipe(&h, sizeof(h));
	wipe(got, sizeof(got));
	return rc;
}
