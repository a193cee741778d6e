/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the token may go is decided by the host's text alone, before anything
 * is resolved: a loopback address, `localhost`, or the three addresses that
 * ECS and EKS have for it. Anything else needs TLS.
 */
#include "auth/cred_container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "auth/cred_fields.h"
#include "base/buf.h"
#include "base/text.h"
#include "net/url.h"

#define HOST "http://169.254.170.2"
#define PROVIDER "the container endpoint"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define DEADLINE_MS 6000 /* three attempts of two seconds */

static bool container_is_near(const char *host)
{
	static const char *const hosts[] = { "localhost", "169.254.170.2",
					     "169.254.170.23", "[fd00:ec2::23]",
					     "[::1]" };
	struct in_addr a;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		if (!strcmp(host, hosts[i]))
			return true;
	return inet_pton(AF_INET, host, &a) == 1 &&
	       ntohl(a.s_addr) >> 24 == 127;
}

/* Text that may stand in a URL as it is. */
static bool container_is_plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '#')
			return false;
	return true;
}

static int container_check_full(const char *full, struct buf *why)
{
	BUF_LOCAL server = BUF_INIT(2048);
	URL_LOCAL url = { 0 };
	int rc;

	buf_add(&server, full, strcspn(full, "?"));
	rc = buf_err(&server) ? -EINVAL
			      : url_parse(buf_str(&server), NULL, &url, why);
	if (!rc && strcmp(url.scheme, "https") &&
	    (strcmp(url.scheme, "http") || !container_is_near(url.host)))
		rc = buf_fail(why, -EINVAL,
			      "over plain HTTP only this machine and the "
			      "addresses of ECS and EKS are asked");
	return rc;
}

int cred_container_url(const char *relative, const char *full, struct buf *out,
		       struct buf *why)
{
	int rc = 0;

	if (!relative && !full)
		return -ENOENT;
	if (!container_is_plain(relative ? relative : full))
		rc = buf_fail(why, -EINVAL, "not a URL");
	else if (!relative)
		rc = container_check_full(full, why);
	else if (*relative != '/')
		rc = buf_fail(why, -EINVAL, "it begins with `/`");
	else
		buf_adds(out, HOST);
	if (!rc)
		buf_adds(out, relative ? relative : full);
	return rc ? rc : buf_err(out);
}

static int container_token(struct cred_ask *ask, struct buf *out)
{
	const char *path = cred_ask_env(TOKEN_FILE),
		   *token = cred_ask_env(TOKEN);
	int rc = 0;

	if (path)
		rc = cred_ask_file(path, "\r\n", out);
	if (rc) {
		cred_ask_fail(ask, rc, TOKEN_FILE ": ");
		text_printable(&ask->why, path);
		return buf_fail(&ask->why, -EACCES, ": %s", strerror(-rc));
	}
	if (!path && token)
		buf_adds(out, token);
	if (!rc && (text_has_control(buf_str(out)) ||
		    strlen(buf_str(out)) != out->len))
		rc = cred_ask_fail(ask, -EINVAL, "%s has control bytes in it",
				   path ? TOKEN_FILE : TOKEN);
	return rc ? rc : buf_err(out);
}

static int container_parse(struct cred_ask *ask, const struct http_reply *reply,
			   struct creds **out)
{
	static const struct cred_json names = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "Token",
		.end = "Expiration",
	};
	CRED_FIELDS_LOCAL f = { 0 };
	int rc = cred_fields_json(ask, PROVIDER, &names, &reply->body, &f);

	if (!rc)
		rc = cred_fields_make(ask, &f, CRED_END_ISO, PROVIDER,
				      "container endpoint", out);
	return rc;
}

static int container_ask(struct cred_ask *ask, const char *url,
			 const char *token, struct creds **out)
{
	const struct cred_request request = {
		.provider = PROVIDER,
		.lane = ask->near,
		.verb = HTTP_GET,
		.url = url,
		.headers = { { "Accept", "application/json" },
			     { *token ? "Authorization" : NULL, token } },
		.deadline_ms = DEADLINE_MS,
	};
	CRED_REPLY_LOCAL reply = { 0 };
	int rc = cred_ask_http(ask, &request, &reply);

	if (!rc && reply.status != 200)
		rc = cred_ask_fail(ask, -EACCES,
				   PROVIDER " answered with status %ld",
				   reply.status);
	else if (!rc)
		rc = container_parse(ask, &reply, out);
	/* It was configured: the next provider must not step in. */
	return rc == -ENOENT ? -EACCES : rc;
}

int cred_container_read(struct cred_ask *ask, struct creds **out)
{
	const char *relative =
		cred_ask_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = cred_ask_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	BUF_LOCAL url = BUF_INIT(BUF_URL);
	BUF_SECRET token = BUF_INIT(2 * BUF_LINE);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = cred_container_url(relative, full, &url, &why);

	if (rc == -ENOENT)
		cred_ask_fail(
			ask, rc,
			"there is no container endpoint in the environment");
	else if (rc == -EINVAL)
		cred_ask_fail(ask, rc, "AWS_CONTAINER_CREDENTIALS_%s_URI: %s",
			      relative ? "RELATIVE" : "FULL", buf_str(&why));
	else if (!rc && !ask->near)
		rc = cred_ask_fail(ask, -EINVAL,
				   PROVIDER
				   " needs a network, and there is none here");
	if (!rc)
		rc = container_token(ask, &token);
	return rc ? rc
		  : container_ask(ask, buf_str(&url), buf_str(&token), out);
}
