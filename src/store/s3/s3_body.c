/*
 * What is sent, and its checksum: the bytes are read once before they are
 * sent, because the checksum stands in a header. They are in memory or in the
 * page cache.
 */
#include <string.h>

#include "store/s3/s3_impl.h"

void s3_call_text_md5(struct s3_call *c, const char *content_type)
{
	unsigned char sum[MD5_SIZE];
	struct buf text = BUF_INIT(S3_MD5_TEXT);

	s3_call_text(c, content_type);
	md5(buf_str(&c->text), c->text.len, sum);
	base64_encode(sum, MD5_SIZE, &text);
	s3_call_header(c, "Content-MD5", buf_str(&text));
	buf_clear(&text);
}

static void header_base64(struct s3_call *c, const char *name,
			  const unsigned char *bytes, size_t n)
{
	struct buf text = BUF_INIT(128);

	base64_encode(bytes, n, &text);
	if (buf_err(&text))
		c->err = buf_err(&text);
	else
		s3_call_header(c, name, buf_str(&text));
	buf_clear(&text);
}

static int set_crc32c(struct s3_call *c, const struct store_body *body)
{
	unsigned char big[4];
	int err = s3_sum_crc32c(body, &c->crc32c);

	for (int i = 0; i < 4; i++)
		big[i] = c->crc32c >> (24 - 8 * i);
	header_base64(c, "x-amz-checksum-crc32c", big, sizeof(big));
	return err;
}

int s3_call_body(struct s3_call *c, const struct store_body *body)
{
	unsigned char bytes[SHA256_SIZE];
	int err = 0;

	c->http.body = (struct http_body){ .data = body->data,
					   .fd = body->fd,
					   .offset = body->offset,
					   .len = body->len };
	strcpy(c->payload, SIGV4_UNSIGNED_PAYLOAD);
	if (c->checksum != S3_CHECKSUM_MD5 &&
	    s3_state_lacks(c->s3, S3_WANTS_MD5))
		err = s3_sum_md5_text(body, c->md5);
	switch (err ? S3_CHECKSUM_NONE : c->checksum) {
	case S3_CHECKSUM_CRC32C:
		err = set_crc32c(c, body);
		break;
	case S3_CHECKSUM_SHA256:
		err = s3_sum_digest(body, DIGEST_SHA256, bytes);
		hex_encode(bytes, SHA256_SIZE, c->payload);
		break;
	case S3_CHECKSUM_MD5:
		err = s3_sum_digest(body, DIGEST_MD5, bytes);
		header_base64(c, "Content-MD5", bytes, MD5_SIZE);
		break;
	case S3_CHECKSUM_NONE:
		break;
	}
	if (err)
		c->err = c->err ? c->err : err;
	return c->err;
}
