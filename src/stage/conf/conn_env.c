/*
 * What the environment adds to settings. A stage with keys of its own takes
 * nothing from a profile: the profile's region and endpoint belong to the
 * profile's keys.
 */
#include "base/text.h"
#include "stage/conf/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_chain.h"
#include "base/buf.h"

static int fill(char **field, const char *value)
{
	char *copy;

	if (text_given(*field) || !text_given(value))
		return 0;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int fill_from_env(char **field, const char *first, const char *second)
{
	int rc = fill(field, getenv(first));

	return rc ? rc : fill(field, getenv(second));
}

static int fill_from_profile(struct conn *c, const char *name)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct aws_profile profile;
	int rc = 0;

	/* A profile that cannot be read is the credentials' error to tell. */
	if (!aws_profile_read(name, &profile, &why)) {
		rc = fill(&c->region, profile.values[AWS_KEY_REGION]);
		if (!rc)
			rc = fill(&c->endpoint_url,
				  profile.values[AWS_KEY_ENDPOINT]);
	}
	aws_profile_clear(&profile);
	buf_clear(&why);
	return rc;
}

/* Is the profile that is in use asked for anything? */
static bool uses_profile(const struct cred_order *order)
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
	const char *text = text_given(c->credentials);
	struct cred_order order;
	int rc;

	if (conn_is_local(c))
		return 0;
	rc = fill_from_env(&c->endpoint_url, "AWS_ENDPOINT_URL_S3",
			   "AWS_ENDPOINT_URL");
	if (!rc)
		rc = fill_from_env(&c->region, "AWS_REGION",
				   "AWS_DEFAULT_REGION");
	if (rc || text_given(c->access_key_id))
		return rc;
	/* What is no order is conn_check()'s to tell. */
	if (cred_chain_parse(text ? text : "auto", &order) ||
	    !uses_profile(&order))
		return 0;
	return fill_from_profile(c, *order.profile ? order.profile : NULL);
}
