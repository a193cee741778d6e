/*
 * What is sent, and its checksum: the bytes are read once before they are
 * sent, because the checksum stands in a header. They are in memory or in the
 * page cache.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/s3_impl.h"

#define READ_SIZE (256u << 10)

struct sum {
	enum s3_checksum kind;
	uint32_t crc;
	struct digest *digest;
};

static void add(struct sum *sum, const void *bytes, size_t n)
{
	if (sum->kind == S3_CHECKSUM_CRC32C)
		sum->crc = crc32c(sum->crc, bytes, n);
	else
		digest_add(sum->digest, bytes, n);
}

static int add_file(struct sum *sum, const struct store_body *body)
{
	unsigned char *bytes = malloc(READ_SIZE);
	uint64_t at = 0;
	int err = bytes ? 0 : -ENOMEM;

	while (!err && at < body->len) {
		size_t want =
			body->len - at < READ_SIZE ? body->len - at : READ_SIZE;
		ssize_t n = pread(body->fd, bytes, want,
				  (off_t)(body->offset + at));

		if (n > 0) {
			add(sum, bytes, n);
			at += n;
		} else if (n == 0 || errno != EINTR) {
			err = n ? -errno : -EIO;
		}
	}
	free(bytes);
	return err;
}

/* Reads the whole body into the sum. */
static int add_body(struct sum *sum, const struct store_body *body)
{
	if (!body->len)
		return 0;
	if (!body->data)
		return add_file(sum, body);
	add(sum, body->data, body->len);
	return 0;
}

static int add_digest(struct sum *sum, enum digest_kind kind,
		      const struct store_body *body,
		      unsigned char out[SHA256_SIZE])
{
	int err;

	sum->digest = digest_new(kind);
	if (!sum->digest)
		return -ENOMEM;
	err = add_body(sum, body);
	digest_end(sum->digest, out);
	return err;
}

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

int s3_body_md5(const struct store_body *body, unsigned char out[16])
{
	struct sum sum = { .kind = S3_CHECKSUM_MD5 };
	unsigned char bytes[SHA256_SIZE];
	int err = add_digest(&sum, DIGEST_MD5, body, bytes);

	memcpy(out, bytes, MD5_SIZE);
	return err;
}

int s3_body_md5_text(const struct store_body *body, char out[S3_MD5_TEXT])
{
	unsigned char bytes[MD5_SIZE];
	struct buf text = BUF_INIT(S3_MD5_TEXT - 1);
	int err = s3_body_md5(body, bytes);

	base64_encode(bytes, MD5_SIZE, &text);
	err = err ? err : buf_err(&text);
	if (!err)
		strcpy(out, buf_str(&text));
	buf_clear(&text);
	return err;
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

static int set_crc32c(struct s3_call *c, struct sum *sum,
		      const struct store_body *body)
{
	unsigned char big[4];
	int err = add_body(sum, body);

	for (int i = 0; i < 4; i++)
		big[i] = sum->crc >> (24 - 8 * i);
	c->crc32c = sum->crc;
	header_base64(c, "x-amz-checksum-crc32c", big, sizeof(big));
	return err;
}

int s3_body_set(struct s3_call *c, const struct store_body *body)
{
	struct sum sum = { .kind = c->s3->checksum };
	unsigned char bytes[SHA256_SIZE];
	int err = 0;

	c->http.body = (struct http_body){ .data = body->data,
					   .fd = body->fd,
					   .offset = body->offset,
					   .len = body->len };
	strcpy(c->payload, SIGV4_UNSIGNED_PAYLOAD);
	if (c->s3->checksum != S3_CHECKSUM_MD5 && s3_lacks(c->s3, S3_WANTS_MD5))
		err = s3_body_md5_text(body, c->md5);
	switch (err ? S3_CHECKSUM_NONE : c->s3->checksum) {
	case S3_CHECKSUM_CRC32C:
		err = set_crc32c(c, &sum, body);
		break;
	case S3_CHECKSUM_SHA256:
		err = add_digest(&sum, DIGEST_SHA256, body, bytes);
		hex_encode(bytes, SHA256_SIZE, c->payload);
		break;
	case S3_CHECKSUM_MD5:
		err = add_digest(&sum, DIGEST_MD5, body, bytes);
		header_base64(c, "Content-MD5", bytes, MD5_SIZE);
		break;
	case S3_CHECKSUM_NONE:
		break;
	}
	if (err)
		c->err = c->err ? c->err : err;
	return c->err;
}
