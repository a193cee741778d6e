/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of sigv4_presign(): is this pre-signed request what the owner
 * of the key has signed? Pure: no I/O, no clock, no globals.
 *
 * The path and the query are those of the request line, byte for byte, as they
 * came: nothing is decoded before the signature is computed over the path as
 * it stands and over the query's pairs, decoded and encoded anew.
 */
#ifndef SIGN_SIGV4_VERIFY_H
#define SIGN_SIGV4_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "sign/sigv4.h"

struct buf;

enum sigv4_verdict {
	SIGV4_VALID,
	SIGV4_MALFORMED, /* AuthorizationQueryParametersError, 400 */
	SIGV4_UNKNOWN_KEY, /* InvalidAccessKeyId, 403 */
	SIGV4_EXPIRED, /* AccessDenied, 403: Request has expired */
	SIGV4_NOT_YET, /* RequestTimeTooSkewed, 403: over 15 minutes ahead */
	SIGV4_UNSIGNED_HEADER, /* AccessDenied, 403 */
	SIGV4_MISMATCH, /* SignatureDoesNotMatch, 403 */
	SIGV4_NO_SIGNATURE, /* AccessDenied, 403: no X-Amz- parameter at all */
};

/* Header names in any case, values as they came, in the order that they came;
 * the same name may come twice. Borrowed. */
struct sigv4_received {
	const char *method;
	const char *target; /* of the request line, path and query */
	const struct field *headers;
	size_t n_headers;
};

struct sigv4_trust {
	const char *access_key_id;
	const char *secret;
	const char *region; /* "us-east-1" */
	const char *service; /* "s3" */
	int64_t now; /* Unix seconds */
};

/*
 * Compares in constant time. why gets a short sentence for the answer's
 * Message. Every x-amz-* header that came must be among the signed ones, every
 * signed header must have come, host is always signed; the parameters
 * X-Amz-Algorithm, Credential, Date, Expires, SignedHeaders and Signature each
 * stand there once.
 */
enum sigv4_verdict sigv4_verify(const struct sigv4_received *r,
				const struct sigv4_trust *trust,
				struct buf *why);

/* `AccessDenied` ...; NULL for SIGV4_VALID. And the HTTP status. */
const char *sigv4_verify_code(enum sigv4_verdict v);
unsigned sigv4_verify_status(enum sigv4_verdict v);

#endif
