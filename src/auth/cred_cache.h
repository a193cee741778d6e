/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a store's credentials come from, and the ones in use.
 *
 * Credentials are fetched by a thread that lives as long as the fetch; there
 * is one at a time, however many callers want it. Live credentials are used
 * meanwhile:
 *
 *   they live                       handed out at once
 *   their last 15 minutes           the same, and a fetch begins
 *   their last 10 minutes,          a get waits up to 5 s for the fetch, then
 *   or the files have changed       uses the old ones
 *   they are dead, or there are     a get waits for the fetch, which has a
 *   none yet                        bound of its own
 *
 * (a life below an hour: its last quarter, its last sixth). A fetch that fails
 * is tried again after 1 s, 2 s, 4 s ... a minute, with jitter; until then a
 * caller that has no live credentials gets the failure. Providers that read
 * files only have no such pause.
 *
 * cred_cache_get() may block, cred_cache_peek() never does. Any thread.
 */
#ifndef AUTH_CRED_CACHE_H
#define AUTH_CRED_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/cred_chain.h"
#include "auth/creds.h"

struct buf;
struct http_engine;

/* Strings are copied; NULL where not given. */
struct cred_settings {
	const char *credentials; /* cred_chain_parse(); NULL: auto */
	const char *access_key_id, *secret_access_key, *session_token;
	/* What these were read by, for ini_expand(); NULL: they are for
	 * good. */
	const char *access_key_id_from, *secret_access_key_from;
	const char *session_token_from;
	/* A role to assume with these, or with those of the order. */
	const char *role_arn, *external_id;
	const char *region; /* for STS */
	const char *proxy; /* to STS and single sign-on, as http_engine.h */
	struct http_engine *engine; /* NULL: no network; outlives the cache */
};

struct cred_cache;

/* Reads nothing yet. NULL without memory, or with an order that is none. */
struct cred_cache *cred_cache_new(const struct cred_settings *s);
/* Ends a fetch that is under way. No thread may be in a get. */
void cred_cache_free(struct cred_cache *c);

/*
 * Credentials that are good now, read or refreshed if need be. 0 with a
 * reference in *out (NULL in it when anonymous), or -errno with why set
 * (which may be NULL): -ENOENT (no provider has any), -EINVAL (a key id
 * without secret, a profile that is half of something ...), -EACCES (a file is
 * unreadable, a provider refuses, the credentials have expired), -EINTR, and
 * those of the network.
 */
int cred_cache_get(struct cred_cache *c, struct creds **out, struct buf *why);

/*
 * The same for what wants to live until then (Unix seconds): credentials that
 * end sooner are fetched anew when others would live notably longer.
 */
int cred_cache_get_until(struct cred_cache *c, int64_t until_s,
			 struct creds **out, struct buf *why);

/* The ones in use, perhaps stale, without blocking: 0, or -EAGAIN when none. */
int cred_cache_peek(struct cred_cache *c, struct creds **out);

/*
 * A store refused these as expired or unknown. True when trying again makes
 * sense: the next get/peek answers others, because they were fetched anew or
 * another thread did that already. Blocks as get does. sure: it said so; else
 * it only refused, and what costs a program or a network is not asked again.
 *
 * Files and references are read once a second at most upon refusals.
 */
bool cred_cache_refused(struct cred_cache *c, const struct creds *refused,
			bool sure);

/*
 * The same without blocking: true when get/peek answer others, or are about to
 * once a fetch has ended that is under way now.
 */
bool cred_cache_renew(struct cred_cache *c, const struct creds *refused,
		      bool sure);

#endif
