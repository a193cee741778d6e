/*
 * The environment does not change under a daemon, so this is read once and
 * again only when the credentials have expired. An empty variable counts as
 * one that is not set: a shell cannot say it otherwise in `AWS_X= command`.
 */
#include "auth/cred_env.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "auth/cred_ask.h"
#include "auth/creds.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define ID "AWS_ACCESS_KEY_ID"
#define SECRET "AWS_SECRET_ACCESS_KEY"
#define TOKEN "AWS_SESSION_TOKEN"
#define OLD_TOKEN "AWS_SECURITY_TOKEN"
#define EXPIRATION "AWS_CREDENTIAL_EXPIRATION"

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int complain(struct buf *err, const char *name, const char *why)
{
	if (err)
		buf_addf(err, "%s in the environment: %s", name, why);
	return -EINVAL;
}

static int read_end(int64_t *expires_at, struct buf *err)
{
	const char *value = variable(EXPIRATION);
	struct timespec end;

	*expires_at = 0;
	if (!value)
		return 0;
	if (time_parse_iso8601(value, &end))
		return complain(err, EXPIRATION,
				"not a time such as 2030-01-31T12:00:00Z");
	*expires_at = end.tv_sec;
	return 0;
}

int cred_env_read(struct creds **out, struct buf *err)
{
	const char *id = variable(ID), *secret = variable(SECRET);
	const char *token = variable(TOKEN);
	int64_t expires_at;
	int rc;

	if (!token)
		token = variable(OLD_TOKEN);
	if (!id && !secret) {
		if (err)
			buf_adds(err, ID " is not in the environment");
		return -ENOENT;
	}
	if (!id)
		return complain(err, ID, "missing, but " SECRET " is set");
	if (!secret)
		return complain(err, SECRET, "missing, but " ID " is set");
	if (text_has_control(id))
		return complain(err, ID, "has a control byte in it");
	if (token && text_has_control(token))
		return complain(err, TOKEN, "has a control byte in it");
	rc = read_end(&expires_at, err);
	if (rc)
		return rc;
	*out = creds_new(id, secret, token, expires_at, "environment");
	return *out ? 0 : -ENOMEM;
}

int cred_env_ask(struct cred_ask *ask, struct creds **out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = cred_env_read(out, &why);

	if (rc)
		cred_ask_fail(ask, rc, "%s", buf_str(&why));
	buf_clear(&why);
	return rc;
}
