/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role of the settings is assumed last, with whatever the keys given or the
 * providers had. Two lanes lead out: one over the stage's proxy to services of
 * Amazon, one without to what is on this machine or beside it, and each of
 * those gives up soon.
 */
#include "auth/cred_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_cache.h"
#include "auth/cred_sts.h"
#include "auth/creds.h"
#include "base/clock.h"
#include "base/ini.h"
#include "base/text.h"
#include "net/http_engine.h"

static int plan_copy(char **out, const char *s)
{
	*out = text_given(s) ? strdup(s) : NULL;
	return text_given(s) && !*out ? -ENOMEM : 0;
}

static int plan_open_lanes(struct cred_plan *plan,
			   const struct cred_settings *s)
{
	const struct http_lane_settings far = {
		.connections = 2,
		.connect_timeout_s = 5,
		.idle_timeout_s = 10,
		.deadline_s = 20,
		.proxy = s->proxy,
		.ca_file = cred_ask_env("AWS_CA_BUNDLE"),
	};
	const struct http_lane_settings near = {
		.proxy = HTTP_NO_PROXY,
		.connections = 2,
		.connect_timeout_s = 1,
		.idle_timeout_s = 2,
		.deadline_s = 6,
		.ca_file = cred_ask_env("AWS_CA_BUNDLE"),
	};

	if (!s->engine)
		return 0;
	plan->far = http_lane_new(s->engine, &far);
	plan->near = http_lane_new(s->engine, &near);
	return plan->far && plan->near ? 0 : -ENOMEM;
}

#define SOURCE "static"

/* Takes the keys of the settings. */
static int plan_take_keys(struct cred_plan *plan, const struct cred_settings *s)
{
	enum cred_choice *choice = &plan->order.choices[0];
	bool id = text_given(s->access_key_id);
	bool secret = text_given(s->secret_access_key);
	bool token = text_given(s->session_token);

	if (*choice == CRED_AUTO && (id || secret || token))
		*choice = CRED_STATIC;
	if (*choice != CRED_STATIC)
		return 0;
	plan->half_given = !id || !secret;
	if (plan->half_given)
		return 0;
	plan->given = creds_new(s->access_key_id, s->secret_access_key,
				token ? s->session_token : NULL, 0, SOURCE);
	if (!plan->given || plan_copy(&plan->id_from, s->access_key_id_from) ||
	    plan_copy(&plan->secret_from, s->secret_access_key_from) ||
	    plan_copy(&plan->token_from, s->session_token_from))
		return -ENOMEM;
	return 0;
}

int cred_plan_init(struct cred_plan *plan, const struct cred_settings *s)
{
	const char *order = text_given(s->credentials);
	int rc;

	*plan = (struct cred_plan){ 0 };
	rc = cred_chain_parse(order ? order : "auto", &plan->order);
	if (!rc)
		rc = plan_copy(&plan->role_arn, s->role_arn);
	if (!rc)
		rc = plan_copy(&plan->external_id, s->external_id);
	if (!rc)
		rc = plan_copy(&plan->region, s->region);
	if (!rc)
		rc = plan_take_keys(plan, s);
	if (!rc && !cred_plan_anonymous(plan) && !cred_plan_fixed(plan))
		rc = plan_open_lanes(plan, s);
	return rc;
}

void cred_plan_clear(struct cred_plan *plan)
{
	creds_unref(plan->given);
	free(plan->id_from);
	free(plan->secret_from);
	free(plan->token_from);
	free(plan->role_arn);
	free(plan->external_id);
	free(plan->region);
	if (plan->far)
		http_lane_free(plan->far);
	if (plan->near)
		http_lane_free(plan->near);
	*plan = (struct cred_plan){ 0 };
}

bool cred_plan_anonymous(const struct cred_plan *plan)
{
	return plan->order.choices[0] == CRED_ANONYMOUS;
}

bool cred_plan_fixed(const struct cred_plan *plan)
{
	return plan->order.choices[0] == CRED_STATIC && !plan->role_arn;
}

bool cred_plan_rereads(const struct cred_plan *plan)
{
	return plan->id_from || plan->secret_from || plan->token_from;
}

static int plan_reread_one(struct cred_ask *ask, const char *from,
			   const char *given, struct buf *out)
{
	if (from)
		return ini_expand(from, out, &ask->why);
	buf_adds(out, given ? given : "");
	return buf_err(out);
}

/* The given keys, as their references have them now. */
static int plan_reread(const struct cred_plan *plan, struct cred_ask *ask,
		       struct creds **out)
{
	BUF_SECRET id = BUF_INIT(BUF_LINE), secret = BUF_INIT(BUF_LINE);
	BUF_SECRET token = BUF_INIT(BUF_LINE);
	const struct creds *old = plan->given;
	int rc = plan_reread_one(ask, plan->id_from, old->access_key_id, &id);

	if (!rc)
		rc = plan_reread_one(ask, plan->secret_from,
				     old->secret_access_key, &secret);
	if (!rc)
		rc = plan_reread_one(ask, plan->token_from, old->session_token,
				     &token);
	if (!rc && (!id.len || !secret.len))
		rc = cred_ask_fail(ask, -EINVAL,
				   "a key id or its secret is empty now");
	if (!rc) {
		*out = creds_new(buf_str(&id), buf_str(&secret),
				 token.len ? buf_str(&token) : NULL, 0, SOURCE);
		rc = *out ? 0 : -ENOMEM;
	}
	return rc;
}

/* Those that the role is assumed with, or all there is. */
static int plan_fetch_base(const struct cred_plan *plan, struct cred_ask *ask,
			   int64_t *stamp, struct creds **out)
{
	if (plan->half_given)
		return cred_ask_fail(ask, -EINVAL,
				     "a key id and its secret are needed, "
				     "and one of them is missing");
	if (!plan->given)
		return cred_chain_read(ask, &plan->order, stamp, out);
	if (cred_plan_rereads(plan))
		return plan_reread(plan, ask, out);
	*out = creds_ref(plan->given);
	return 0;
}

static int plan_assume(const struct cred_plan *plan, struct cred_ask *ask,
		       struct creds **creds)
{
	const struct cred_role role = {
		.arn = plan->role_arn,
		.external_id = plan->external_id,
	};
	CREDS_LOCAL *by = *creds;

	*creds = NULL;
	return cred_sts_assume(ask, &role, by, creds);
}

void cred_plan_fetch(const struct cred_plan *plan, struct cred_result *out)
{
	struct cred_ask ask = {
		.far = plan->far,
		.near = plan->near,
		.region = plan->region,
		.why = BUF_INIT(BUF_MESSAGE),
	};
	struct creds *c = NULL;

	*out = (struct cred_result){ .why = BUF_INIT(BUF_MESSAGE) };
	out->rc = plan_fetch_base(plan, &ask, &out->stamp, &c);
	if (!out->rc && plan->role_arn)
		out->rc = plan_assume(plan, &ask, &c);
	if (!out->rc && c->expires_at && c->expires_at <= clock_now_s()) {
		out->rc = -EACCES;
		buf_reset(&ask.why);
		buf_addf(&ask.why, "the credentials from %s have expired",
			 c->source);
	}
	if (out->rc) {
		/* What the first providers had to say is part of it. */
		buf_adds(&out->why,
			 ask.why.len ? buf_str(&ask.why) : strerror(-out->rc));
		creds_unref(c);
	} else {
		out->creds = c;
	}
	out->costly = ask.costly;
	buf_clear(&ask.why);
}
