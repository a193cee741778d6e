/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data (RFC 7578) from a stream, in constant memory: bytes are
 * fed as they come, and events are taken out. Pure; how the bytes were cut
 * makes no difference to what comes out.
 *
 * libmicrohttpd has a post processor; it gives out headers as they stand, so
 * that names are cut at a quote and `filename*` is not seen, takes bare line
 * ends, and has no word for a body that ends half-way. Hence our own.
 */
#ifndef GATEWAY_UPLOAD_FORM_H
#define GATEWAY_UPLOAD_FORM_H

#include <stddef.h>

struct buf;
struct form;

#define FORM_BOUNDARY_MAX 70 /* RFC 2046 */
#define FORM_HEAD_MAX 8192 /* bytes of a part's headers */
#define FORM_NAME_MAX 1024 /* bytes of a filename */
#define FORM_PARTS_MAX 4096
#define FORM_REST_MAX 65536 /* before the first part, after the last one */

enum form_event {
	FORM_NEED, /* what was fed is used up */
	FORM_PART, /* a part begins */
	FORM_DATA, /* more of its bytes */
	FORM_PART_END, /* it is whole */
	FORM_END, /* the closing boundary; what follows is swallowed */
};

/* What an event comes with; lives until the next call. */
struct form_item {
	const char *name; /* FORM_PART: the field's; "" none */
	const char *filename; /* FORM_PART; NULL: none */
	const char *type; /* FORM_PART: its Content-Type; NULL: none */
	const void *data; /* FORM_DATA */
	size_t len; /* of it, > 0 */
};

/*
 * The boundary that a Content-Type names. 0; -EMEDIUMTYPE another type than
 * multipart/form-data, -EINVAL the boundary; why set.
 */
int form_boundary(const char *content_type, char out[FORM_BOUNDARY_MAX + 1],
		  struct buf *why);

struct form *form_new(const char *boundary); /* NULL without memory */
void form_free(struct form *f); /* NULL is fine */

/* bytes are borrowed until form_next() has said FORM_NEED. */
void form_feed(struct form *f, const void *bytes, size_t n);
/* An event, or -EINVAL (for good) with why set, or -ENOMEM. */
int form_next(struct form *f, struct form_item *out, struct buf *why);
/* The body is over: 0 when the form is whole, else -EINVAL. */
int form_finish(struct form *f, struct buf *why);

#endif
