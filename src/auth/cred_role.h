/*
 * Profiles that name a role: role_arn with source_profile or
 * credential_source.
 */
#ifndef AUTH_CRED_ROLE_H
#define AUTH_CRED_ROLE_H

struct aws_profile;
struct cred_ask;
struct creds;

/* -ENOENT when the profile names none (a web identity's is none). */
int cred_role_read(struct cred_ask *ask, const struct aws_profile *p,
		   struct creds **out);

#endif
