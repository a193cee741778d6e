/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's file is named by the SHA-1 of the session's name, or of the
 * start URL where there is no session. A token that has ended can only be
 * renewed by the person at the browser, so the message says how.
 */
#include "auth/cred_sso.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_fields.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/text.h"
#include "net/url.h"

#define PROVIDER "single sign-on"
#define DEADLINE_MS 20000
#define FILE_MAX 65536

static int sso_ask_person(struct cred_ask *ask, const struct cred_sso *sso,
			  const char *why)
{
	cred_ask_fail(ask, -EACCES, "profile %s: %s: run `aws sso login",
		      sso->profile, why);
	if (strcmp(sso->profile, "default"))
		buf_addf(&ask->why, " --profile %s", sso->profile);
	return buf_fail(&ask->why, -EACCES, "`");
}

static int sso_read_cache(const struct cred_sso *sso, struct buf *out)
{
	const char *key = sso->session ? sso->session : sso->start_url;
	char hex[SHA1_HEX_SIZE], *path = NULL, *dir;
	int rc = -ENOENT;

	sha1_hex(key, strlen(key), hex);
	dir = aws_profile_home(".aws/sso/cache");
	if (dir && asprintf(&path, "%s/%s.json", dir, hex) >= 0) {
		rc = io_read_file(path, out);
		free(path);
	}
	free(dir);
	return rc;
}

/* The token and its end, in out. */
static int sso_find_token(struct cred_ask *ask, const struct cred_sso *sso,
			  struct cred_fields *out)
{
	static const struct cred_json names = { .token = "accessToken",
						.end = "expiresAt" };
	BUF_SECRET text = BUF_INIT(FILE_MAX + 1);
	struct timespec end;
	int rc = sso_read_cache(sso, &text);

	*out = (struct cred_fields){ 0 };
	if (rc)
		rc = sso_ask_person(ask, sso,
				    rc == -ENOENT ? "nobody has signed on"
						  : strerror(-rc));
	else
		rc = cred_fields_json(ask, "the cache of " PROVIDER, &names,
				      &text, out);
	if (!rc &&
	    (!out->token || !out->end || clock_parse_iso8601(out->end, &end) ||
	     text_has_control(out->token)))
		rc = sso_ask_person(ask, sso,
				    "the token in the cache is broken");
	else if (!rc && end.tv_sec <= clock_now_s())
		rc = sso_ask_person(ask, sso, "the session has expired");
	return rc;
}

/* The portal's URL for this role; "" with a message when that is impossible. */
static int sso_url(struct cred_ask *ask, const struct cred_sso *sso,
		   struct buf *out)
{
	const char *given = cred_ask_env("AWS_ENDPOINT_URL_SSO");
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct url url = { 0 };
	int rc = 0;

	if (!given)
		given = cred_ask_env("AWS_ENDPOINT_URL");
	if (given) {
		rc = url_parse(given, "https", &url, &why);
		if (rc)
			cred_ask_fail(ask, rc,
				      "the endpoint of " PROVIDER ": %s",
				      buf_str(&why));
		else
			url_origin(&url, out);
		url_clear(&url);
	} else {
		buf_adds(out, "https://portal.sso.");
		text_percent_encode(out, sso->region, strlen(sso->region),
				    false);
		buf_addf(out, ".amazonaws.com%s",
			 text_starts_with(sso->region, "cn-") ? ".cn" : "");
	}
	buf_adds(out, "/federation/credentials?role_name=");
	text_percent_encode(out, sso->role_name, strlen(sso->role_name), false);
	buf_adds(out, "&account_id=");
	text_percent_encode(out, sso->account_id, strlen(sso->account_id),
			    false);
	return rc ? rc : buf_err(out);
}

static int sso_parse(struct cred_ask *ask, const struct cred_sso *sso,
		     const struct http_reply *reply, struct creds **out)
{
	static const struct cred_json names = {
		.root = "roleCredentials",
		.id = "accessKeyId",
		.secret = "secretAccessKey",
		.token = "sessionToken",
		.end = "expiration",
	};
	BUF_LOCAL source = BUF_INIT(BUF_MESSAGE);
	CRED_FIELDS_LOCAL f = { 0 };
	int rc = cred_fields_json(ask, PROVIDER, &names, &reply->body, &f);

	buf_addf(&source, "profile %s, single sign-on as %s in %s",
		 sso->profile, sso->role_name, sso->account_id);
	return rc ? rc
		  : cred_fields_make(ask, &f, CRED_END_MS, PROVIDER,
				     buf_str(&source), out);
}

static int sso_ask_portal(struct cred_ask *ask, const struct cred_sso *sso,
			  const char *url, const char *token,
			  struct creds **out)
{
	const struct cred_request request = {
		.provider = PROVIDER,
		.lane = ask->far,
		.verb = HTTP_GET,
		.url = url,
		.headers = { { "x-amz-sso_bearer_token", token },
			     { "Accept", "application/json" } },
		.deadline_ms = DEADLINE_MS,
	};
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = cred_ask_http(ask, &request, &reply);

	if (rc)
		; /* said already */
	else if (reply.status == 401)
		rc = sso_ask_person(ask, sso, "the session has ended");
	else if (reply.status == 403 || reply.status == 404)
		rc = cred_ask_fail(ask, -EACCES,
				   PROVIDER " refuses role %s in account %s",
				   sso->role_name, sso->account_id);
	else if (reply.status != 200)
		rc = cred_ask_fail(ask, -EACCES,
				   PROVIDER " answered with status %ld",
				   reply.status);
	else
		rc = sso_parse(ask, sso, &reply, out);
	return rc;
}

int cred_sso_read(struct cred_ask *ask, const struct cred_sso *sso,
		  struct creds **out)
{
	BUF_LOCAL url = BUF_INIT(BUF_URL);
	CRED_FIELDS_LOCAL token = { 0 };
	int rc = sso_url(ask, sso, &url);

	if (!rc && !ask->far)
		rc = cred_ask_fail(ask, -EINVAL,
				   PROVIDER
				   " needs a network, and there is none");
	if (!rc)
		rc = sso_find_token(ask, sso, &token);
	return rc ? rc
		  : sso_ask_portal(ask, sso, buf_str(&url), token.token, out);
}
