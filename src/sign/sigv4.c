/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signature is an HMAC over a hash of the canonical request (see
 * sigv4_canonical.c), bound to a moment and to a scope: day, region, service.
 *
 * The order of things differs by reader. A server sorts the query before it
 * signs, so the wire order is ours to choose; it is the order in which
 * Databend writes the parameters, which people compare URLs with.
 *
 * Whatever held a session token or a derived key is overwritten before it is
 * given back.
 */
#include "sign/sigv4.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "sign/sigv4_canonical.h"

#define ALGORITHM SIGV4_ALGORITHM
#define TERMINATOR SIGV4_TERMINATOR
#define SIGNATURE_SIZE SHA256_HEX_SIZE
#define SCOPE_MAX SIGV4_SCOPE_MAX

/* Room on the stack: a request of the usual size allocates nothing. */
#define SHORT 512
#define LONG 2048

/* Algorithm, Credential, Date, Expires, Security-Token, SignedHeaders. */
#define AUTH_FIELDS 6

void sigv4_derive(struct sigv4_key *out, const char *secret, int64_t time,
		  const char *region, const char *service)
{
	char date[TIME_DATE_SIZE];
	const char *steps[] = { date, region, service, TERMINATOR };
	unsigned char next[SHA256_SIZE];
	BUF_SECRET first = BUF_INIT(strlen(secret) + 4);

	clock_date(time, date);
	buf_adds(&first, "AWS4");
	buf_adds(&first, secret);
	hmac_key_init(&out->hmac, buf_str(&first), first.len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		hmac_key_sign(&out->hmac, steps[i], strlen(steps[i]), next);
		hmac_key_init(&out->hmac, next, sizeof(next));
	}
	wipe(next, sizeof(next));
}

/* `20130524/us-east-1/s3/aws4_request`; none of it may break a header. */
static int sigv4_write_scope(const struct sigv4_scope *scope, struct buf *out)
{
	char date[TIME_DATE_SIZE];

	if (!scope->access_key_id || !*scope->access_key_id ||
	    text_has_control(scope->access_key_id) ||
	    text_has_control(scope->region) || text_has_control(scope->service))
		return -EINVAL;
	clock_date(scope->time, date);
	buf_adds(out, date);
	buf_addc(out, '/');
	buf_adds(out, scope->region);
	buf_addc(out, '/');
	buf_adds(out, scope->service);
	buf_adds(out, "/" TERMINATOR);
	return buf_err(out);
}

int sigv4_sign(const struct sigv4_key *key, int64_t time,
	       const char *scope_text, const struct buf *canonical,
	       char out[SIGNATURE_SIZE])
{
	char room[SHORT], hash[SHA256_HEX_SIZE], date[TIME_AMZ_SIZE];
	const char *pieces[] = { ALGORITHM "\n", date, "\n",
				 scope_text,     "\n", hash };
	unsigned char mac[SHA256_SIZE];
	BUF_LOCAL text = { 0 };
	int rc;

	clock_amz(time, date);
	sha256_hex(canonical->data, canonical->len, hash);
	buf_init_on(&text, room, sizeof(room), 2 * SCOPE_MAX);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		buf_adds(&text, pieces[i]);
	rc = buf_err(&text);
	if (!rc) {
		hmac_key_sign(&key->hmac, text.data, text.len, mac);
		hex_encode(mac, sizeof(mac), out);
	}
	return rc;
}

/* The last step of both forms: out gets all of `text`, or nothing. */
static int sigv4_deliver(struct buf *out, const struct buf *text, int rc)
{
	size_t before = out->len;

	if (!rc)
		rc = buf_err(text);
	if (rc)
		return rc;
	buf_add(out, text->data, text->len);
	rc = buf_err(out);
	if (rc && out->data)
		buf_truncate(out, before);
	return rc;
}

int sigv4_authorize(const struct sigv4_key *key,
		    const struct sigv4_scope *scope,
		    const struct sigv4_request *request, struct buf *out)
{
	BUF_SECRET lines = BUF_INIT(CANONICAL_MAX);
	BUF_LOCAL names = BUF_INIT(CANONICAL_MAX);
	BUF_SECRET canonical = BUF_INIT(CANONICAL_MAX);
	BUF_LOCAL scope_text = BUF_INIT(SCOPE_MAX);
	BUF_LOCAL value = BUF_INIT(CANONICAL_MAX);
	char signature[SIGNATURE_SIZE];
	int rc;

	rc = sigv4_write_scope(scope, &scope_text);
	if (!rc)
		rc = sigv4_canonical_headers(request, &lines, &names);
	if (!rc && request->n_query > SIGV4_FIELDS_MAX)
		rc = -EINVAL;
	if (!rc)
		rc = sigv4_canonical_request(request, buf_str(&lines),
					     buf_str(&names), request->query,
					     request->n_query, &canonical);
	if (!rc)
		rc = sigv4_sign(key, scope->time, buf_str(&scope_text),
				&canonical, signature);
	if (!rc)
		buf_addf(&value,
			 ALGORITHM " Credential=%s/%s, "
				   "SignedHeaders=%s, Signature=%s",
			 scope->access_key_id, buf_str(&scope_text),
			 buf_str(&names), signature);
	return sigv4_deliver(out, &value, rc);
}

/* What the query form adds, less the signature. Strings are borrowed. */
struct auth_values {
	char date[TIME_AMZ_SIZE];
	char expires[24];
	const char *credential;
	const char *signed_headers;
	const char *session_token;
};

/* The request's own, then ours, in the order of the wire. */
static size_t sigv4_list_fields(const struct sigv4_request *request,
				const struct auth_values *v, struct field *out)
{
	const struct field ours[AUTH_FIELDS] = {
		{ "X-Amz-Algorithm", ALGORITHM },
		{ "X-Amz-Credential", v->credential },
		{ "X-Amz-Date", v->date },
		{ "X-Amz-Expires", v->expires },
		{ "X-Amz-Security-Token", v->session_token },
		{ "X-Amz-SignedHeaders", v->signed_headers },
	};
	size_t n = 0;

	for (; n < request->n_query; n++)
		out[n] = request->query[n];
	for (size_t i = 0; i < AUTH_FIELDS; i++)
		if (ours[i].value)
			out[n++] = ours[i];
	return n;
}

static int sigv4_presign_fields(const struct sigv4_key *key,
				const struct sigv4_scope *scope,
				const struct sigv4_request *request,
				const char *scope_text, const char *lines,
				const struct auth_values *v, struct buf *out)
{
	struct field all[SIGV4_FIELDS_MAX + AUTH_FIELDS];
	size_t n = sigv4_list_fields(request, v, all);
	char room[LONG], on_query[LONG], signature[SIGNATURE_SIZE];
	BUF_SECRET canonical = { 0 }, query = { 0 };
	int rc;

	buf_init_on(&canonical, room, sizeof(room), CANONICAL_MAX);
	buf_init_on(&query, on_query, sizeof(on_query), CANONICAL_MAX);
	rc = sigv4_canonical_query(all, n, &query);
	if (!rc)
		rc = sigv4_canonical_request_of(
			request, lines, v->signed_headers, &query, &canonical);
	if (!rc)
		rc = sigv4_sign(key, scope->time, scope_text, &canonical,
				signature);
	if (!rc) {
		/* Ours alone are in order already. */
		if (request->n_query)
			sigv4_encode_query(out, all, n);
		else
			buf_add(out, query.data, query.len);
		buf_adds(out, "&X-Amz-Signature=");
		buf_adds(out, signature);
	}
	return rc;
}

/* The pieces of a pre-signed query, on the stack while they are short. */
struct work {
	struct buf lines, names, scope, credential, query;
	char on_lines[SHORT], on_names[SHORT], on_scope[128],
		on_credential[256], on_query[LONG];
};

static void sigv4_work_init(struct work *w)
{
	buf_init_on(&w->lines, w->on_lines, SHORT, CANONICAL_MAX);
	buf_init_on(&w->names, w->on_names, SHORT, CANONICAL_MAX);
	buf_init_on(&w->scope, w->on_scope, sizeof(w->on_scope), SCOPE_MAX);
	buf_init_on(&w->credential, w->on_credential, sizeof(w->on_credential),
		    2 * SCOPE_MAX);
	buf_init_on(&w->query, w->on_query, LONG, CANONICAL_MAX);
}

static void sigv4_work_wipe(struct work *w)
{
	buf_wipe(&w->lines);
	buf_clear(&w->names);
	buf_clear(&w->scope);
	buf_clear(&w->credential);
	buf_wipe(&w->query);
}

int sigv4_presign(const struct sigv4_key *key, const struct sigv4_scope *scope,
		  const struct sigv4_request *request, int64_t expires,
		  struct buf *out)
{
	struct auth_values v = { .session_token = scope->session_token };
	struct work w;
	int rc;

	if (expires < SIGV4_EXPIRES_MIN || expires > SIGV4_EXPIRES_MAX ||
	    request->n_query > SIGV4_FIELDS_MAX)
		return -EINVAL;
	sigv4_work_init(&w);
	rc = sigv4_write_scope(scope, &w.scope);
	if (!rc)
		rc = sigv4_canonical_headers(request, &w.lines, &w.names);
	if (!rc) {
		buf_adds(&w.credential, scope->access_key_id);
		buf_addc(&w.credential, '/');
		buf_adds(&w.credential, buf_str(&w.scope));
		rc = buf_err(&w.credential);
	}
	if (!rc) {
		clock_amz(scope->time, v.date);
		snprintf(v.expires, sizeof(v.expires), "%lld",
			 (long long)expires);
		v.credential = buf_str(&w.credential);
		v.signed_headers = buf_str(&w.names);
		rc = sigv4_presign_fields(key, scope, request,
					  buf_str(&w.scope), buf_str(&w.lines),
					  &v, &w.query);
	}
	rc = sigv4_deliver(out, &w.query, rc);
	sigv4_work_wipe(&w);
	return rc;
}

void sigv4_encode_path(struct buf *out, const char *key)
{
	text_percent_encode(out, key, strlen(key), true);
}

void sigv4_encode_query(struct buf *out, const struct field *query, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? "&" : "");
		text_percent_encode(out, query[i].name, strlen(query[i].name),
				    false);
		buf_addc(out, '=');
		text_percent_encode(out, query[i].value, strlen(query[i].value),
				    false);
	}
}
