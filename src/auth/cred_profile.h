/*
 * Credentials of a profile, by what it holds: keys, a role, a web identity,
 * single sign-on, a program. Each function is one step of the SDKs' order:
 * -ENOENT when the profile has nothing of that kind.
 */
#ifndef AUTH_CRED_PROFILE_H
#define AUTH_CRED_PROFILE_H

struct aws_profile;
struct cred_ask;
struct creds;

typedef int cred_profile_step(struct cred_ask *ask, const struct aws_profile *p,
			      struct creds **out);

cred_profile_step cred_profile_sso; /* sso_account_id and sso_role_name */
cred_profile_step cred_profile_shared_keys; /* those of ~/.aws/credentials */
cred_profile_step cred_profile_login; /* login_session: refused */
cred_profile_step cred_profile_process; /* credential_process */
cred_profile_step cred_profile_config_keys; /* those of ~/.aws/config */
/*
 * role_arn with web_identity_token_file. AWS_ROLE_ARN,
 * AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_SESSION_NAME overrule the profile's
 * when `env` says so; p may be NULL then.
 */
int cred_profile_web_identity(struct cred_ask *ask, const struct aws_profile *p,
			      int env, struct creds **out);

#endif
