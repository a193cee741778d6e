/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider of credentials under test: what surrounds it (environment, files,
 * the stand-in server) as a row of a table, and what is to come of it.
 */
#ifndef TESTS_LIB_CRED_RIG_H
#define TESTS_LIB_CRED_RIG_H

#include <stddef.h>

#include "auth/cred_cache.h"
#include "net/http_engine.h"
#include "standin.h"

/* In every string PORT stands for the server's port. */
struct cred_row {
	const char *sentence;
	struct cred_settings settings; /* the rig adds the engine */
	const char *env[12]; /* name, value, name ... */
	const char *credentials, *config; /* the files */
	const char *sso_name, *sso; /* a file of ~/.aws/sso/cache */
	const char *auth; /* JSON for /_auth */
	const char *match, *action; /* a fault */
	int rc;
	const char *id; /* the key id begins so */
	const char *source; /* is in creds->source */
	const char *why; /* is in the message */
	long requests; /* that the server must have seen, less 1; 0: any */
	long most_ms; /* that it may take; 0: any */
};

/* One more than the number, so that a row can say "none". */
#define SAW(n) ((n) + 1)

/* What is a secret somewhere in the tests, and in no message. */
#define RIG_SECRETS \
	"secret/+", "token==", "web-token-", "sso-token-", "sesame", "box-token"

extern struct standin cred_server;
extern struct http_engine *cred_engine;

/* For the group and for each test of it. */
int cred_rig_start(void **state);
int cred_rig_stop(void **state);

/* Sets everything up for the row; the caller frees the cache. */
struct cred_cache *cred_rig_open(const struct cred_row *row);
void cred_rig_set(const char *const *env);
/* Text with PORT replaced; borrowed until the 16th next call. */
const char *cred_rig_text(const char *s);

void cred_rig_run(const struct cred_row *rows, size_t n);

#endif
