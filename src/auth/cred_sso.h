/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials by single sign-on (IAM Identity Center): `aws sso login` leaves
 * a token in ~/.aws/sso/cache, which is read and never written here.
 *
 * Source: AWS SDKs and Tools Reference Guide, "IAM Identity Center credential
 * provider"; the service's GetRoleCredentials.
 */
#ifndef AUTH_CRED_SSO_H
#define AUTH_CRED_SSO_H

struct cred_ask;
struct creds;

/* Of a profile; all but session are needed. Borrowed. */
struct cred_sso {
	const char *profile; /* for messages */
	const char *session; /* sso_session; NULL: the older form */
	const char *start_url, *region, *account_id, *role_name;
};

int cred_sso_read(struct cred_ask *ask, const struct cred_sso *sso,
		  struct creds **out);

#endif
