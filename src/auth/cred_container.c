/*
 * Where the token may go is decided by the host's text alone, before anything
 * is resolved: a loopback address, `localhost`, or the three addresses that
 * ECS and EKS have for it. Anything else needs TLS.
 */
#include "auth/cred_container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "auth/cred_ask.h"
#include "auth/cred_fields.h"
#include "auth/cred_http.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"
#include "net/url.h"

#define HOST "http://169.254.170.2"
#define WHO "the container endpoint"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define DEADLINE_MS 6000 /* three attempts of two seconds */

static bool is_near(const char *host)
{
	static const char *const known[] = { "localhost", "169.254.170.2",
					     "169.254.170.23", "[fd00:ec2::23]",
					     "[::1]" };
	struct in_addr a;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(host, known[i]))
			return true;
	return inet_pton(AF_INET, host, &a) == 1 &&
	       ntohl(a.s_addr) >> 24 == 127;
}

/* Text that may stand in a URL as it is. */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '#')
			return false;
	return true;
}

static int check_full(const char *full, struct buf *err)
{
	struct buf server = BUF_INIT(2048);
	struct url url = { 0 };
	int rc;

	buf_add(&server, full, strcspn(full, "?"));
	rc = buf_err(&server) ? -EINVAL
			      : url_parse(buf_str(&server), NULL, &url, err);
	if (!rc && strcmp(url.scheme, "https") &&
	    (strcmp(url.scheme, "http") || !is_near(url.host))) {
		buf_adds(err, "over plain HTTP only this machine and the "
			      "addresses of ECS and EKS are asked");
		rc = -EINVAL;
	}
	url_clear(&url);
	buf_clear(&server);
	return rc;
}

int cred_container_url(const char *relative, const char *full, struct buf *out,
		       struct buf *err)
{
	int rc = 0;

	if (!relative && !full)
		return -ENOENT;
	if (!is_plain(relative ? relative : full)) {
		buf_adds(err, "not a URL");
		rc = -EINVAL;
	} else if (!relative) {
		rc = check_full(full, err);
	} else if (*relative != '/') {
		buf_adds(err, "it begins with `/`");
		rc = -EINVAL;
	} else {
		buf_adds(out, HOST);
	}
	if (!rc)
		buf_adds(out, relative ? relative : full);
	return rc ? rc : buf_err(out);
}

/* The file without the line end at its end. */
static int read_token(struct cred_ask *ask, const char *path, struct buf *out)
{
	int rc = io_read_file(path, out);

	if (rc) {
		cred_ask_fail(ask, rc, TOKEN_FILE ": ");
		text_printable(&ask->err, path);
		buf_addf(&ask->err, ": %s", strerror(-rc));
		return -EACCES;
	}
	while (out->len && (out->data[out->len - 1] == '\n' ||
			    out->data[out->len - 1] == '\r'))
		buf_truncate(out, out->len - 1);
	return 0;
}

static int find_token(struct cred_ask *ask, struct buf *out)
{
	const char *path = cred_ask_env(TOKEN_FILE),
		   *token = cred_ask_env(TOKEN);
	int rc = 0;

	if (path)
		rc = read_token(ask, path, out);
	else if (token)
		buf_adds(out, token);
	if (!rc && (text_has_control(buf_str(out)) ||
		    strlen(buf_str(out)) != out->len))
		rc = cred_ask_fail(ask, -EINVAL, "%s has control bytes in it",
				   path ? TOKEN_FILE : TOKEN);
	return rc ? rc : buf_err(out);
}

static int parse(struct cred_ask *ask, const struct http_reply *reply,
		 struct creds **out)
{
	static const char *const names[] = { "AccessKeyId", "SecretAccessKey",
					     "Token", "Expiration" };
	struct cred_fields f = { 0 };
	char *values[4] = { 0 };
	int rc = cred_fields_json(ask, WHO, buf_str(&reply->body),
				  reply->body.len, NULL, names, values, 4);

	f = (struct cred_fields){ values[0], values[1], values[2], values[3] };
	if (!rc)
		rc = cred_fields_make(ask, &f, CRED_END_ISO, WHO,
				      "container endpoint", out);
	cred_fields_clear(&f);
	return rc;
}

static int ask_endpoint(struct cred_ask *ask, const char *url,
			const char *token, struct creds **out)
{
	struct cred_request request = {
		.lane = ask->near,
		.verb = HTTP_GET,
		.url = url,
		.headers = { { "Accept", "application/json" },
			     { *token ? "Authorization" : NULL, token } },
		.deadline_ms = DEADLINE_MS,
	};
	struct http_reply reply;
	int rc = cred_ask_http(ask, &request, &reply);

	if (rc)
		cred_ask_fail(ask, rc, WHO " does not answer: %s",
			      reply.why ? reply.why : strerror(-rc));
	else if (reply.status != 200)
		rc = cred_ask_fail(ask, -EACCES,
				   WHO " answered with status %ld",
				   reply.status);
	else
		rc = parse(ask, &reply, out);
	cred_ask_http_clear(&reply);
	/* It was asked for: whoever is next must not step in. */
	return rc == -ENOENT ? -EACCES : rc;
}

int cred_container_read(struct cred_ask *ask, struct creds **out)
{
	const char *relative =
		cred_ask_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = cred_ask_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf url = BUF_INIT(BUF_URL), token = BUF_INIT(2 * BUF_LINE);
	struct buf why = BUF_INIT(BUF_MESSAGE);
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
				   WHO
				   " needs a network, and there is none here");
	if (!rc)
		rc = find_token(ask, &token);
	if (!rc)
		rc = ask_endpoint(ask, buf_str(&url), buf_str(&token), out);
	buf_clear(&url);
	buf_wipe(&token);
	buf_clear(&why);
	return rc;
}
