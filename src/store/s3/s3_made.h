/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the settings say of the objects that a store makes, each a header, and
 * with which requests each goes: one table (s3_made.c) for every way of making
 * an object, and of reading one that needs its key.
 */
#ifndef STORE_S3_S3_MADE_H
#define STORE_S3_S3_MADE_H

#include "store/s3/s3_call.h"

/* A way of asking for an object, as bits. */
enum s3_request {
	S3_REQUEST_NEW = 1, /* a PUT, the beginning of an upload */
	S3_REQUEST_COPY = 2, /* CopyObject */
	S3_REQUEST_PART = 4, /* sent, or copied */
	S3_REQUEST_COMPLETE = 8,
	S3_REQUEST_READ = 16, /* GET, HEAD */
	S3_REQUEST_SOURCE = 32, /* what a copy reads, by names of its own */
};

/* Fills s->made. 0, -ENOMEM, or -EINVAL: a key that is none. */
int s3_made_init(struct s3 *s, const struct s3_settings *set);
void s3_made_clear(struct s3 *s);
/* The headers of that way; of one that makes an object (NEW, COPY) with those
 * that its caller gives it: of an edit or a copy those of what was there. */
void s3_made_add(struct s3_call *c, enum s3_request way,
		 const struct store_meta *meta);
/* Those of a new object, beside the ones that a URL's request has: at most
 * S3_MADE into out; how many. */
size_t s3_made_of_url(const struct s3 *s, const struct store_presign *req,
		      struct field *out);
/* Is what encrypts an object with these headers what the settings say, or what
 * a server would choose? A copy of it is told the settings then. */
bool s3_made_encrypts_anew(const struct s3 *s, const struct props *was);
/* The storage class of what is new (storage_class.h). */
uint8_t s3_made_class(const struct s3 *s);
/* Its objects have a key that a URL would hand out. */
bool s3_made_is_private(const struct s3 *s);

#endif
