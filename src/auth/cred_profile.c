/*
 * A profile that is half of something is an error and not "none": the next
 * step would sign as somebody else than `aws` does.
 */
#include "auth/cred_profile.h"

#include <errno.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_process.h"
#include "auth/cred_sso.h"
#include "auth/cred_sts.h"
#include "auth/creds.h"
#include "base/log.h"

static int missing(struct cred_ask *ask, const struct aws_profile *p,
		   enum aws_key key, enum aws_key beside)
{
	return cred_ask_fail(ask, -EINVAL,
			     "profile %s: %s is missing beside %s", p->name,
			     aws_profile_key(key), aws_profile_key(beside));
}

int cred_profile_web_identity(struct cred_ask *ask, const struct aws_profile *p,
			      int env, struct creds **out)
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
		v[i] = env ? cred_ask_env(sources[i].variable) : NULL;
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
static int add_session(struct cred_ask *ask, const struct aws_profile *p,
		       struct aws_profile *session, struct cred_sso *sso)
{
	const char *url, *region;
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = aws_profile_session_read(sso->session, session, &why);

	if (rc)
		cred_ask_fail(ask, rc, "profile %s: %s", p->name,
			      buf_str(&why));
	buf_clear(&why);
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

int cred_profile_sso(struct cred_ask *ask, const struct aws_profile *p,
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
		rc = add_session(ask, p, &session, &sso);
	if (!rc && !sso.account_id)
		rc = missing(ask, p, AWS_KEY_SSO_ACCOUNT, AWS_KEY_SSO_ROLE);
	else if (!rc && !sso.role_name)
		rc = missing(ask, p, AWS_KEY_SSO_ROLE, AWS_KEY_SSO_ACCOUNT);
	else if (!rc && !sso.start_url)
		rc = missing(ask, p, AWS_KEY_SSO_START_URL, AWS_KEY_SSO_ROLE);
	else if (!rc && !sso.region)
		rc = missing(ask, p, AWS_KEY_SSO_REGION, AWS_KEY_SSO_ROLE);
	if (!rc)
		rc = cred_sso_read(ask, &sso, out);
	aws_profile_clear(&session);
	return rc;
}

int cred_profile_login(struct cred_ask *ask, const struct aws_profile *p,
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

int cred_profile_process(struct cred_ask *ask, const struct aws_profile *p,
			 struct creds **out)
{
	const char *command = p->values[AWS_KEY_PROCESS];
	struct buf who = BUF_INIT(BUF_MESSAGE);
	int rc;

	if (!command)
		return -ENOENT;
	buf_addf(&who, "profile %s, credential_process", p->name);
	rc = cred_process_read(ask, command, CRED_PROCESS_TIMEOUT_MS,
			       buf_str(&who), buf_str(&who), out);
	buf_clear(&who);
	return rc;
}

static int read_keys(struct cred_ask *ask, const struct aws_profile *p,
		     enum aws_file which, struct creds **out)
{
	struct buf source = BUF_INIT(BUF_MESSAGE);

	if (!p->file || p->keys_in != which)
		return -ENOENT;
	if (!p->values[AWS_KEY_ID])
		return missing(ask, p, AWS_KEY_ID, AWS_KEY_SECRET);
	if (!p->values[AWS_KEY_SECRET])
		return missing(ask, p, AWS_KEY_SECRET, AWS_KEY_ID);
	if (p->open_to_others)
		log_warn("%s holds a secret and is open to others: chmod 600",
			 p->file);
	buf_addf(&source, "profile %s (%s)", p->name, p->file);
	*out = creds_new(p->values[AWS_KEY_ID], p->values[AWS_KEY_SECRET],
			 p->values[AWS_KEY_TOKEN], 0, buf_str(&source));
	buf_clear(&source);
	return *out ? 0 : -ENOMEM;
}

int cred_profile_shared_keys(struct cred_ask *ask, const struct aws_profile *p,
			     struct creds **out)
{
	return read_keys(ask, p, AWS_CREDENTIALS, out);
}

int cred_profile_config_keys(struct cred_ask *ask, const struct aws_profile *p,
			     struct creds **out)
{
	return read_keys(ask, p, AWS_CONFIG, out);
}
