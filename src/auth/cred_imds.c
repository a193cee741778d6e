/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three requests of a second each: a token, the role's name, its keys. Most
 * machines are no EC2 instance, so silence means "not here" and no more. An
 * old service without tokens answers the first with 403, 404 or 405, and is
 * then asked without one, unless that is forbidden.
 */
#include "auth/cred_imds.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "auth/cred_fields.h"
#include "base/text.h"
#include "net/url.h"

#define PROVIDER "the instance metadata service"
#define ENDPOINT "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TOKEN_TTL_S "21600"
#define TIMEOUT_MS 1000
#define ROLE_MAX 64 /* as IAM has it */
#define TOKEN_MAX 1024

struct imds {
	struct cred_ask *ask;
	struct buf base; /* http://HOST */
	struct buf token; /* empty: version 1 */
};

static int imds_base(struct imds *m)
{
	const char *given = cred_ask_env(ENDPOINT);
	const char *mode = cred_ask_env(ENDPOINT "_MODE");
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	URL_LOCAL url = { 0 };
	int rc;

	if (!given)
		given = mode && !strcasecmp(mode, "ipv6")
				? "http://[fd00:ec2::254]"
				: "http://169.254.169.254";
	rc = url_parse(given, "http", &url, &why);
	if (rc) {
		cred_ask_fail(m->ask, rc, ENDPOINT ": %s", buf_str(&why));
	} else {
		size_t n = strlen(url.path);

		while (n && url.path[n - 1] == '/')
			n--;
		url_origin(&url, &m->base);
		buf_add(&m->base, url.path, n);
	}
	return rc ? rc : buf_err(&m->base);
}

static int imds_request(struct imds *m, enum http_verb verb, const char *path,
			const char *last, struct http_reply *reply)
{
	BUF_LOCAL url = BUF_INIT(BUF_URL);
	struct cred_request r = {
		.lane = m->ask->near,
		.verb = verb,
		.deadline_ms = TIMEOUT_MS,
		.once = true,
	};
	int rc;

	buf_addf(&url, "%s%s%s", buf_str(&m->base), path, last);
	r.url = buf_str(&url);
	if (verb == HTTP_PUT)
		r.headers[0] =
			(struct field){ "x-aws-ec2-metadata-token-ttl-seconds",
					TOKEN_TTL_S };
	else if (m->token.len)
		r.headers[0] = (struct field){ "x-aws-ec2-metadata-token",
					       buf_str(&m->token) };
	rc = cred_ask_http(m->ask, &r, reply);
	if (rc && rc != -EINTR && rc != -ENOMEM)
		rc = cred_ask_fail(m->ask, -ENOENT,
				   PROVIDER " does not answer at %s",
				   buf_str(&m->base));
	return rc;
}

static int imds_token(struct imds *m)
{
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = imds_request(m, HTTP_PUT, "/latest/api/token", "", &reply);
	const char *text = buf_str(&reply.body);
	bool old = reply.status == 403 || reply.status == 404 ||
		   reply.status == 405;

	if (rc) {
		; /* said already */
	} else if (old && cred_ask_env_yes("AWS_EC2_METADATA_V1_DISABLED")) {
		rc = cred_ask_fail(m->ask, -ENOENT,
				   PROVIDER
				   " gives no token (status %ld), and "
				   "AWS_EC2_METADATA_V1_DISABLED is set",
				   reply.status);
	} else if (reply.status == 200) {
		if (reply.body.len <= TOKEN_MAX &&
		    text_is_word(text, reply.body.len, "-_=+/.~"))
			buf_add(&m->token, text, reply.body.len);
		else
			rc = cred_ask_fail(m->ask, -EBADMSG,
					   PROVIDER
					   " answered a token that is none");
	} else if (!old) {
		rc = cred_ask_fail(m->ask, -EACCES,
				   PROVIDER " refuses a token: status %ld",
				   reply.status);
	}
	return rc;
}

/* Which role is attached; its name is the first line. */
static int imds_role(struct imds *m, struct buf *role)
{
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = imds_request(m, HTTP_GET, ROLES, "", &reply);
	const char *text = buf_str(&reply.body);
	size_t n = strcspn(text, "\r\n");

	if (rc)
		;
	else if (reply.status == 404 || (reply.status == 200 && !n))
		rc = cred_ask_fail(m->ask, -ENOENT,
				   "no role is attached to this instance");
	else if (reply.status != 200)
		rc = cred_ask_fail(m->ask, -EACCES,
				   PROVIDER
				   " does not name the role: status %ld",
				   reply.status);
	else if (n > ROLE_MAX || !text_is_word(text, n, "+=,.@_-"))
		rc = cred_ask_fail(m->ask, -EBADMSG,
				   PROVIDER
				   " answered a role's name that is none");
	else
		buf_add(role, text, n);
	return rc;
}

static int imds_parse(struct imds *m, const struct http_reply *reply,
		      const char *role, struct creds **out)
{
	static const struct cred_json names = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "Token",
		.end = "Expiration",
		.extra = "Code",
	};
	BUF_LOCAL source = BUF_INIT(BUF_MESSAGE);
	CRED_FIELDS_LOCAL f = { 0 };
	int rc = cred_fields_json(m->ask, PROVIDER, &names, &reply->body, &f);

	buf_addf(&source, "instance role %s", role);
	if (!rc && f.extra && strcmp(f.extra, "Success")) {
		rc = cred_ask_fail(m->ask, -EACCES,
				   PROVIDER " has no keys for role %s: ", role);
		text_printable(&m->ask->why, f.extra);
	}
	return rc ? rc
		  : cred_fields_make(m->ask, &f, CRED_END_ISO, PROVIDER,
				     buf_str(&source), out);
}

static int imds_keys(struct imds *m, const char *role, struct creds **out)
{
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = imds_request(m, HTTP_GET, ROLES, role, &reply);

	if (!rc && reply.status != 200)
		rc = cred_ask_fail(m->ask, -EACCES,
				   PROVIDER
				   " has no keys for role %s: status %ld",
				   role, reply.status);
	else if (!rc)
		rc = imds_parse(m, &reply, role, out);
	return rc;
}

int cred_imds_read(struct cred_ask *ask, struct creds **out)
{
	struct imds m = {
		.ask = ask,
		.base = BUF_INIT(BUF_URL),
		.token = BUF_INIT(TOKEN_MAX),
	};
	BUF_LOCAL role = BUF_INIT(ROLE_MAX);
	int rc;

	if (cred_ask_env_yes("AWS_EC2_METADATA_DISABLED"))
		return cred_ask_fail(ask, -ENOENT,
				     "AWS_EC2_METADATA_DISABLED is set");
	if (!ask->near)
		return cred_ask_fail(
			ask, -ENOENT,
			"there is no network for instance metadata");
	rc = imds_base(&m);
	if (!rc)
		rc = imds_token(&m);
	if (!rc)
		rc = imds_role(&m, &role);
	if (!rc)
		rc = imds_keys(&m, buf_str(&role), out);
	buf_clear(&m.base);
	buf_wipe(&m.token);
	return rc;
}
