/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a bucket is: the endpoint, the region that may be in its name, and
 * the host and path of a key. Pure.
 */
#ifndef STORE_S3_S3_ENDPOINT_H
#define STORE_S3_S3_ENDPOINT_H

#include <stdbool.h>

#include "net/url.h"

struct buf;

#define S3_REGION_SIZE 64

struct s3_endpoint {
	struct url url; /* the endpoint's */
	bool virtual_host;
	char *bucket;
};

/* 0, -EINVAL with why, -ENOMEM. s3_endpoint_clear() also after failure. */
int s3_endpoint_init(struct s3_endpoint *p, const char *endpoint,
		     const char *bucket, bool virtual_host, struct buf *why);
void s3_endpoint_clear(struct s3_endpoint *p);

/* The region in a host's name, or "": Amazon's in all their forms, and some
 * others'. */
void s3_endpoint_region_of(const char *host, char out[S3_REGION_SIZE]);
/* The same of the endpoint. */
void s3_endpoint_region(const struct s3_endpoint *p, char out[S3_REGION_SIZE]);

/* The Host header for a region: that region's own name where the endpoint is
 * one of Amazon's, with the bucket in front where it is addressed so. */
void s3_endpoint_host(const struct s3_endpoint *p, const char *region,
		      struct buf *out);
/* Is it one of Amazon's, whose requests must be signed for its region? */
bool s3_endpoint_is_amazon(const struct s3_endpoint *p);
/* Is it known to want all parts of an upload but the last of one length? */
bool s3_endpoint_is_even(const struct s3_endpoint *p);
/* The path for a key (NULL: the bucket itself), encoded. */
void s3_endpoint_path(const struct s3_endpoint *p, const char *key,
		      struct buf *out);

/* Can that be a region: a part of a scope, perhaps of a host? */
bool s3_endpoint_is_region(const char *region);

/* What to do about a failure to reach it (-errno), or NULL. */
const char *s3_endpoint_hint(const struct s3_endpoint *p, int rc);
/* Is it this machine? */
bool s3_endpoint_is_here(const struct s3_endpoint *p);
bool s3_endpoint_is_https(const struct s3_endpoint *p);

#endif
