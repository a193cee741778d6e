/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the container that we run in (ECS, EKS Pod Identity).
 *
 * Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
 * AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI says where;
 * AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, which is read each time, or
 * AWS_CONTAINER_AUTHORIZATION_TOKEN what to send along.
 */
#ifndef AUTH_CRED_CONTAINER_H
#define AUTH_CRED_CONTAINER_H

#include "auth/cred_ask.h"

cred_provider cred_container_read;

/*
 * The URL to ask. relative or full may be NULL; relative goes first. 0,
 * -ENOENT when neither is given, -EINVAL with why set: a token is sent
 * over plain HTTP to this machine and to the addresses that containers have
 * for it only.
 */
int cred_container_url(const char *relative, const char *full, struct buf *out,
		       struct buf *why);

#endif
