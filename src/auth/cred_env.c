/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment does not change under a daemon, so this is read once and
 * again only when the credentials have expired. An empty variable counts as
 * one that is not set: a shell cannot say it otherwise in `AWS_X= command`.
 */
#include "auth/cred_env.h"

#include <errno.h>
#include <time.h>

#include "auth/creds.h"
#include "base/clock.h"
#include "base/text.h"

#define ID "AWS_ACCESS_KEY_ID"
#define SECRET "AWS_SECRET_ACCESS_KEY"
#define TOKEN "AWS_SESSION_TOKEN"
#define OLD_TOKEN "AWS_SECURITY_TOKEN"
#define EXPIRATION "AWS_CREDENTIAL_EXPIRATION"

static int env_fail(struct cred_ask *ask, const char *name, const char *why)
{
	return cred_ask_fail(ask, -EINVAL, "%s in the environment: %s", name,
			     why);
}

static int env_end(struct cred_ask *ask, int64_t *expires_at)
{
	const char *value = cred_ask_env(EXPIRATION);
	struct timespec end;

	*expires_at = 0;
	if (!value)
		return 0;
	if (clock_parse_iso8601(value, &end))
		return env_fail(ask, EXPIRATION,
				"not a time such as 2030-01-31T12:00:00Z");
	*expires_at = end.tv_sec;
	return 0;
}

int cred_env_read(struct cred_ask *ask, struct creds **out)
{
	const char *id = cred_ask_env(ID), *secret = cred_ask_env(SECRET);
	const char *token = cred_ask_env(TOKEN);
	int64_t expires_at;
	int rc;

	if (!token)
		token = cred_ask_env(OLD_TOKEN);
	if (!id && !secret)
		return cred_ask_fail(ask, -ENOENT,
				     ID " is not in the environment");
	if (!id)
		return env_fail(ask, ID, "missing, but " SECRET " is set");
	if (!secret)
		return env_fail(ask, SECRET, "missing, but " ID " is set");
	if (text_has_control(id))
		return env_fail(ask, ID, "has a control byte in it");
	if (token && text_has_control(token))
		return env_fail(ask, TOKEN, "has a control byte in it");
	rc = env_end(ask, &expires_at);
	if (rc)
		return rc;
	*out = creds_new(id, secret, token, expires_at, "environment");
	return *out ? 0 : -ENOMEM;
}
