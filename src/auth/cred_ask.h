/*
 * What every provider of credentials is handed: ways to the network, and a
 * place for the reason of a failure.
 *
 * A provider answers 0 with credentials that live; -ENOENT: it is not set up
 * here, the next one may be asked; or another -errno, which ends the search:
 * it is set up, and wrong. Providers block, and never hold a lock. An
 * interrupt of the calling thread (base/wait.h) ends them early with -EINTR.
 */
#ifndef AUTH_CRED_ASK_H
#define AUTH_CRED_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http_lane;

struct cred_ask {
	struct http_lane *far; /* STS, single sign-on; NULL: no network here */
	struct http_lane *near; /* containers, instance metadata: no proxy */
	const char *region; /* the stage's; NULL: not known */
	/* Out: */
	bool costly; /* a program ran, or a network was asked */
	int64_t skew_s; /* how far our clock is ahead of the last answer's */
	struct buf err; /* why; providers put their reasons one after another */
};

/* Adds a reason, behind a `; ` when there is one already. Returns rc. */
int cred_ask_fail(struct cred_ask *ask, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A variable of the environment; NULL when it is not set, or empty. */
const char *cred_ask_env(const char *name);
/* True when it is set to a word that means yes. */
bool cred_ask_env_yes(const char *name);

#endif
