/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request is signed once more from what came, and the two signatures are
 * compared; everything else here makes sure that what is signed is the whole
 * of what a server will act on, and that the moment, the key and the scope are
 * the trusted ones.
 *
 * The order: the query's pairs; the six parameters of the signature, once
 * each; the key, the scope, the moment; the headers; then the signature. No
 * client learns from a refusal what a right signature would have been.
 */
#include "sign/sigv4_verify.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/query.h"
#include "base/text.h"
#include "sign/sigv4_canonical.h"

#define AHEAD_S 900 /* a clock may be that much before ours */
#define SIGNATURE_LEN (SHA256_HEX_SIZE - 1)

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

/* What is known so far. */
struct sigv4_verify {
	const struct sigv4_received *r;
	const struct sigv4_trust *trust;
	struct buf *why;
	struct buf path;
	struct query query; /* signed: all but Signature */
	const char *value[P_COUNT];
	const char *host;
	struct field headers[SIGV4_FIELDS_MAX]; /* signed, less host */
	size_t n_headers;
	int64_t time;
	struct buf scope; /* `20130524/us-east-1/s3/aws4_request` */
};

static const struct {
	const char *code;
	unsigned status;
} verdicts[] = {
	[SIGV4_VALID] = { NULL, 200 },
	[SIGV4_MALFORMED] = { "AuthorizationQueryParametersError", 400 },
	[SIGV4_UNKNOWN_KEY] = { "InvalidAccessKeyId", 403 },
	[SIGV4_EXPIRED] = { "AccessDenied", 403 },
	[SIGV4_NOT_YET] = { "RequestTimeTooSkewed", 403 },
	[SIGV4_UNSIGNED_HEADER] = { "AccessDenied", 403 },
	[SIGV4_MISMATCH] = { "SignatureDoesNotMatch", 403 },
	[SIGV4_NO_SIGNATURE] = { "AccessDenied", 403 },
};

const char *sigv4_verify_code(enum sigv4_verdict v)
{
	return verdicts[v].code;
}

unsigned sigv4_verify_status(enum sigv4_verdict v)
{
	return verdicts[v].status;
}

static enum sigv4_verdict verify_refuse(struct sigv4_verify *v,
					enum sigv4_verdict verdict,
					const char *why)
{
	buf_adds(v->why, why);
	return verdict;
}

static enum sigv4_verdict verify_refuse_named(struct sigv4_verify *v,
					      enum sigv4_verdict verdict,
					      const char *name, const char *why)
{
	text_printable(v->why, name);
	buf_adds(v->why, why);
	return verdict;
}

/*
 * The request line: the query's pairs, decoded, and among them the six
 * parameters of the signature, once each. An empty pair (`&&`) would not be
 * part of what is signed and so is refused.
 */
static const char *const parameters[P_COUNT] = {
	"X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
	"X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature",
};

static int verify_find_parameter(const char *name)
{
	for (int i = 0; i < P_COUNT; i++)
		if (!strcasecmp(name, parameters[i]))
			return i;
	return -1;
}

/* Finds the six, and takes the signature out of what is signed. */
static enum sigv4_verdict verify_take_parameters(struct sigv4_verify *v)
{
	struct query *q = &v->query;
	size_t kept = 0;

	for (size_t i = 0; i < q->n; i++) {
		int p = verify_find_parameter(q->fields[i].name);

		if (p >= 0 && v->value[p])
			return verify_refuse_named(v, SIGV4_MALFORMED,
						   parameters[p],
						   " is there twice");
		if (p >= 0 && strcmp(q->fields[i].name, parameters[p]) != 0)
			return verify_refuse_named(v, SIGV4_MALFORMED,
						   q->fields[i].name,
						   " is written another way");
		if (p >= 0)
			v->value[p] = q->fields[i].value;
		if (p != P_SIGNATURE)
			q->fields[kept++] = q->fields[i];
	}
	q->n = kept;
	for (int p = 0; p < P_COUNT; p++)
		if (!v->value[p])
			return verify_refuse_named(v, SIGV4_MALFORMED,
						   parameters[p],
						   " is missing");
	return SIGV4_VALID;
}

static bool verify_any_signature(const char *query)
{
	for (const char *p = query; p; p = strchr(p, '&')) {
		p += *p == '&';
		if (!strncasecmp(p, "x-amz-", 6))
			return true;
	}
	return false;
}

static enum sigv4_verdict verify_read_target(struct sigv4_verify *v)
{
	const char *target = v->r->target, *mark = strchr(target, '?');
	size_t path_len = mark ? (size_t)(mark - target) : strlen(target);
	BUF_LOCAL decoded = BUF_INIT(CANONICAL_MAX);
	int rc;

	if (!mark || !verify_any_signature(mark + 1))
		return verify_refuse(v, SIGV4_NO_SIGNATURE,
				     "the request is not signed");
	if (text_has_control(target) || !text_is_ascii(target))
		return verify_refuse(v, SIGV4_MALFORMED,
				     "the request line has bytes that must be "
				     "percent-encoded");
	buf_add(&v->path, target, path_len);
	rc = text_percent_decode(&decoded, target, path_len);
	if (!rc)
		rc = query_parse(&v->query, mark + 1);
	if (rc)
		return verify_refuse(
			v, SIGV4_MALFORMED,
			"the query or the path is not well-formed");
	return verify_take_parameters(v);
}

/* ---- moment, key, scope ---- */

static enum sigv4_verdict verify_check_time(struct sigv4_verify *v)
{
	uint64_t expires;

	if (clock_parse_amz(v->value[P_DATE], &v->time))
		return verify_refuse(v, SIGV4_MALFORMED,
				     "X-Amz-Date must be in the format "
				     "\"yyyyMMdd'T'HHmmss'Z'\"");
	if (parse_u64(v->value[P_EXPIRES], SIGV4_EXPIRES_MAX, &expires) ||
	    expires < SIGV4_EXPIRES_MIN)
		return verify_refuse(
			v, SIGV4_MALFORMED,
			"X-Amz-Expires must be a number of 1 to 604800");
	if (v->time > v->trust->now + AHEAD_S)
		return verify_refuse(v, SIGV4_NOT_YET,
				     "Request is not valid yet");
	if (v->trust->now > v->time + (int64_t)expires)
		return verify_refuse(v, SIGV4_EXPIRED, "Request has expired");
	return SIGV4_VALID;
}

/* KEY/20130524/us-east-1/s3/aws4_request: the scope is known but for the day,
 * and the day is X-Amz-Date's. */
static enum sigv4_verdict verify_check_credential(struct sigv4_verify *v)
{
	const char *credential = v->value[P_CREDENTIAL];
	size_t n = strlen(credential), scope_len, id_len;
	char day[TIME_DATE_SIZE];

	clock_date(v->time, day);
	buf_addf(&v->scope, "%s/%s/%s/" SIGV4_TERMINATOR, day, v->trust->region,
		 v->trust->service);
	scope_len = v->scope.len;
	if (n <= scope_len + 1 || credential[n - scope_len - 1] != '/' ||
	    strcmp(credential + n - scope_len, buf_str(&v->scope)) != 0) {
		buf_addf(v->why,
			 "X-Amz-Credential must be KEY/%s, the day that of "
			 "X-Amz-Date",
			 buf_str(&v->scope));
		return SIGV4_MALFORMED;
	}
	id_len = n - scope_len - 1;
	if (id_len != strlen(v->trust->access_key_id) ||
	    !digest_equal(credential, v->trust->access_key_id, id_len))
		return verify_refuse(
			v, SIGV4_UNKNOWN_KEY,
			"the key that signed the request is not known "
			"here, or no longer");
	return SIGV4_VALID;
}

/* ---- headers ---- */

static bool verify_list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		size_t n = strcspn(list, ";");

		if (n == len && !strncasecmp(list, name, n))
			return true;
		list += n + (list[n] == ';');
	}
	return false;
}

static bool verify_has_come(const struct sigv4_received *r, const char *name,
			    size_t n)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strlen(r->headers[i].name) == n &&
		    !strncasecmp(r->headers[i].name, name, n))
			return true;
	return false;
}

/* Lower-case names in order, each once, each come. */
static enum sigv4_verdict verify_check_list(struct sigv4_verify *v)
{
	const char *s = v->value[P_SIGNED_HEADERS], *before = "";
	size_t n_before = 0;

	do {
		size_t n = strcspn(s, ";"), least = number_min(n, n_before);
		int order = memcmp(s, before, least);

		if (!n || order < 0 || (!order && n <= n_before))
			return verify_refuse(
				v, SIGV4_MALFORMED,
				"X-Amz-SignedHeaders must be names in "
				"order, with ; between them");
		for (size_t i = 0; i < n; i++)
			if (s[i] != text_lower(s[i]))
				return verify_refuse(
					v, SIGV4_MALFORMED,
					"X-Amz-SignedHeaders must be in "
					"lower case");
		if (!verify_has_come(v->r, s, n)) {
			buf_adds(v->why, "a header that is signed was not "
					 "sent: ");
			for (size_t i = 0; i < n; i++)
				if (s[i] > ' ' && s[i] < 0x7f)
					buf_addc(v->why, s[i]);
			return SIGV4_MISMATCH;
		}
		before = s;
		n_before = n;
		s = s[n] ? s + n + 1 : NULL;
	} while (s);
	return SIGV4_VALID;
}

static enum sigv4_verdict verify_take_header(struct sigv4_verify *v,
					     const struct field *h)
{
	bool is_signed = verify_list_has(v->value[P_SIGNED_HEADERS], h->name);

	if (!is_signed && !strncasecmp(h->name, "x-amz-", 6)) {
		buf_adds(v->why, "There were headers present in the request "
				 "which were not signed: ");
		text_printable(v->why, h->name);
		return SIGV4_UNSIGNED_HEADER;
	}
	if (!strcasecmp(h->name, "host")) {
		if (v->host)
			return verify_refuse(v, SIGV4_MALFORMED,
					     "the Host header is there twice");
		v->host = h->value;
	} else if (is_signed) {
		if (v->n_headers == SIGV4_FIELDS_MAX)
			return verify_refuse(
				v, SIGV4_MALFORMED,
				"there are too many signed headers");
		v->headers[v->n_headers++] = *h;
	}
	return SIGV4_VALID;
}

static enum sigv4_verdict verify_check_headers(struct sigv4_verify *v)
{
	enum sigv4_verdict verdict = verify_check_list(v);

	if (!verdict && !verify_list_has(v->value[P_SIGNED_HEADERS], "host"))
		verdict = verify_refuse(v, SIGV4_MALFORMED,
					"the Host header must be signed");
	for (size_t i = 0; i < v->r->n_headers && !verdict; i++)
		verdict = verify_take_header(v, &v->r->headers[i]);
	return verdict;
}

/* ---- the signature ---- */

static int verify_sign_again(struct sigv4_verify *v, char out[SHA256_HEX_SIZE])
{
	const struct sigv4_request request = {
		.method = v->r->method,
		.host = v->host,
		.path = buf_str(&v->path),
		.headers = v->headers,
		.n_headers = v->n_headers,
	};
	BUF_SECRET lines = BUF_INIT(CANONICAL_MAX);
	BUF_LOCAL names = BUF_INIT(CANONICAL_MAX);
	BUF_SECRET canonical = BUF_INIT(CANONICAL_MAX);
	struct sigv4_key key;
	int rc = sigv4_canonical_headers(&request, &lines, &names);

	if (!rc)
		rc = sigv4_canonical_request(&request, buf_str(&lines),
					     buf_str(&names), v->query.fields,
					     v->query.n, &canonical);
	if (!rc) {
		sigv4_derive(&key, v->trust->secret, v->time, v->trust->region,
			     v->trust->service);
		rc = sigv4_sign(&key, v->time, buf_str(&v->scope), &canonical,
				out);
		wipe(&key, sizeof(key));
	}
	return rc;
}

static enum sigv4_verdict verify_compare(struct sigv4_verify *v)
{
	const char *came = v->value[P_SIGNATURE];
	char ours[SHA256_HEX_SIZE];
	enum sigv4_verdict verdict = SIGV4_VALID;

	if (verify_sign_again(v, ours))
		return verify_refuse(v, SIGV4_MALFORMED,
				     "the request cannot be signed as it came");
	if (strlen(came) != SIGNATURE_LEN ||
	    !digest_equal(came, ours, SIGNATURE_LEN))
		verdict = verify_refuse(
			v, SIGV4_MISMATCH,
			"the signature is not that of this request: "
			"method, host, path, query and signed headers "
			"must be those of the pre-signed URL");
	wipe(ours, sizeof(ours));
	return verdict;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_received *r,
				const struct sigv4_trust *trust,
				struct buf *why)
{
	struct sigv4_verify v = { .r = r, .trust = trust, .why = why };
	enum sigv4_verdict verdict;

	buf_init(&v.path, CANONICAL_MAX);
	buf_init(&v.scope, SIGV4_SCOPE_MAX);
	verdict = verify_read_target(&v);
	if (!verdict && strcmp(v.value[P_ALGORITHM], SIGV4_ALGORITHM) != 0)
		verdict = verify_refuse(
			&v, SIGV4_MALFORMED,
			"X-Amz-Algorithm must be " SIGV4_ALGORITHM);
	if (!verdict)
		verdict = verify_check_time(&v);
	if (!verdict)
		verdict = verify_check_credential(&v);
	if (!verdict)
		verdict = verify_check_headers(&v);
	if (!verdict)
		verdict = verify_compare(&v);
	query_clear(&v.query);
	buf_clear(&v.path);
	buf_clear(&v.scope);
	return verdict;
}
