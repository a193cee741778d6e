/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: immutable, counted, wiped when the last reference goes.
 */
#ifndef AUTH_CREDS_H
#define AUTH_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/scope.h"

struct creds {
	char *access_key_id;
	char *secret_access_key;
	char *session_token; /* NULL: none */
	int64_t expires_at; /* Unix seconds; 0: never */
	char *source; /* for people: "static", "environment",
				   "profile dev (/root/.aws/credentials)" */
	unsigned refs; /* atomic */
};

/* Copies. One reference. NULL without memory. token may be NULL. */
struct creds *creds_new(const char *key_id, const char *secret,
			const char *token, int64_t expires_at,
			const char *source);
struct creds *creds_ref(struct creds *c);
void creds_unref(struct creds *c); /* NULL is fine */
SCOPE_POINTER(struct creds, creds_unref);
#define CREDS_LOCAL SCOPED(creds_unref) struct creds

/* Not past their end. NULL is dead. */
bool creds_live(const struct creds *c);
/* The same keys, token and end; wherever they came from. NULL is anonymous. */
bool creds_equal(const struct creds *a, const struct creds *b);

#endif
