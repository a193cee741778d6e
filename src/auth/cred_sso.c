/*
 * The token's file is named by the SHA-1 of the session's name, or of the
 * start URL where there is no session. A token that has ended can only be
 * renewed by the person at the browser, so the message says how.
 */
#include "auth/cred_sso.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/aws_files.h"
#include "auth/cred_ask.h"
#include "auth/cred_fields.h"
#include "auth/cred_http.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/text.h"
#include "net/url.h"

#define WHO "single sign-on"
#define DEADLINE_MS 20000
#define FILE_MAX 65536

static int ask_person(struct cred_ask *ask, const struct cred_sso *sso,
		      const char *why)
{
	cred_ask_fail(ask, -EACCES, "profile %s: %s: run `aws sso login",
		      sso->profile, why);
	if (strcmp(sso->profile, "default"))
		buf_addf(&ask->err, " --profile %s", sso->profile);
	buf_adds(&ask->err, "`");
	return -EACCES;
}

static int read_cache(const struct cred_sso *sso, struct buf *out)
{
	const char *key = sso->session ? sso->session : sso->start_url;
	char hex[SHA1_HEX_SIZE], *path = NULL, *dir;
	int rc;

	sha1_hex(key, strlen(key), hex);
	dir = aws_profile_home(".aws/sso/cache");
	if (!dir || asprintf(&path, "%s/%s.json", dir, hex) < 0)
		path = NULL;
	free(dir);
	rc = path ? io_read_file(path, out) : -ENOENT;
	free(path);
	return rc;
}

static int find_token(struct cred_ask *ask, const struct cred_sso *sso,
		      char **token)
{
	static const char *const names[] = { "accessToken", "expiresAt" };
	struct buf text = BUF_INIT(FILE_MAX + 1);
	char *values[2] = { 0 };
	struct timespec end;
	int rc = read_cache(sso, &text);

	*token = NULL;
	if (rc)
		rc = ask_person(ask, sso,
				rc == -ENOENT ? "nobody has signed on"
					      : strerror(-rc));
	else
		rc = cred_fields_json(ask, "the cache of " WHO, buf_str(&text),
				      text.len, NULL, names, values, 2);
	if (!rc &&
	    (!values[0] || !values[1] || time_parse_iso8601(values[1], &end) ||
	     text_has_control(values[0])))
		rc = ask_person(ask, sso, "the token in the cache is broken");
	else if (!rc && end.tv_sec <= clock_now_s())
		rc = ask_person(ask, sso, "the session has expired");
	if (rc)
		cred_wipe_free(values[0]);
	else
		*token = values[0];
	free(values[1]);
	buf_wipe(&text);
	return rc;
}

/* The portal's URL for this role; "" with a message when that is impossible. */
static int make_url(struct cred_ask *ask, const struct cred_sso *sso,
		    struct buf *out)
{
	const char *given = cred_ask_env("AWS_ENDPOINT_URL_SSO");
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct url url = { 0 };
	int rc = 0;

	if (!given)
		given = cred_ask_env("AWS_ENDPOINT_URL");
	if (given) {
		rc = url_parse(given, "https", &url, &why);
		if (rc)
			cred_ask_fail(ask, rc, "the endpoint of " WHO ": %s",
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
	buf_clear(&why);
	return rc ? rc : buf_err(out);
}

static int parse(struct cred_ask *ask, const struct cred_sso *sso,
		 const struct http_reply *reply, struct creds **out)
{
	static const char *const names[] = { "accessKeyId", "secretAccessKey",
					     "sessionToken", "expiration" };
	struct buf source = BUF_INIT(BUF_MESSAGE);
	char *values[4] = { 0 };
	struct cred_fields f;
	int rc = cred_fields_json(ask, WHO, buf_str(&reply->body),
				  reply->body.len, "roleCredentials", names,
				  values, 4);

	f = (struct cred_fields){ values[0], values[1], values[2], values[3] };
	buf_addf(&source, "profile %s, single sign-on as %s in %s",
		 sso->profile, sso->role_name, sso->account_id);
	if (!rc)
		rc = cred_fields_make(ask, &f, CRED_END_MS, WHO,
				      buf_str(&source), out);
	cred_fields_clear(&f);
	buf_clear(&source);
	return rc;
}

static int ask_portal(struct cred_ask *ask, const struct cred_sso *sso,
		      const char *url, const char *token, struct creds **out)
{
	const struct cred_request request = {
		.lane = ask->far,
		.verb = HTTP_GET,
		.url = url,
		.headers = { { "x-amz-sso_bearer_token", token },
			     { "Accept", "application/json" } },
		.deadline_ms = DEADLINE_MS,
	};
	struct http_reply reply;
	int rc = cred_ask_http(ask, &request, &reply);

	if (rc)
		cred_ask_fail(ask, rc, WHO " does not answer: %s",
			      reply.why ? reply.why : strerror(-rc));
	else if (reply.status == 401)
		rc = ask_person(ask, sso, "the session has ended");
	else if (reply.status == 403 || reply.status == 404)
		rc = cred_ask_fail(ask, -EACCES,
				   WHO " refuses role %s in account %s",
				   sso->role_name, sso->account_id);
	else if (reply.status != 200)
		rc = cred_ask_fail(ask, -EACCES,
				   WHO " answered with status %ld",
				   reply.status);
	else
		rc = parse(ask, sso, &reply, out);
	cred_ask_http_clear(&reply);
	return rc;
}

int cred_sso_read(struct cred_ask *ask, const struct cred_sso *sso,
		  struct creds **out)
{
	struct buf url = BUF_INIT(BUF_URL);
	char *token = NULL;
	int rc = make_url(ask, sso, &url);

	if (!rc && !ask->far)
		rc = cred_ask_fail(ask, -EINVAL,
				   WHO " needs a network, and there is none");
	if (!rc)
		rc = find_token(ask, sso, &token);
	if (!rc)
		rc = ask_portal(ask, sso, buf_str(&url), token, out);
	cred_wipe_free(token);
	buf_clear(&url);
	return rc;
}
