/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pre-signed request for an object of a local stage; object*.c's own.
 */
#ifndef GATEWAY_OBJECTS_OBJECT_H
#define GATEWAY_OBJECTS_OBJECT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/query.h"
#include "gateway/exchange.h"
#include "gateway/stores.h"
#include "store/store.h"

struct digest;

/* GET, HEAD and PUT of any path that has no other handler. */
extern const struct exchange_handler object_handler;

/* A body on its way to the disk. */
struct object_body {
	int fd; /* store_scratch(); -1: a directory's, which has none */
	uint64_t len;
	struct digest *md5, *sha256; /* NULL: not asked for */
	const char *want_md5, *want_sha256, *want_crc32c; /* base64 */
	uint32_t crc32c;
};

struct object {
	struct stores_entry in;
	struct buf key;
	struct query query;
	struct object_body body;
	struct store_cond cond;
	char match[STORE_ETAG_SIZE]; /* cond.if_match */
};

/* An errno of a store as status and S3's code; what a person needs beside. */
void object_request_fail(struct exchange *x, int rc);

/* A header that came, or a signed parameter of its name: SDKs move headers of
 * `x-amz-*` to the query. NULL: neither. */
const char *object_request_field(const struct exchange *x, const char *name);

/* object_get.c: GET, HEAD. Answers. */
void object_get(struct exchange *x);

/* object_put.c */
void object_put_begin(struct exchange *x);
void object_put_data(struct exchange *x, const void *bytes, size_t n);
void object_put_end(struct exchange *x);
void object_put_clear(struct object *o);

#endif
