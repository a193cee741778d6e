/*
 * The inside of the verification of pre-signed requests.
 */
#ifndef SIGN_SIGV4_VERIFY_IMPL_H
#define SIGN_SIGV4_VERIFY_IMPL_H

#include <stdint.h>

#include "base/buf.h"
#include "sign/sigv4_canonical.h"
#include "sign/sigv4_verify.h"

#define SIGV4_VERIFY_FIELDS_MAX (SIGV4_FIELDS_MAX + 8)

/* The parameters that each stand there once. */
enum sigv4_parameter {
	P_ALGORITHM,
	P_CREDENTIAL,
	P_DATE,
	P_EXPIRES,
	P_SIGNED_HEADERS,
	P_SIGNATURE,
	P_COUNT
};

/* What is known so far. Strings of the query stand decoded in the arena. */
struct sigv4_verify {
	const struct sigv4_received *r;
	const struct sigv4_trust *trust;
	struct buf *why;
	struct buf arena; /* name NUL value NUL ... */
	struct buf path;
	struct field
		fields[SIGV4_VERIFY_FIELDS_MAX]; /* signed: all but Signature */
	size_t n_fields;
	const char *value[P_COUNT];
	const char *host;
	struct field headers[SIGV4_FIELDS_MAX]; /* signed, less host */
	size_t n_headers;
	int64_t time;
	struct buf scope; /* `20130524/us-east-1/s3/aws4_request` */
};

/* Returns verdict; why: a sentence for the answer. */
enum sigv4_verdict sigv4_refuse(struct sigv4_verify *v,
				enum sigv4_verdict verdict, const char *why);
/* The same about a name, which the request may have brought. */
enum sigv4_verdict sigv4_refuse_named(struct sigv4_verify *v,
				      enum sigv4_verdict verdict,
				      const char *name, const char *why);

/* ---- sigv4_verify_target.c ---- */

/* The request line: fills path, fields and value. */
enum sigv4_verdict sigv4_read_target(struct sigv4_verify *v);

#endif
