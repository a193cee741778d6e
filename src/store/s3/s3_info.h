/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer's headers tell of an object.
 */
#ifndef STORE_S3_S3_INFO_H
#define STORE_S3_S3_INFO_H

#include "net/http.h"
#include "store/store.h"

/* Content-Range, of a 206 or a 416 (which has no first and last). */
struct s3_range {
	uint64_t first, last;
	uint64_t total; /* STORE_SIZE_UNKNOWN: "*" */
};
bool s3_info_range(const struct http_reply *reply, struct s3_range *out);
/* Size by Content-Range or Content-Length (else STORE_SIZE_UNKNOWN), mtime,
 * ETag. */
void s3_info_read(const struct http_reply *reply, struct object_info *out);
/* ETag and Date of an answer to a write. */
void s3_info_written(const struct http_reply *reply, uint64_t size,
		     struct object_info *out);
/* The object's headers. 0, -E2BIG (some are left out) or -ENOMEM. */
int s3_info_props(const struct http_reply *reply, struct props *out);

#endif
