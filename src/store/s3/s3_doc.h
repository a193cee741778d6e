/*
 * The documents that an S3 server answers with, each parsed to plain data.
 * Pure. All return 0, -EBADMSG (no such document, or garbage), -EREMOTEIO (it
 * is an <Error>: s3_doc_error() reads it) or -ENOMEM; *out is cleared by the
 * caller in either case.
 */
#ifndef STORE_S3_S3_DOC_H
#define STORE_S3_S3_DOC_H

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
	char *other; /* decoded, where the page does not say whether key is
				encoded; else NULL */
	char *id; /* an upload's; else NULL */
	bool is_prefix;
	struct object_info info;
};

/* A page of ListObjects (either version) or ListMultipartUploads, sorted by
 * key. */
struct s3_page {
	struct s3_entry *entries;
	unsigned n;
	size_t cap;
	unsigned lost; /* entries whose names the page cannot tell */
	unsigned unsure; /* entries with an `other` */
	bool unsorted; /* so it came */
	bool truncated;
	char *token; /* continuation token, or next key marker; NULL */
	char *id_token; /* next upload id marker; NULL */
	char *marker; /* of version 1; NULL */
};
/* prefix: what was asked for; names begin with it. */
int s3_page_list(const char *body, size_t n, const char *prefix,
		 struct s3_page *out);
int s3_page_uploads(const char *body, size_t n, const char *prefix,
		    struct s3_page *out);
/* The page's names were encoded: each `other` is the key. */
void s3_page_decoded(struct s3_page *p);
/* The entries of `from` are those of `to` too: moved there. 0 or -ENOMEM. */
int s3_page_add(struct s3_page *to, struct s3_page *from);
/* Sorts again; of several entries of one key one is left. */
void s3_page_sort(struct s3_page *p);
void s3_page_clear(struct s3_page *p);

/* ---- s3_doc_names.c: how a page writes names ---- */
/*
 * The page again, where it is no XML because of bytes in a name: each of them
 * (or its reference) becomes a mark. 1, 0: there are none, or -ENOMEM.
 */
int s3_names_mend(const char *body, size_t n, struct buf *out);
/* Leaves out entries with a mark; counts them. */
void s3_names_drop_lost(struct s3_page *p);
/* said: the page says that its names are percent-encoded. */
int s3_names_decode(struct s3_page *p, const char *prefix, bool said);

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

/* Text of an element: & < > escaped. */
void s3_doc_add_text(struct buf *out, const char *s);

/* Tagging: `key=value&...`, encoded, as x-amz-tagging has it. */
int s3_doc_tags(const char *body, size_t n, struct buf *out);

/* DeleteResult: failed() for each key that was not removed. */
int s3_doc_deleted(const char *body, size_t n,
		   void (*failed)(void *arg, const char *key, const char *code),
		   void *arg);

/*
 * An ETag as the store writes it, in the form we keep: quoted, and strong. ""
 * stays "". False when it does not fit or has a control byte: a hash of it
 * stands for it then, which can be compared and not be sent.
 */
bool s3_etag_keep(const char *text, size_t n, char out[STORE_ETAG_SIZE]);
bool s3_etag_is_hash(const char *etag);

#endif
