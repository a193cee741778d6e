/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of a profile, by what it holds, in the SDKs' order.
 */
#ifndef AUTH_CRED_PROFILE_H
#define AUTH_CRED_PROFILE_H

struct aws_profile;
struct cred_ask;
struct creds;

/* What a profile may hold, as bits. */
enum cred_profile_kind {
	CRED_PROFILE_ROLE = 1, /* role_arn, and where its own keys come from */
	/* role_arn with web_identity_token_file. AWS_ROLE_ARN,
	 * AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_SESSION_NAME overrule the
	 * profile's where ask->env says so. */
	CRED_PROFILE_WEB_IDENTITY = 2,
	CRED_PROFILE_SSO = 4, /* sso_account_id and sso_role_name */
	CRED_PROFILE_PROCESS = 8, /* credential_process */
	CRED_PROFILE_OTHER = 16, /* keys of its own, in either file */
	CRED_PROFILE_ALL = 31,
};

/*
 * The first of those kinds that the profile has; p NULL: there is no profile,
 * and the environment may still name a web identity. -ENOENT when there is
 * nothing of those kinds.
 */
int cred_profile_read(struct cred_ask *ask, const struct aws_profile *p,
		      unsigned kinds, struct creds **out);

#endif
