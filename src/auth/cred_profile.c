/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile that is half of something is an error and not "none": the next
 * step would sign as another user than `aws` does.
 *
 * Roles: the profiles are walked from the one that was asked for towards the
 * one that has keys of its own, each remembered, so that a circle is seen; then
 * the roles are assumed on the way back. A profile that has both keys and a
 * role counts by its keys when it is a source (and may be its own): so the
 * SDKs.
 */
#include "auth/cred_profile.h"

#include <errno.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_container.h"
#include "auth/cred_env.h"
#include "auth/cred_imds.h"
#include "auth/cred_process.h"
#include "auth/cred_sso.h"
#include "auth/cred_sts.h"
#include "auth/creds.h"
#include "base/log.h"
#include "base/text.h"

#define DEPTH_MAX 8
#define DURATION_MIN_S 900
#define DURATION_MAX_S 43200

/* ---- what it holds ---- */

static int profile_missing(struct cred_ask *ask, const struct aws_profile *p,
			   enum aws_key key, enum aws_key beside)
{
	return cred_ask_fail(ask, -EINVAL,
			     "profile %s: %s is missing beside %s", p->name,
			     aws_profile_key(key), aws_profile_key(beside));
}

static int profile_web_identity(struct cred_ask *ask,
				const struct aws_profile *p, struct creds **out)
{
	static const struct {
		const char *variable;
		enum aws_key key;
	} sources[] = {
		{ "AWS_WEB_IDENTITY_TOKEN_FILE", AWS_KEY_TOKEN_FILE },
		{ "AWS_ROLE_ARN", AWS_KEY_ROLE },
		{ "AWS_ROLE_SESSION_NAME", AWS_KEY_SESSION_NAME },
	};
	const char *v[3] = { 0 };
	struct cred_role role = { 0 };

	for (int i = 0; i < 3; i++) {
		v[i] = ask->env ? cred_ask_env(sources[i].variable) : NULL;
		if (!v[i] && p)
			v[i] = p->values[sources[i].key];
	}
	if (!v[0])
		return -ENOENT;
	if (!v[1])
		return cred_ask_fail(ask, -EINVAL,
				     "a web identity token file is given, and "
				     "neither AWS_ROLE_ARN nor role_arn");
	role.arn = v[1];
	role.session_name = v[2];
	return cred_sts_web_identity(ask, &role, v[0], out);
}

/* Fills what the session's section says. */
static int profile_add_session(struct cred_ask *ask,
			       const struct aws_profile *p,
			       struct aws_profile *session,
			       struct cred_sso *sso)
{
	const char *url, *region;
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = aws_profile_session_read(sso->session, session, &why);

	if (rc)
		cred_ask_fail(ask, rc, "profile %s: %s", p->name,
			      buf_str(&why));
	if (rc)
		return rc == -ENOENT ? -EINVAL : rc;
	url = session->values[AWS_KEY_SSO_START_URL];
	region = session->values[AWS_KEY_SSO_REGION];
	if ((url && sso->start_url && strcmp(url, sso->start_url)) ||
	    (region && sso->region && strcmp(region, sso->region)))
		return cred_ask_fail(ask, -EINVAL,
				     "profile %s and sso-session %s disagree",
				     p->name, sso->session);
	sso->start_url = url;
	sso->region = region;
	return 0;
}

static int profile_sso(struct cred_ask *ask, const struct aws_profile *p,
		       struct creds **out)
{
	struct aws_profile session = { 0 };
	struct cred_sso sso = {
		.profile = p->name,
		.session = p->values[AWS_KEY_SSO_SESSION],
		.start_url = p->values[AWS_KEY_SSO_START_URL],
		.region = p->values[AWS_KEY_SSO_REGION],
		.account_id = p->values[AWS_KEY_SSO_ACCOUNT],
		.role_name = p->values[AWS_KEY_SSO_ROLE],
	};
	int rc = 0;

	if (!sso.account_id && !sso.role_name)
		return -ENOENT;
	if (sso.session)
		rc = profile_add_session(ask, p, &session, &sso);
	if (!rc && !sso.account_id)
		rc = profile_missing(ask, p, AWS_KEY_SSO_ACCOUNT,
				     AWS_KEY_SSO_ROLE);
	else if (!rc && !sso.role_name)
		rc = profile_missing(ask, p, AWS_KEY_SSO_ROLE,
				     AWS_KEY_SSO_ACCOUNT);
	else if (!rc && !sso.start_url)
		rc = profile_missing(ask, p, AWS_KEY_SSO_START_URL,
				     AWS_KEY_SSO_ROLE);
	else if (!rc && !sso.region)
		rc = profile_missing(ask, p, AWS_KEY_SSO_REGION,
				     AWS_KEY_SSO_ROLE);
	if (!rc)
		rc = cred_sso_read(ask, &sso, out);
	aws_profile_clear(&session);
	return rc;
}

static int profile_login(struct cred_ask *ask, const struct aws_profile *p,
			 struct creds **out)
{
	if (!p->values[AWS_KEY_LOGIN])
		return -ENOENT;
	return cred_ask_fail(ask, -EINVAL,
			     "profile %s: login_session is not supported: use "
			     "`credential_process = aws configure "
			     "export-credentials` with it",
			     p->name);
}

static int profile_process(struct cred_ask *ask, const struct aws_profile *p,
			   struct creds **out)
{
	const char *command = p->values[AWS_KEY_PROCESS];
	BUF_LOCAL provider = BUF_INIT(BUF_MESSAGE);

	if (!command)
		return -ENOENT;
	buf_addf(&provider, "profile %s, credential_process", p->name);
	return cred_process_read(ask, command, CRED_PROCESS_TIMEOUT_MS,
				 buf_str(&provider), buf_str(&provider), out);
}

static int profile_keys(struct cred_ask *ask, const struct aws_profile *p,
			enum aws_file which, struct creds **out)
{
	BUF_LOCAL source = BUF_INIT(BUF_MESSAGE);

	if (!p->file || p->keys_in != which)
		return -ENOENT;
	if (!p->values[AWS_KEY_ID])
		return profile_missing(ask, p, AWS_KEY_ID, AWS_KEY_SECRET);
	if (!p->values[AWS_KEY_SECRET])
		return profile_missing(ask, p, AWS_KEY_SECRET, AWS_KEY_ID);
	if (p->open_to_others)
		log_warn("%s holds a secret and is open to others: chmod 600",
			 p->file);
	buf_addf(&source, "profile %s (%s)", p->name, p->file);
	*out = creds_new(p->values[AWS_KEY_ID], p->values[AWS_KEY_SECRET],
			 p->values[AWS_KEY_TOKEN], 0, buf_str(&source));
	return *out ? 0 : -ENOMEM;
}

static int profile_shared_keys(struct cred_ask *ask,
			       const struct aws_profile *p, struct creds **out)
{
	return profile_keys(ask, p, AWS_CREDENTIALS, out);
}

static int profile_config_keys(struct cred_ask *ask,
			       const struct aws_profile *p, struct creds **out)
{
	return profile_keys(ask, p, AWS_CONFIG, out);
}

/* ---- a role ---- */

/* One step of the walk; on the stack, innermost last. */
struct role_step {
	const struct aws_profile *p;
	const struct role_step *before;
	unsigned depth;
};

static int profile_role_assume(struct cred_ask *ask,
			       const struct role_step *step,
			       struct creds **out);

static int profile_role_fail(struct cred_ask *ask, const struct aws_profile *p,
			     enum aws_key key, const char *why)
{
	cred_ask_fail(ask, -EINVAL, "profile %s: %s = ", p->name,
		      aws_profile_key(key));
	text_printable(&ask->why, p->values[key]);
	return buf_fail(&ask->why, -EINVAL, ": %s", why);
}

static int profile_role_from_source(struct cred_ask *ask,
				    const struct aws_profile *p,
				    struct creds **out)
{
	static const struct {
		const char *name;
		cred_provider *read;
	} sources[] = {
		{ "Environment", cred_env_read },
		{ "Ec2InstanceMetadata", cred_imds_read },
		{ "EcsContainer", cred_container_read },
	};
	const char *name = p->values[AWS_KEY_SOURCE];
	int rc;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		if (strcmp(name, sources[i].name))
			continue;
		rc = sources[i].read(ask, out);
		return rc == -ENOENT ? profile_role_fail(ask, p, AWS_KEY_SOURCE,
							 "there are none")
				     : rc;
	}
	return profile_role_fail(
		ask, p, AWS_KEY_SOURCE,
		"Environment, Ec2InstanceMetadata or EcsContainer");
}

static bool profile_role_has_keys(const struct aws_profile *p)
{
	return p->values[AWS_KEY_ID] && p->values[AWS_KEY_SECRET];
}

static bool profile_role_is_named(const struct aws_profile *p)
{
	return p->values[AWS_KEY_ROLE] && !p->values[AWS_KEY_TOKEN_FILE];
}

/* What a source profile has, its role and the environment apart. */
static int profile_role_keys_of(struct cred_ask *ask,
				const struct aws_profile *p, struct creds **out)
{
	bool env = ask->env;
	int rc;

	ask->env = false;
	rc = cred_profile_read(ask, p, CRED_PROFILE_ALL & ~CRED_PROFILE_ROLE,
			       out);
	ask->env = env;
	if (rc == -ENOENT)
		rc = cred_ask_fail(ask, -EINVAL,
				   "profile %s, a source_profile, has no "
				   "credentials",
				   p->name);
	return rc;
}

static int profile_role_check_circle(struct cred_ask *ask,
				     const struct role_step *step,
				     const char *name)
{
	for (const struct role_step *s = step; s; s = s->before)
		if (!strcmp(s->p->name, name))
			return profile_role_fail(
				ask, step->p, AWS_KEY_SOURCE_PROFILE,
				"the profiles go round in a circle");
	if (step->depth >= DEPTH_MAX)
		return profile_role_fail(ask, step->p, AWS_KEY_SOURCE_PROFILE,
					 "too many roles, one behind another");
	return 0;
}

static int profile_role_from_profile(struct cred_ask *ask,
				     const struct role_step *step,
				     struct creds **out)
{
	const char *name = step->p->values[AWS_KEY_SOURCE_PROFILE];
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct aws_profile source;
	struct role_step next = { &source, step, step->depth + 1 };
	int rc = aws_profile_read(name, &source, &why);

	if (rc == -ENOENT)
		rc = profile_role_fail(ask, step->p, AWS_KEY_SOURCE_PROFILE,
				       buf_str(&why));
	else if (rc)
		cred_ask_fail(ask, rc, "%s", buf_str(&why));
	else if (profile_role_has_keys(&source) ||
		 !profile_role_is_named(&source))
		rc = profile_role_keys_of(ask, &source, out);
	else
		rc = profile_role_check_circle(ask, step, name);
	if (!rc && !*out)
		rc = profile_role_assume(ask, &next, out);
	aws_profile_clear(&source);
	return rc;
}

static int profile_role_check(struct cred_ask *ask, const struct aws_profile *p)
{
	const char *duration = p->values[AWS_KEY_DURATION];
	uint64_t s;

	if (p->values[AWS_KEY_MFA])
		return profile_role_fail(
			ask, p, AWS_KEY_MFA,
			"a mount has nobody to ask for a code: give it "
			"a profile without, or `credential_process`");
	if (duration &&
	    (parse_u64(duration, DURATION_MAX_S, &s) || s < DURATION_MIN_S))
		return profile_role_fail(ask, p, AWS_KEY_DURATION,
					 "900 to 43200");
	if (p->values[AWS_KEY_SOURCE_PROFILE] && p->values[AWS_KEY_SOURCE])
		return profile_role_fail(ask, p, AWS_KEY_SOURCE,
					 "there is a source_profile too");
	if (p->values[AWS_KEY_SOURCE_PROFILE] || p->values[AWS_KEY_SOURCE])
		return 0;
	return cred_ask_fail(ask, -EINVAL,
			     "profile %s: role_arn without source_profile or "
			     "credential_source",
			     p->name);
}

static int profile_role_assume(struct cred_ask *ask,
			       const struct role_step *step, struct creds **out)
{
	const struct aws_profile *p = step->p;
	const struct cred_role role = {
		.arn = p->values[AWS_KEY_ROLE],
		.session_name = p->values[AWS_KEY_SESSION_NAME],
		.external_id = p->values[AWS_KEY_EXTERNAL_ID],
		.duration_s = p->values[AWS_KEY_DURATION],
	};
	CREDS_LOCAL *by = NULL;
	int rc = profile_role_check(ask, p);

	if (!rc && p->values[AWS_KEY_SOURCE])
		rc = profile_role_from_source(ask, p, &by);
	else if (!rc)
		rc = profile_role_from_profile(ask, step, &by);
	return rc ? rc : cred_sts_assume(ask, &role, by, out);
}

static int profile_role(struct cred_ask *ask, const struct aws_profile *p,
			struct creds **out)
{
	const struct role_step first = { p, NULL, 1 };

	*out = NULL;
	return profile_role_is_named(p) ? profile_role_assume(ask, &first, out)
					: -ENOENT;
}

/* ---- the order ---- */

int cred_profile_read(struct cred_ask *ask, const struct aws_profile *p,
		      unsigned kinds, struct creds **out)
{
	static const struct {
		enum cred_profile_kind kind;
		int (*read)(struct cred_ask *ask, const struct aws_profile *p,
			    struct creds **out);
	} steps[] = {
		{ CRED_PROFILE_ROLE, profile_role },
		{ CRED_PROFILE_WEB_IDENTITY, profile_web_identity },
		{ CRED_PROFILE_SSO, profile_sso },
		{ CRED_PROFILE_OTHER, profile_shared_keys },
		{ CRED_PROFILE_OTHER, profile_login },
		{ CRED_PROFILE_PROCESS, profile_process },
		{ CRED_PROFILE_OTHER, profile_config_keys },
	};
	int rc = -ENOENT;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (rc != -ENOENT || !(steps[i].kind & kinds) ||
		    (!p && steps[i].kind != CRED_PROFILE_WEB_IDENTITY))
			continue;
		rc = steps[i].read(ask, p, out);
	}
	return rc;
}
