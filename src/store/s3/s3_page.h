/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a listing, as plain data. Pure. What parses returns 0, -EBADMSG (no
 * such document, or garbage), -EREMOTEIO (it is an <Error>: s3_doc_error()
 * reads it) or -ENOMEM; *out is cleared by the caller in either case.
 */
#ifndef STORE_S3_S3_PAGE_H
#define STORE_S3_S3_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

#define S3_PAGE_MAX 10000 /* entries that a page may have */

struct s3_entry {
	char *key;
	char *other; /* decoded, where the page does not say whether key is
				encoded; else NULL */
	bool is_prefix;
	struct object_info info;
};

/* A page of ListObjects (either version), sorted by key. */
struct s3_page {
	struct s3_entry *entries;
	unsigned n;
	size_t cap;
	unsigned lost; /* entries whose names the page cannot tell */
	unsigned ambiguous; /* entries with an `other` */
	bool unsorted; /* so it came */
	bool truncated;
	char *token; /* continuation token; NULL */
	char *marker; /* of version 1; NULL */
};
/* prefix: what was asked for; names begin with it. */
int s3_page_list(const char *body, size_t n, const char *prefix,
		 struct s3_page *out);
/* The page's names were encoded: each `other` is the key. */
void s3_page_decoded(struct s3_page *p);
/* The entries of `from` are those of `to` too: moved there. 0 or -ENOMEM. */
int s3_page_add(struct s3_page *to, struct s3_page *from);
/* Sorts again; of several entries of one key one is left. */
void s3_page_sort(struct s3_page *p);
void s3_page_clear(struct s3_page *p);

#endif
