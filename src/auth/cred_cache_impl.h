/*
 * A cache's inside. Only auth/cred_cache.c and auth/cred_flight.c include this.
 */
#ifndef AUTH_CRED_CACHE_IMPL_H
#define AUTH_CRED_CACHE_IMPL_H

#include <pthread.h>

#include "auth/cred_cache.h"
#include "auth/cred_fetch.h"
#include "auth/cred_refresh.h"
#include "base/lock.h"
#include "base/wait.h"

enum flight_state {
	FLIGHT_NONE,
	FLIGHT_UNDER_WAY,
	FLIGHT_CALLED_OFF,
	FLIGHT_LANDED,
};

struct cred_cache_locked {
	struct creds *creds; /* in use; NULL: none were read yet */
	int64_t obtained_s; /* when these came first */
	int64_t stamp; /* of the files behind them; 0: no file */
	int64_t failed; /* stamp that did not do; 0: none */
	bool costly; /* they came from a program or a network */

	enum flight_state state;
	pthread_t thread; /* but in NONE */
	struct waiter *pilot; /* its waiter, once it has begun; else NULL */
	int64_t started_ms;
	uint64_t landings;
	int64_t early_ms; /* when files were last asked for the sake of a URL
			     that lives longer, monotonic; 0: never */
	int64_t reread_ms; /* when keys were last read again upon a refusal,
			      monotonic; 0: never */
	struct wait_list waiting;

	int rc; /* of the last flight */
	char *why; /* ... NULL: it did not fail */
	unsigned failures; /* in a row */
	int64_t again_ms;
};

struct cred_cache {
	struct cred_plan plan;
	struct lock lock;
	struct cred_cache_locked guarded_;
};

static inline struct cred_cache_locked *cred_cache_locked(struct cred_cache *c)
	REQUIRES(&c->lock)
{
	return &c->guarded_;
}

/* Not past their end. NULL is dead. */
bool creds_live(const struct creds *c);

/*
 * Starts a fetch, or joins the one that is under way, and waits for it as the
 * need is: 0, -ETIMEDOUT, -EINTR, or why no thread could be started.
 */
int cred_flight(struct cred_cache *c, enum cred_need need);
/* Ends the one that is under way, and waits until it has. */
void cred_flight_call_off(struct cred_cache *c);

#endif
