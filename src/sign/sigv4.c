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
#include "base/digest.h"
#include "base/text.h"
#include "sign/sigv4_canonical.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define SIGNATURE_SIZE SHA256_HEX_SIZE
#define SCOPE_MAX 1024

/* Algorithm, Credential, Date, Expires, Security-Token, SignedHeaders. */
#define AUTH_FIELDS 6

void sigv4_derive(struct sigv4_key *out, const char *secret, int64_t time,
		  const char *region, const char *service)
{
	char date[TIME_DATE_SIZE];
	const char *steps[] = { date, region, service, TERMINATOR };
	unsigned char next[SHA256_SIZE];
	struct buf first = BUF_INIT(strlen(secret) + 4);
	const void *key;
	size_t key_len;

	time_date(time, date);
	buf_adds(&first, "AWS4");
	buf_adds(&first, secret);
	key = buf_str(&first);
	key_len = first.len;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		hmac_sha256(key, key_len, steps[i], strlen(steps[i]), next);
		memcpy(out->bytes, next, sizeof(next));
		key = out->bytes;
		key_len = sizeof(next);
	}
	wipe(next, sizeof(next));
	buf_wipe(&first);
}

/* `20130524/us-east-1/s3/aws4_request`; none of it may break a header. */
static int write_scope(const struct sigv4_scope *scope, struct buf *out)
{
	char date[TIME_DATE_SIZE];

	if (!scope->access_key_id || !*scope->access_key_id ||
	    text_has_control(scope->access_key_id) ||
	    text_has_control(scope->region) || text_has_control(scope->service))
		return -EINVAL;
	time_date(scope->time, date);
	buf_addf(out, "%s/%s/%s/" TERMINATOR, date, scope->region,
		 scope->service);
	return buf_err(out);
}

static int sign(const struct sigv4_key *key, const struct sigv4_scope *scope,
		const char *scope_text, const struct buf *canonical,
		char out[SIGNATURE_SIZE])
{
	struct buf text = BUF_INIT(2 * SCOPE_MAX);
	unsigned char mac[SHA256_SIZE];
	char hash[SHA256_HEX_SIZE];
	char date[TIME_AMZ_SIZE];
	int err;

	time_amz(scope->time, date);
	sha256_hex(canonical->data, canonical->len, hash);
	buf_addf(&text, ALGORITHM "\n%s\n%s\n%s", date, scope_text, hash);
	err = buf_err(&text);
	if (!err) {
		hmac_sha256(key->bytes, sizeof(key->bytes), text.data, text.len,
			    mac);
		hex_encode(mac, sizeof(mac), out);
	}
	buf_clear(&text);
	return err;
}

/* The last step of both forms: out gets all of `text`, or nothing. */
static int deliver(struct buf *out, const struct buf *text, int err)
{
	size_t before = out->len;

	if (!err)
		err = buf_err(text);
	if (err)
		return err;
	buf_add(out, text->data, text->len);
	err = buf_err(out);
	if (err && out->data)
		buf_truncate(out, before);
	return err;
}

int sigv4_authorize(const struct sigv4_key *key,
		    const struct sigv4_scope *scope,
		    const struct sigv4_request *request, struct buf *out)
{
	struct buf lines = BUF_INIT(CANONICAL_MAX);
	struct buf names = BUF_INIT(CANONICAL_MAX);
	struct buf canonical = BUF_INIT(CANONICAL_MAX);
	struct buf scope_text = BUF_INIT(SCOPE_MAX);
	struct buf value = BUF_INIT(CANONICAL_MAX);
	char signature[SIGNATURE_SIZE];
	int err;

	err = write_scope(scope, &scope_text);
	if (!err)
		err = canonical_headers(request, &lines, &names);
	if (!err && request->n_query > SIGV4_FIELDS_MAX)
		err = -EINVAL;
	if (!err)
		err = canonical_request(request, buf_str(&lines),
					buf_str(&names), request->query,
					request->n_query, &canonical);
	if (!err)
		err = sign(key, scope, buf_str(&scope_text), &canonical,
			   signature);
	if (!err)
		buf_addf(&value,
			 ALGORITHM " Credential=%s/%s, "
				   "SignedHeaders=%s, Signature=%s",
			 scope->access_key_id, buf_str(&scope_text),
			 buf_str(&names), signature);
	err = deliver(out, &value, err);
	buf_wipe(&lines);
	buf_clear(&names);
	buf_wipe(&canonical);
	buf_clear(&scope_text);
	buf_clear(&value);
	return err;
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
static size_t list_fields(const struct sigv4_request *request,
			  const struct auth_values *v, struct sigv4_field *out)
{
	const struct sigv4_field ours[AUTH_FIELDS] = {
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

static int presign_fields(const struct sigv4_key *key,
			  const struct sigv4_scope *scope,
			  const struct sigv4_request *request,
			  const char *scope_text, const char *lines,
			  const struct auth_values *v, struct buf *out)
{
	struct sigv4_field all[SIGV4_FIELDS_MAX + AUTH_FIELDS];
	size_t n = list_fields(request, v, all);
	struct buf canonical = BUF_INIT(CANONICAL_MAX);
	char signature[SIGNATURE_SIZE];
	int err;

	err = canonical_request(request, lines, v->signed_headers, all, n,
				&canonical);
	if (!err)
		err = sign(key, scope, scope_text, &canonical, signature);
	if (!err) {
		sigv4_encode_query(out, all, n);
		buf_addf(out, "&X-Amz-Signature=%s", signature);
	}
	buf_wipe(&canonical);
	return err;
}

int sigv4_presign(const struct sigv4_key *key, const struct sigv4_scope *scope,
		  const struct sigv4_request *request, int64_t expires,
		  struct buf *out)
{
	struct buf lines = BUF_INIT(CANONICAL_MAX);
	struct buf names = BUF_INIT(CANONICAL_MAX);
	struct buf scope_text = BUF_INIT(SCOPE_MAX);
	struct buf credential = BUF_INIT(2 * SCOPE_MAX);
	struct buf query = BUF_INIT(CANONICAL_MAX);
	struct auth_values v = { .session_token = scope->session_token };
	int err;

	if (expires < SIGV4_EXPIRES_MIN || expires > SIGV4_EXPIRES_MAX ||
	    request->n_query > SIGV4_FIELDS_MAX)
		return -EINVAL;
	err = write_scope(scope, &scope_text);
	if (!err)
		err = canonical_headers(request, &lines, &names);
	if (!err) {
		buf_addf(&credential, "%s/%s", scope->access_key_id,
			 buf_str(&scope_text));
		err = buf_err(&credential);
	}
	if (!err) {
		time_amz(scope->time, v.date);
		snprintf(v.expires, sizeof(v.expires), "%lld",
			 (long long)expires);
		v.credential = buf_str(&credential);
		v.signed_headers = buf_str(&names);
		err = presign_fields(key, scope, request, buf_str(&scope_text),
				     buf_str(&lines), &v, &query);
	}
	err = deliver(out, &query, err);
	buf_wipe(&lines);
	buf_clear(&names);
	buf_clear(&scope_text);
	buf_clear(&credential);
	buf_wipe(&query);
	return err;
}

void sigv4_encode_path(struct buf *out, const char *key)
{
	text_percent_encode(out, key, strlen(key), true);
}

void sigv4_encode_query(struct buf *out, const struct sigv4_field *query,
			size_t n)
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
