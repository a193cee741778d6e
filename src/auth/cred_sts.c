/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both actions are a form that is posted, and answer the same document. Each
 * attempt is signed when it is written, on whatever thread that happens.
 *
 * What STS says of a failure is shown, since "not authorized to perform:
 * sts:AssumeRole on resource ..." is what a person needs; but for a wrong
 * signature, where it repeats the request, token and all.
 */
#include "auth/cred_sts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_ask.h"
#include "auth/creds.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/xml.h"
#include "net/url.h"

#define PROVIDER "STS"
#define SERVICE "sts"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define DEADLINE_MS 20000
#define MESSAGE_SHOWN 400
#define GLOBAL_REGION "us-east-1"

/* A request on its way. */
struct sts {
	struct buf url, region, body;
	struct url server;
	char body_hash[SHA256_HEX_SIZE];
	const struct creds *by; /* NULL: not signed */
};

static bool sts_is_region(const char *s)
{
	if (!s || !strchr(s, '-'))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || text_is_digit(*s) ||
		      *s == '-'))
			return false;
	return true;
}

int cred_sts_server(const char *region, struct buf *url,
		    struct buf *signing_region, struct buf *why)
{
	const char *given = cred_ask_env("AWS_ENDPOINT_URL_STS");
	struct url u = { 0 };
	int rc = 0;

	if (!given)
		given = cred_ask_env("AWS_ENDPOINT_URL");
	if (!sts_is_region(region))
		region = cred_ask_env("AWS_REGION");
	if (!sts_is_region(region))
		region = cred_ask_env("AWS_DEFAULT_REGION");
	if (given) {
		rc = url_parse(given, "https", &u, why);
		if (!rc) {
			url_origin(&u, url);
			buf_adds(url, *u.path ? u.path : "/");
		}
		url_clear(&u);
	} else if (sts_is_region(region)) {
		buf_addf(url, "https://sts.%s.amazonaws.com%s/", region,
			 text_starts_with(region, "cn-") ? ".cn" : "");
	} else {
		buf_adds(url, "https://sts.amazonaws.com/");
	}
	buf_adds(signing_region,
		 sts_is_region(region) ? region : GLOBAL_REGION);
	return rc;
}

static void sts_add(struct buf *body, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	if (body->len)
		buf_addc(body, '&');
	buf_addf(body, "%s=", name);
	text_percent_encode(body, value, strlen(value), false);
}

static int sts_init(struct sts *s, struct cred_ask *ask, const char *action,
		    const struct cred_role *role)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const char *session = role->session_name;
	int rc;

	*s = (struct sts){
		.url = BUF_INIT(BUF_URL),
		.region = BUF_INIT(64),
		.body = BUF_INIT(8 * BUF_LINE),
	};
	if (!ask->far)
		return cred_ask_fail(ask, -EINVAL,
				     PROVIDER
				     " needs a network, and there is none");
	rc = cred_sts_server(ask->region, &s->url, &s->region, &why);
	if (rc)
		cred_ask_fail(ask, rc, "the endpoint of " PROVIDER ": %s",
			      buf_str(&why));
	else
		rc = url_parse(buf_str(&s->url), NULL, &s->server, &why);
	sts_add(&s->body, "Action", action);
	sts_add(&s->body, "Version", "2011-06-15");
	sts_add(&s->body, "RoleArn", role->arn);
	sts_add(&s->body, "RoleSessionName", session ? session : "stagefs");
	sts_add(&s->body, "ExternalId", role->external_id);
	sts_add(&s->body, "DurationSeconds", role->duration_s);
	return rc;
}

static void sts_clear(struct sts *s)
{
	buf_clear(&s->url);
	buf_clear(&s->region);
	buf_wipe(&s->body);
	url_clear(&s->server);
}

static int sts_sign(const void *arg, struct http_wire *wire)
{
	const struct sts *s = arg;
	BUF_LOCAL host = BUF_INIT(512), authorization = BUF_INIT(BUF_LINE);
	char date[TIME_AMZ_SIZE];
	int64_t now = clock_now_s();
	const struct field headers[] = {
		{ "content-type", FORM },
		{ "x-amz-date", date },
		{ "x-amz-security-token", s->by->session_token },
	};
	const struct sigv4_scope scope = {
		s->by->access_key_id,
		s->by->session_token,
		buf_str(&s->region),
		SERVICE,
		now,
	};
	const struct sigv4_request request = {
		.method = "POST",
		.host = (url_authority(&s->server, &host), buf_str(&host)),
		.path = s->server.path,
		.headers = headers,
		.n_headers = s->by->session_token ? 3 : 2,
		.payload_hash = s->body_hash,
	};
	struct sigv4_key key;
	int rc;

	clock_amz(now, date);
	sigv4_derive(&key, s->by->secret_access_key, now, scope.region,
		     scope.service);
	rc = sigv4_authorize(&key, &scope, &request, &authorization);
	wipe(&key, sizeof(key));
	if (!rc)
		rc = http_wire_header(wire, "Authorization",
				      buf_str(&authorization));
	if (!rc)
		rc = http_wire_header(wire, "X-Amz-Date", date);
	if (!rc && s->by->session_token)
		rc = http_wire_header(wire, "X-Amz-Security-Token",
				      s->by->session_token);
	return rc;
}

/* ---- what it answers ---- */

/* Where an element's text goes, by its own and its parent's name, so that it
 * makes no difference which action was asked; NULL: nowhere. */
static char **sts_doc_place(struct cred_sts_doc *d, const char *path)
{
	const struct {
		const char *path;
		char **to;
	} leaves[] = {
		{ "/Credentials/AccessKeyId", &d->fields.id },
		{ "/Credentials/SecretAccessKey", &d->fields.secret },
		{ "/Credentials/SessionToken", &d->fields.token },
		{ "/Credentials/Expiration", &d->fields.end },
		{ "/Error/Code", &d->code },
		{ "/Error/Message", &d->message },
	};

	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
		if (text_ends_with(path, leaves[i].path) ||
		    !strcmp(path, leaves[i].path + 1))
			return leaves[i].to;
	return NULL;
}

static int sts_doc_take(void *arg, const char *path, const char *text, size_t n)
{
	char **to = sts_doc_place(arg, path);

	if (!to)
		return 0;
	if (*to)
		return -EBADMSG;
	*to = strndup(text, n);
	return *to ? 0 : -ENOMEM;
}

int cred_sts_doc_parse(const char *body, size_t n, struct cred_sts_doc *out)
{
	const struct xml_walk walk = { .end = sts_doc_take, .arg = out };

	*out = (struct cred_sts_doc){ 0 };
	return xml_parse(body, n, NULL, &walk);
}

void cred_sts_doc_clear(struct cred_sts_doc *d)
{
	cred_fields_clear(&d->fields);
	free(d->code);
	free(d->message);
	*d = (struct cred_sts_doc){ 0 };
}

static int sts_fail(struct cred_ask *ask, long status,
		    const struct cred_sts_doc *doc)
{
	BUF_LOCAL piece = BUF_INIT(MESSAGE_SHOWN);
	bool tells =
		doc->message && doc->code && !strstr(doc->code, "Signature");

	cred_ask_fail(ask, -EACCES, PROVIDER " refuses: ");
	if (doc->code)
		text_printable(&ask->why, doc->code);
	else
		buf_addf(&ask->why, "status %ld", status);
	if (tells) {
		buf_add(&piece, doc->message,
			strnlen(doc->message, MESSAGE_SHOWN));
		buf_adds(&ask->why, ": ");
		text_one_line(&ask->why, buf_str(&piece));
	}
	if (ask->skew_s > 300 || ask->skew_s < -300)
		buf_addf(&ask->why, " (this machine's clock is %lld s %s)",
			 (long long)(ask->skew_s < 0 ? -ask->skew_s
						     : ask->skew_s),
			 ask->skew_s < 0 ? "behind" : "ahead");
	return -EACCES;
}

static int sts_judge(struct cred_ask *ask, const struct http_reply *reply,
		     const char *source, struct creds **out)
{
	struct cred_sts_doc doc;
	int rc = cred_sts_doc_parse(buf_str(&reply->body), reply->body.len,
				    &doc);

	if (reply->status != 200)
		rc = sts_fail(ask, reply->status, &doc);
	else if (rc)
		cred_ask_fail(ask, rc,
			      PROVIDER " answered something that is no XML");
	else
		rc = cred_fields_make(ask, &doc.fields, CRED_END_ISO, PROVIDER,
				      source, out);
	cred_sts_doc_clear(&doc);
	return rc;
}

static int sts_post(struct cred_ask *ask, struct sts *s, const char *source,
		    struct creds **out)
{
	BUF_LOCAL provider = BUF_INIT(BUF_MESSAGE);
	struct cred_request request = {
		.lane = ask->far,
		.verb = HTTP_POST,
		.url = buf_str(&s->url),
		.headers = { { "Content-Type", FORM },
			     { "Accept", "application/xml" } },
		.body = buf_str(&s->body),
		.deadline_ms = DEADLINE_MS,
		.sign = s->by ? sts_sign : NULL,
		.sign_arg = s,
	};
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = buf_err(&s->body) ? buf_err(&s->body) : buf_err(&s->url);

	if (rc)
		return cred_ask_fail(
			ask, rc, "a request to " PROVIDER " would be too long");
	sha256_hex(s->body.data, s->body.len, s->body_hash);
	buf_addf(&provider, PROVIDER " at %s", s->server.host);
	request.provider = buf_str(&provider);
	rc = cred_ask_http(ask, &request, &reply);
	return rc ? rc : sts_judge(ask, &reply, source, out);
}

int cred_sts_assume(struct cred_ask *ask, const struct cred_role *role,
		    const struct creds *by, struct creds **out)
{
	BUF_LOCAL source = BUF_INIT(BUF_MESSAGE);
	struct sts s;
	int rc = sts_init(&s, ask, "AssumeRole", role);

	s.by = by;
	buf_addf(&source, "role %s, assumed with %s", role->arn, by->source);
	if (!rc)
		rc = sts_post(ask, &s, buf_str(&source), out);
	sts_clear(&s);
	return rc;
}

/* The file's content, which has no white space but at its end. */
static int sts_read_token(struct cred_ask *ask, const char *path,
			  struct buf *out)
{
	int rc = cred_ask_file(path, " \t\r\n", out);

	if (!rc && out->len)
		return 0;
	cred_ask_fail(ask, -EACCES, "the web identity token ");
	text_printable(&ask->why, path);
	return buf_fail(&ask->why, -EACCES, ": %s",
			rc ? strerror(-rc) : "the file is empty");
}

int cred_sts_web_identity(struct cred_ask *ask, const struct cred_role *role,
			  const char *token_file, struct creds **out)
{
	BUF_LOCAL source = BUF_INIT(BUF_MESSAGE);
	BUF_SECRET token = BUF_INIT(2 * BUF_LINE);
	struct sts s;
	int rc = sts_init(&s, ask, "AssumeRoleWithWebIdentity", role);

	buf_addf(&source, "role %s, assumed with a web identity", role->arn);
	if (!rc)
		rc = sts_read_token(ask, token_file, &token);
	if (!rc) {
		sts_add(&s.body, "WebIdentityToken", buf_str(&token));
		rc = sts_post(ask, &s, buf_str(&source), out);
	}
	sts_clear(&s);
	return rc;
}
