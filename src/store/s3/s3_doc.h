/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that an S3 server answers with, each parsed to plain data.
 * Pure. All return 0, -EBADMSG (no such document, or garbage), -EREMOTEIO (it
 * is an <Error>: s3_doc_error() reads it) or -ENOMEM; *out is cleared by the
 * caller in either case.
 */
#ifndef STORE_S3_S3_DOC_H
#define STORE_S3_S3_DOC_H

#include <stddef.h>

#include "base/buf.h"
#include "store/store.h"

struct s3_error_doc {
	char code[64];
	char message[256];
	char request_id[128];
	char region[64];
	char server_time[40];
};
int s3_doc_error(const char *body, size_t n, struct s3_error_doc *out);

/* InitiateMultipartUploadResult. */
int s3_doc_upload_id(const char *body, size_t n, struct buf *out);

/* root: CompleteMultipartUploadResult, CopyObjectResult, CopyPartResult. */
struct s3_result_doc {
	char etag[STORE_ETAG_SIZE]; /* quoted; "" when it is empty */
	struct timespec mtime; /* 0: not told */
	char crc32c[16]; /* base64; "" not told */
};
int s3_doc_result(const char *body, size_t n, const char *root,
		  struct s3_result_doc *out);

/* ListPartsResult: one page of it. */
#define S3_DOC_PARTS_MAX 1000
struct s3_parts_doc {
	struct store_part_there at[S3_DOC_PARTS_MAX];
	unsigned n;
	bool truncated;
};
int s3_doc_parts(const char *body, size_t n, struct s3_parts_doc *out);

/* Text of an element: & < > " escaped. */
void s3_doc_add_text(struct buf *out, const char *s);

/* Tagging: `key=value&...`, encoded, as x-amz-tagging has it. */
int s3_doc_tags(const char *body, size_t n, struct buf *out);

/* DeleteResult: failed() for each key that was not removed. */
int s3_doc_deleted(const char *body, size_t n,
		   void (*failed)(void *arg, const char *key, const char *code),
		   void *arg);

#endif
