/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to the headers and parameters that are signed.
 */
#ifndef PRESIGN_PRESIGN_FIELDS_H
#define PRESIGN_PRESIGN_FIELDS_H

#include "base/buf.h"
#include "presign/presign.h"

struct presign_fields {
	struct field headers[PRESIGN_FIELDS_MAX];
	struct field query[PRESIGN_FIELDS_MAX];
	size_t n_headers, n_query;
	/* What had to be written anew. */
	struct buf disposition, checksum;
};

/* key: for the file's own name. 0, -EINVAL, -EFBIG (why set), -ENOMEM.
 * presign_fields_clear() in either case. */
int presign_fields(const struct presign_request *req, const char *key,
		   const struct store_limits *limits,
		   struct presign_fields *out, struct buf *why);
void presign_fields_clear(struct presign_fields *f);

#endif
