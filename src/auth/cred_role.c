/*
 * The profiles are walked from the one that was asked for towards the one that
 * has keys of its own, each remembered, so that a circle is seen; then the
 * roles are assumed on the way back. A profile that has both keys and a role
 * counts by its keys when it is a source (and may be its own): so the SDKs.
 */
#include "auth/cred_role.h"

#include <errno.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_container.h"
#include "auth/cred_env.h"
#include "auth/cred_imds.h"
#include "auth/cred_profile.h"
#include "auth/cred_sts.h"
#include "auth/creds.h"
#include "base/text.h"

#define DEPTH_MAX 8
#define DURATION_MIN_S 900
#define DURATION_MAX_S 43200

/* One step of the walk; on the stack, innermost last. */
struct step {
	const struct aws_profile *p;
	const struct step *before;
	unsigned depth;
};

static int assume(struct cred_ask *ask, const struct step *step,
		  struct creds **out);

static int fail_key(struct cred_ask *ask, const struct aws_profile *p,
		    enum aws_key key, const char *why)
{
	cred_ask_fail(ask, -EINVAL, "profile %s: %s = ", p->name,
		      aws_profile_key(key));
	text_printable(&ask->err, p->values[key]);
	buf_addf(&ask->err, ": %s", why);
	return -EINVAL;
}

static int from_source(struct cred_ask *ask, const struct aws_profile *p,
		       struct creds **out)
{
	static const struct {
		const char *name;
		int (*read)(struct cred_ask *, struct creds **);
	} sources[] = {
		{ "Environment", cred_env_ask },
		{ "Ec2InstanceMetadata", cred_imds_read },
		{ "EcsContainer", cred_container_read },
	};
	const char *name = p->values[AWS_KEY_SOURCE];
	int rc;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		if (strcmp(name, sources[i].name))
			continue;
		rc = sources[i].read(ask, out);
		return rc == -ENOENT ? fail_key(ask, p, AWS_KEY_SOURCE,
						"there are none")
				     : rc;
	}
	return fail_key(ask, p, AWS_KEY_SOURCE,
			"Environment, Ec2InstanceMetadata or EcsContainer");
}

static bool has_keys(const struct aws_profile *p)
{
	return p->values[AWS_KEY_ID] && p->values[AWS_KEY_SECRET];
}

static bool has_role(const struct aws_profile *p)
{
	return p->values[AWS_KEY_ROLE] && !p->values[AWS_KEY_TOKEN_FILE];
}

/* What a source profile has, its role apart. */
static int from_profile(struct cred_ask *ask, const struct aws_profile *p,
			struct creds **out)
{
	static cred_profile_step *const steps[] = {
		cred_profile_sso,         cred_profile_shared_keys,
		cred_profile_login,       cred_profile_process,
		cred_profile_config_keys,
	};
	int rc = cred_profile_web_identity(ask, p, 0, out);

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && rc == -ENOENT;
	     i++)
		rc = steps[i](ask, p, out);
	if (rc == -ENOENT)
		rc = cred_ask_fail(ask, -EINVAL,
				   "profile %s, a source_profile, has no "
				   "credentials",
				   p->name);
	return rc;
}

static int check_circle(struct cred_ask *ask, const struct step *step,
			const char *name)
{
	for (const struct step *s = step; s; s = s->before)
		if (!strcmp(s->p->name, name))
			return fail_key(ask, step->p, AWS_KEY_SOURCE_PROFILE,
					"the profiles go round in a circle");
	if (step->depth >= DEPTH_MAX)
		return fail_key(ask, step->p, AWS_KEY_SOURCE_PROFILE,
				"too many roles, one behind another");
	return 0;
}

static int from_source_profile(struct cred_ask *ask, const struct step *step,
			       struct creds **out)
{
	const char *name = step->p->values[AWS_KEY_SOURCE_PROFILE];
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct aws_profile source;
	struct step next = { &source, step, step->depth + 1 };
	int rc = aws_profile_read(name, &source, &why);

	if (rc == -ENOENT)
		rc = fail_key(ask, step->p, AWS_KEY_SOURCE_PROFILE,
			      buf_str(&why));
	else if (rc)
		cred_ask_fail(ask, rc, "%s", buf_str(&why));
	else if (has_keys(&source) || !has_role(&source))
		rc = from_profile(ask, &source, out);
	else
		rc = check_circle(ask, step, name);
	if (!rc && !*out)
		rc = assume(ask, &next, out);
	aws_profile_clear(&source);
	buf_clear(&why);
	return rc;
}

static int check(struct cred_ask *ask, const struct aws_profile *p)
{
	const char *duration = p->values[AWS_KEY_DURATION];
	uint64_t s;

	if (p->values[AWS_KEY_MFA])
		return fail_key(ask, p, AWS_KEY_MFA,
				"a mount has nobody to ask for a code: give it "
				"a profile without, or `credential_process`");
	if (duration &&
	    (parse_u64(duration, DURATION_MAX_S, &s) || s < DURATION_MIN_S))
		return fail_key(ask, p, AWS_KEY_DURATION, "900 to 43200");
	if (p->values[AWS_KEY_SOURCE_PROFILE] && p->values[AWS_KEY_SOURCE])
		return fail_key(ask, p, AWS_KEY_SOURCE,
				"there is a source_profile too");
	if (p->values[AWS_KEY_SOURCE_PROFILE] || p->values[AWS_KEY_SOURCE])
		return 0;
	return cred_ask_fail(ask, -EINVAL,
			     "profile %s: role_arn without source_profile or "
			     "credential_source",
			     p->name);
}

static int assume(struct cred_ask *ask, const struct step *step,
		  struct creds **out)
{
	const struct aws_profile *p = step->p;
	const struct cred_role role = {
		.arn = p->values[AWS_KEY_ROLE],
		.session_name = p->values[AWS_KEY_SESSION_NAME],
		.external_id = p->values[AWS_KEY_EXTERNAL_ID],
		.duration_s = p->values[AWS_KEY_DURATION],
	};
	struct creds *by = NULL;
	int rc = check(ask, p);

	if (!rc && p->values[AWS_KEY_SOURCE])
		rc = from_source(ask, p, &by);
	else if (!rc)
		rc = from_source_profile(ask, step, &by);
	if (!rc)
		rc = cred_sts_assume(ask, &role, by, out);
	creds_unref(by);
	return rc;
}

int cred_role_read(struct cred_ask *ask, const struct aws_profile *p,
		   struct creds **out)
{
	const struct step first = { p, NULL, 1 };

	*out = NULL;
	return has_role(p) ? assume(ask, &first, out) : -ENOENT;
}
