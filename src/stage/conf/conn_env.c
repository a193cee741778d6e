/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the environment adds to settings. A stage with keys of its own takes
 * nothing from a profile: the profile's region and endpoint belong to the
 * profile's keys.
 */
#include "stage/conf/conn.h"

#include <stdlib.h>

#include "auth/aws_profile.h"
#include "auth/cred_chain.h"
#include "base/buf.h"
#include "base/text.h"

/* Sets what is not given, where there is a value. */
static int env_fill(struct conn *c, const char *key, const char *given,
		    const char *value)
{
	return text_given(given) || !text_given(value)
		       ? 0
		       : conn_set(c, key, value);
}

static int env_fill_endpoint(struct conn *c, const char *value)
{
	return env_fill(c, "endpoint_url", c->s3.endpoint_url, value);
}

static int env_fill_region(struct conn *c, const char *value)
{
	return env_fill(c, "region", c->s3.region, value);
}

static int env_fill_from_profile(struct conn *c, const char *name)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct aws_profile profile;
	int rc = 0;

	/* A profile that cannot be read is the credentials' error to tell. */
	if (!aws_profile_read(name, &profile, &why)) {
		rc = env_fill_region(c, profile.values[AWS_KEY_REGION]);
		if (!rc)
			rc = env_fill_endpoint(
				c, profile.values[AWS_KEY_ENDPOINT]);
	}
	aws_profile_clear(&profile);
	return rc;
}

/* Is the profile that is in use asked for anything? */
static bool env_uses_profile(const struct cred_order *order)
{
	for (unsigned i = 0; i < order->n; i++) {
		switch (order->choices[i]) {
		case CRED_AUTO:
		case CRED_PROFILE:
		case CRED_PROCESS:
		case CRED_WEB_IDENTITY:
		case CRED_SSO:
			return true;
		default:
			break;
		}
	}
	return false;
}

int conn_env_complete(struct conn *c)
{
	const char *text = text_given(c->creds.credentials);
	struct cred_order order;
	int rc;

	if (conn_is_local(c))
		return 0;
	rc = env_fill_endpoint(c, getenv("AWS_ENDPOINT_URL_S3"));
	if (!rc)
		rc = env_fill_endpoint(c, getenv("AWS_ENDPOINT_URL"));
	if (!rc)
		rc = env_fill_region(c, getenv("AWS_REGION"));
	if (!rc)
		rc = env_fill_region(c, getenv("AWS_DEFAULT_REGION"));
	if (rc || text_given(c->creds.access_key_id))
		return rc;
	/* What is no order is conn_check()'s to tell. */
	if (cred_chain_parse(text ? text : "auto", &order) ||
	    !env_uses_profile(&order))
		return 0;
	return env_fill_from_profile(c, *order.profile ? order.profile : NULL);
}
