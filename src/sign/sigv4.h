/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, header and query form, for S3's rules: one pass of
 * percent-encoding, no path normalisation. Pure: no I/O, no clock, no globals.
 *
 * Source: AWS General Reference, "Signing AWS API requests"; Amazon S3 API
 * Reference, "Authenticating Requests: Using Query Parameters".
 */
#ifndef SIGN_SIGV4_H
#define SIGN_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/field.h"

struct buf;

#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
/* SHA-256 of no bytes. */
#define SIGV4_EMPTY_PAYLOAD \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Seconds; what stores accept in X-Amz-Expires. */
#define SIGV4_EXPIRES_MIN 1
#define SIGV4_EXPIRES_MAX 604800

#define SIGV4_FIELDS_MAX 64 /* headers, or query parameters, of a request */

/* The derived key, ready for use: good for one (secret, UTC day, region,
 * service). */
struct sigv4_key {
	struct hmac_key hmac;
};

/* The signer, the place and the moment. Strings are borrowed. */
struct sigv4_scope {
	const char *access_key_id;
	const char *session_token; /* NULL: none */
	const char *region;
	const char *service;
	int64_t time; /* Unix seconds */
};

struct sigv4_request {
	const char *method;
	const char *host; /* as in the Host header */
	const char *path; /* encoded, as on the wire; "" is "/" */
	const struct field *query; /* raw; "" where there is no value */
	size_t n_query;
	const struct field *headers; /* to be signed, host apart */
	size_t n_headers;
	const char *payload_hash; /* hex; NULL: SIGV4_UNSIGNED_PAYLOAD */
};

void sigv4_derive(struct sigv4_key *out, const char *secret, int64_t time,
		  const char *region, const char *service);

/*
 * Header form. Signs host and the request's headers, among which the caller
 * has put what it sends of x-amz-date, x-amz-content-sha256 and
 * x-amz-security-token (auth/signer.h does). 0, -EINVAL (a control byte other
 * than a tab in a header, a name that is no token, a path that is not
 * encoded, too many fields) or buf's error; out, which gets the Authorization
 * value, is as it was after a failure.
 */
int sigv4_authorize(const struct sigv4_key *key,
		    const struct sigv4_scope *scope,
		    const struct sigv4_request *request, struct buf *out);

/*
 * Query form: out gets the whole query string without `?`: the request's own
 * parameters first, then Algorithm, Credential, Date, Expires,
 * Security-Token, SignedHeaders and, last, Signature. Host and the request's
 * headers are signed; the payload is UNSIGNED-PAYLOAD unless payload_hash
 * says otherwise. 0, -EINVAL (expires out of bounds too) or buf's error.
 */
int sigv4_presign(const struct sigv4_key *key, const struct sigv4_scope *scope,
		  const struct sigv4_request *request, int64_t expires,
		  struct buf *out);

/* The path of a URL for a key: encoded byte by byte, '/' kept, no leading '/'
 * added, nothing normalised. */
void sigv4_encode_path(struct buf *out, const char *key);

/* The request's query on the wire, percent-encoded, in the given order. */
void sigv4_encode_query(struct buf *out, const struct field *query, size_t n);

#endif
