/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers that belong to an object, beside its bytes. The table in props.c
 * is the only list of their names: what writes an object, copies it, tells of
 * it or keeps it goes by that.
 *
 * A record of them is plain data, so that it can be copied: each name, in lower
 * case, and its value, with a NUL behind both.
 */
#ifndef STORE_PROPS_H
#define STORE_PROPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/field.h"

struct store_meta;

#define PROPS_BYTES 8192 /* S3 takes no more in one request */

#define PROP_TYPE "content-type"
#define PROP_ENCODING "content-encoding"
#define PROP_DISPOSITION "content-disposition"
#define PROP_LANGUAGE "content-language"
#define PROP_CACHE "cache-control"
#define PROP_EXPIRES "expires"
#define PROP_CLASS "x-amz-storage-class"
#define PROP_SSE "x-amz-server-side-encryption"
#define PROP_SSE_KEY "x-amz-server-side-encryption-aws-kms-key-id"
#define PROP_TAGGING "x-amz-tagging"
#define PROP_TAG_COUNT "x-amz-tagging-count"
#define PROP_META "x-amz-meta-" /* names that begin so are the caller's */

#define PROP_TYPE_DIR "application/x-directory" /* of a directory's object */

/* What a header is, as bits. */
enum prop_kind {
	PROP_CONTENT = 1, /* of the content: any store keeps it, and a GET
			     answers with it; a copy has it by itself */
	PROP_SERVER = 2, /* how a server keeps and serves it: to be said again
			    with each copy */
	PROP_CRYPT = 4, /* ... and how it encrypts it */
	PROP_TAGS = 8, /* its tags, which no answer repeats */
	PROP_ANSWER_ONLY = 16, /* an answer alone has it */
};
#define PROP_WRITTEN (PROP_CONTENT | PROP_SERVER | PROP_CRYPT | PROP_TAGS)

struct props {
	size_t len;
	char text[PROPS_BYTES];
};

/* Its kind, in any case of its letters; 0: it belongs to no object. */
unsigned props_kind(const char *name);
/* The names of the table with the bits of a kind, one after the other: i is 0
 * before the first; NULL at the end. */
const char *props_name(unsigned kinds, size_t *i);
/* NULL when it is not there. */
const char *props_get(const struct props *p, const char *name);
/* Replaces; value NULL removes. 0, -EINVAL (no such header, or a control byte),
 * -E2BIG. */
int props_set(struct props *p, const char *name, const char *value);
/* The next one into *at, whose name is NULL before the first: false at the end.
 * Borrowed until p changes. */
bool props_next(const struct props *p, struct field *at);
/* Those of these kinds, over what is there already. 0 or -E2BIG. */
int props_add(struct props *to, const struct props *from, unsigned kinds);
/* All headers that a write is told; what has control bytes is left out. 0 or
 * -E2BIG. */
int props_of_meta(struct props *p, const struct store_meta *meta);

/*
 * The content type of something that gets another name goes with it: one that
 * the old name stands for (`was`), or that was not chosen, becomes that of the
 * new one (`now`). NULL: the name stands for none.
 */
struct store_retype {
	const char *was, *now;
};
/* True when the type is another afterwards. r NULL: it stays. */
bool props_retype(struct props *p, const struct store_retype *r);

#endif
