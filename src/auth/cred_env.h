/*
 * Credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN (AWS_SECURITY_TOKEN), AWS_CREDENTIAL_EXPIRATION.
 */
#ifndef AUTH_CRED_ENV_H
#define AUTH_CRED_ENV_H

struct buf;
struct cred_ask;
struct creds;

/* 0, -ENOENT (not there), -EINVAL (half there: an error, not "next"). */
int cred_env_read(struct creds **out, struct buf *err);
/* The same as a provider. */
int cred_env_ask(struct cred_ask *ask, struct creds **out);

#endif
