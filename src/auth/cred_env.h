/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN (AWS_SECURITY_TOKEN), AWS_CREDENTIAL_EXPIRATION.
 */
#ifndef AUTH_CRED_ENV_H
#define AUTH_CRED_ENV_H

#include "auth/cred_ask.h"

/* -ENOENT (not there), -EINVAL (half there: an error, not "next"). */
cred_provider cred_env_read;

#endif
