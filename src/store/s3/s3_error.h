/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store's answer means: the errno, whether to try again, and what can
 * be put right first. Pure.
 *
 * Source: Amazon S3 API Reference, "Error responses"; the codes of MinIO and
 * Ceph RGW where they differ.
 */
#ifndef STORE_S3_S3_ERROR_H
#define STORE_S3_S3_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

/* What the request was for: a 412 or a 404 means different things. */
enum s3_use {
	S3_USE_PLAIN,
	S3_USE_PINNED, /* a read with If-Match */
	S3_USE_ABSENT, /* a write with If-None-Match: * */
	S3_USE_MATCH, /* a write with If-Match */
};

/* What is to be put right before the request is worth another try. */
enum s3_fix {
	S3_FIX_NONE,
	S3_FIX_REGION,
	S3_FIX_CLOCK,
	S3_FIX_CREDS, /* it does not take these */
	S3_FIX_CREDS_MAYBE, /* it does not say why: perhaps */
};

struct s3_meaning {
	int rc; /* -errno, when this is the end of it */
	enum http_verdict verdict; /* HTTP_DONE, HTTP_RETRY, HTTP_SLOW */
	enum s3_fix fix; /* then HTTP_AGAIN, once it is done */
};

/*
 * status and code (NULL or "" when there was no body) of an answer that is an
 * error: a status of 300 and over, or an <Error> inside a 200.
 */
struct s3_meaning s3_error_meaning(long status, const char *code,
				   enum s3_use use);

/* The largest clock error that is corrected. */
#define S3_SKEW_MAX_S 86400

/*
 * The clock's error by the <ServerTime> of the answer or else its Date header
 * ("" or NULL: not there). True when it is worth correcting: a time could be
 * read, and it is at most S3_SKEW_MAX_S off.
 */
bool s3_error_skew(const char *server_time, const char *date, int64_t now,
		   int64_t *skew_s);

/*
 * The region to go to, by the x-amz-bucket-region header or the body's
 * <Region>: true when there is one, it looks like one, and it is another.
 */
bool s3_error_region(const char *header, const char *body_region,
		     const char *current, const char **out);

#endif
