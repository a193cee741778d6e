/*
 * The documents that an S3 server answers with, each parsed to plain data.
 * Pure. All return 0, -EBADMSG (no such document, or garbage), -EREMOTEIO (it
 * is an <Error>: s3_doc_error() reads it) or -ENOMEM; *out is cleared by the
 * caller in either case.
 */
#ifndef STORE_S3_DOC_H
#define STORE_S3_DOC_H

#include <stdbool.h>
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

#define S3_PAGE_MAX 10000 /* entries that a page may have */

struct s3_entry {
	char *key;
	char *id; /* an upload's; else NULL */
	bool is_prefix;
	struct object_info info;
};

/* A page of ListObjectsV2 or ListMultipartUploads, sorted by key. */
struct s3_page {
	struct s3_entry *entries;
	unsigned n, cap;
	bool truncated;
	char *token; /* continuation token, or next key marker; NULL */
	char *id_token; /* next upload id marker; NULL */
};
int s3_doc_list(const char *body, size_t n, struct s3_page *out);
int s3_doc_uploads(const char *body, size_t n, struct s3_page *out);
void s3_page_clear(struct s3_page *p);

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

/* Tagging: `key=value&...`, encoded, as x-amz-tagging has it. */
int s3_doc_tags(const char *body, size_t n, struct buf *out);

/* DeleteResult: failed() for each key that was not removed. */
int s3_doc_deleted(const char *body, size_t n,
		   void (*failed)(void *arg, const char *key, const char *code),
		   void *arg);

/* An ETag as the store writes it, in the form we keep: quoted. False when it
 * does not fit or has a control byte. "" stays "". */
bool s3_etag_keep(const char *text, size_t n, char out[STORE_ETAG_SIZE]);

#endif
