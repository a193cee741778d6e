/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical request of Signature Version 4: what is hashed and signed.
 * Used by sigv4.c, sigv4_verify.c and the tests only.
 */
#ifndef SIGN_SIGV4_CANONICAL_H
#define SIGN_SIGV4_CANONICAL_H

#include <stddef.h>

#include "sign/sigv4.h"

struct buf;

/* Headers with their values come to a few KiB, a query with a token to as
 * much again; a key of 1,024 bytes to 3 KiB. */
#define CANONICAL_MAX 262144

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_TERMINATOR "aws4_request"
#define SIGV4_SCOPE_MAX 1024

/*
 * Host and the request's headers: `name:value` lines, and the names joined by
 * `;`. 0, -EINVAL, or a buf's error.
 */
int sigv4_canonical_headers(const struct sigv4_request *request,
			    struct buf *lines, struct buf *names);

/* Encoded, sorted and joined. 0, -EINVAL (too many), or buf's error. */
int sigv4_canonical_query(const struct field *query, size_t n, struct buf *out);

/*
 * The whole, from the two strings of sigv4_canonical_headers(); `query` stands
 * in for the request's own. 0, -EINVAL, or buf's error.
 */
int sigv4_canonical_request(const struct sigv4_request *request,
			    const char *lines, const char *names,
			    const struct field *query, size_t n_query,
			    struct buf *out);

/* The same by the text of sigv4_canonical_query(). */
int sigv4_canonical_request_of(const struct sigv4_request *request,
			       const char *lines, const char *names,
			       const struct buf *query, struct buf *out);

/* The signature, hex, of a canonical request. scope_text is
 * `20130524/us-east-1/s3/aws4_request`. 0, or a buf's error. */
int sigv4_sign(const struct sigv4_key *key, int64_t time,
	       const char *scope_text, const struct buf *canonical,
	       char out[SHA256_HEX_SIZE]);

#endif
