/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of what is sent. The bytes are in memory or in the page cache.
 */
#include "store/s3/s3_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "store/s3/s3.h"

struct sum {
	enum s3_checksum kind;
	uint32_t crc;
	struct digest *digest;
};

static int sum_add(void *arg, const void *bytes, size_t n)
{
	struct sum *sum = arg;

	if (sum->kind == S3_CHECKSUM_CRC32C)
		sum->crc = crc32c(sum->crc, bytes, n);
	else
		digest_add(sum->digest, bytes, n);
	return 0;
}

/* Reads the whole body into the sum. */
static int sum_add_body(struct sum *sum, const struct store_body *body)
{
	if (!body->len)
		return 0;
	return body->data ? sum_add(sum, body->data, body->len)
			  : io_each(body->fd, body->offset, body->len, sum_add,
				    sum);
}

int s3_sum_digest(const struct store_body *body, enum digest_kind kind,
		  unsigned char out[SHA256_SIZE])
{
	struct sum sum = { .kind = S3_CHECKSUM_SHA256,
			   .digest = digest_new(kind) };
	int rc;

	if (!sum.digest)
		return -ENOMEM;
	rc = sum_add_body(&sum, body);
	digest_end(sum.digest, out);
	return rc;
}

int s3_sum_crc32c(const struct store_body *body, uint32_t *out)
{
	struct sum sum = { .kind = S3_CHECKSUM_CRC32C };
	int rc = sum_add_body(&sum, body);

	*out = sum.crc;
	return rc;
}

int s3_sum_md5(const struct store_body *body, unsigned char out[MD5_SIZE])
{
	unsigned char bytes[SHA256_SIZE];
	int rc = s3_sum_digest(body, DIGEST_MD5, bytes);

	memcpy(out, bytes, MD5_SIZE);
	return rc;
}

int s3_sum_md5_text(const struct store_body *body, char out[S3_MD5_TEXT])
{
	unsigned char bytes[MD5_SIZE];
	BUF_LOCAL text = BUF_INIT(S3_MD5_TEXT - 1);
	int rc = s3_sum_md5(body, bytes);

	base64_encode(bytes, MD5_SIZE, &text);
	if (!rc)
		rc = buf_err(&text);
	if (!rc)
		strcpy(out, buf_str(&text));
	return rc;
}
