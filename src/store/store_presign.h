/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs: what is asked for, and what comes of it. The call is
 * store_presign() in store/store.h.
 */
#ifndef STORE_STORE_PRESIGN_H
#define STORE_STORE_PRESIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;

enum presign_action {
	PRESIGN_DOWNLOAD,
	PRESIGN_UPLOAD,
	PRESIGN_HEAD,
	PRESIGN_DELETE,
	/* Of an upload that was begun; what it is stands in the query. */
	PRESIGN_PART,
	PRESIGN_COMPLETE,
	PRESIGN_ABORT,
};

/* "GET", "PUT", ... */
const char *store_presign_method(enum presign_action action);
/* Does it change what is there? */
bool store_presign_writes(enum presign_action action);

#define PRESIGN_FIELDS_MAX 40

struct store_presign {
	enum presign_action action;
	const char *key;
	int64_t expire; /* s, 1..604800 */
	bool strict; /* credentials that end earlier are an error */
	/* What must be sent with it: names in lower case, each once, values
	 * of ASCII without control bytes. */
	const struct field *headers;
	size_t n_headers;
	/* Parameters of the object's own, as `versionId`. */
	const struct field *query;
	size_t n_query;
};

struct store_presigned {
	char *url;
	char *headers; /* JSON object of what must be sent */
	char *header_lines; /* the same as `name: value\n` lines */
	const char *method; /* "GET", "PUT" ... */
	int64_t expires_at; /* Unix seconds; 0: it does not */
	char *warning; /* NULL: none */
};
void store_presign_clear(struct store_presigned *p);
/* For stores: fills headers and header_lines. 0 or -ENOMEM. */
int store_presign_headers(struct store_presigned *p,
			  const struct field *headers, size_t n);

#endif
