/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of a role, from the Security Token Service.
 *
 * Source: AWS Security Token Service API Reference, AssumeRole and
 * AssumeRoleWithWebIdentity. The server is AWS_ENDPOINT_URL_STS,
 * AWS_ENDPOINT_URL, the region's own, or the global one.
 */
#ifndef AUTH_CRED_STS_H
#define AUTH_CRED_STS_H

#include <stddef.h>

#include "auth/cred_fields.h"

struct buf;
struct cred_ask;
struct creds;

/* Which role, and how; NULL where not given. Borrowed. */
struct cred_role {
	const char *arn;
	const char *session_name; /* NULL: stagefs */
	const char *external_id;
	const char *duration_s; /* digits */
};

/* AssumeRole, signed by those credentials. */
int cred_sts_assume(struct cred_ask *ask, const struct cred_role *role,
		    const struct creds *by, struct creds **out);

/* AssumeRoleWithWebIdentity; the token is the file's content, read anew. */
int cred_sts_web_identity(struct cred_ask *ask, const struct cred_role *role,
			  const char *token_file, struct creds **out);

/*
 * Where STS is, and for which region a request to it is signed. region may be
 * NULL, or no name that Amazon has. 0 or -EINVAL with why set.
 */
int cred_sts_server(const char *region, struct buf *url,
		    struct buf *signing_region, struct buf *why);

/* Its answer, good or bad. Owned; NULL where there is none. */
struct cred_sts_doc {
	struct cred_fields fields;
	char *code, *message; /* of an error */
};

/* Pure: 0, -EBADMSG (no XML, or XML that has what is refused) or -ENOMEM. */
int cred_sts_doc_parse(const char *body, size_t n, struct cred_sts_doc *out);
void cred_sts_doc_clear(struct cred_sts_doc *d);

#endif
