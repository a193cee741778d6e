/*
 * A *flight* is a thread that fetches credentials, installs them and ends.
 * Nobody else fetches, so a person who gives up waiting takes nothing from the
 * others, and no lock is held meanwhile.
 *
 *   NONE -> UNDER_WAY -> LANDED -> UNDER_WAY ...
 *              v
 *         CALLED_OFF -> LANDED (free)
 *
 * LANDED means that the thread touches nothing any more and is joined by
 * whoever starts the next, or by free. (The thread is started under the
 * lock: it does not wait for anything, and the thread's first act is to take
 * that lock.)
 *
 * Invariant: `creds` changes only in install_locked(), and only when the keys
 * differ, so that equal pointers mean equal keys (auth/signer.c caches by
 * them).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_cache_impl.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#define PATIENCE_MS 5000 /* of those who have credentials that live */

static void set_state_locked(struct cred_cache *c, enum flight_state state)
	REQUIRES(&c->lock)
{
	struct cred_cache_locked *g = cred_cache_locked(c);

	g->state = state;
	if (state != FLIGHT_LANDED)
		return;
	g->pilot = NULL;
	g->landings++;
	wait_list_wake(&g->waiting);
}

bool creds_live(const struct creds *c)
{
	return c && (!c->expires_at || c->expires_at > clock_now_s());
}

/* Returns what is to be unreferenced once the lock is dropped. */
static struct creds *install_locked(struct cred_cache *c,
				    const struct cred_result *r)
	REQUIRES(&c->lock)
{
	struct cred_cache_locked *g = cred_cache_locked(c);
	struct creds *old = g->creds;
	int64_t now_s = clock_now_s();

	g->stamp = r->stamp;
	g->failed = 0;
	g->costly = r->costly;
	g->failures = 0;
	g->again_ms = 0;
	if (r->costly || r->creds->expires_at)
		g->again_ms = clock_mono_ms() +
			      cred_refresh_pause(now_s, r->creds->expires_at);
	if (creds_equal(old, r->creds))
		return r->creds;
	g->creds = r->creds;
	g->obtained_s = now_s;
	return old;
}

static void fail_locked(struct cred_cache *c, const struct cred_result *r)
	REQUIRES(&c->lock)
{
	struct cred_cache_locked *g = cred_cache_locked(c);

	g->failed = r->stamp;
	g->why = strdup(buf_str(&r->why));
	g->failures++;
	g->again_ms = 0;
	if (r->costly)
		g->again_ms =
			clock_mono_ms() +
			cred_refresh_backoff(g->failures,
					     (uint32_t)clock_now().tv_nsec);
	if (creds_live(g->creds))
		log_warn("the credentials from %s stay in use: %s",
			 g->creds->source, buf_str(&r->why));
}

static void land(struct cred_cache *c, struct cred_result *r)
{
	struct creds *dead = NULL;
	struct cred_cache_locked *g;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	free(g->why);
	g->why = NULL;
	g->rc = r->rc;
	if (!r->rc)
		dead = install_locked(c, r);
	else if (g->state != FLIGHT_CALLED_OFF)
		fail_locked(c, r);
	set_state_locked(c, FLIGHT_LANDED);
	lock_drop(&c->lock);
	creds_unref(dead);
	buf_clear(&r->why);
}

static void *fly(void *arg)
{
	struct cred_cache *c = arg;
	struct cred_result r = { .rc = -ECANCELED };
	bool called_off;

	lock_take(&c->lock);
	called_off = cred_cache_locked(c)->state == FLIGHT_CALLED_OFF;
	cred_cache_locked(c)->pilot = waiter_self();
	lock_drop(&c->lock);
	if (!called_off)
		cred_fetch(&c->plan, &r);
	land(c, &r);
	return NULL;
}

/* Has a flight under way: the number of landings that tells its end. */
static int start(struct cred_cache *c, uint64_t *landing, int64_t *started_ms)
{
	struct cred_cache_locked *g;
	bool landed;
	pthread_t old;
	int rc = 0;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	landed = g->state == FLIGHT_LANDED;
	old = g->thread;
	if (g->state != FLIGHT_UNDER_WAY) {
		rc = thread_start(&g->thread, "credentials", fly, c);
		if (!rc) {
			g->started_ms = clock_mono_ms();
			set_state_locked(c, FLIGHT_UNDER_WAY);
		} else {
			g->thread = old;
			landed = false;
		}
	} else {
		landed = false;
	}
	*landing = g->landings + 1;
	*started_ms = g->started_ms;
	lock_drop(&c->lock);
	if (landed)
		pthread_join(old, NULL);
	return rc;
}

/* Until that landing, or that time: 0, -ETIMEDOUT or -EINTR. */
static int await(struct cred_cache *c, uint64_t landing, int64_t until_ms)
{
	struct wait_entry e = { .waiter = waiter_self() };
	int rc = 0;

	lock_take(&c->lock);
	while (cred_cache_locked(c)->landings < landing && !rc) {
		wait_list_add(&cred_cache_locked(c)->waiting, &e);
		lock_drop(&c->lock);
		rc = waiter_park(e.waiter, until_ms);
		lock_take(&c->lock);
		wait_list_remove(&cred_cache_locked(c)->waiting, &e);
	}
	if (cred_cache_locked(c)->landings >= landing)
		rc = 0;
	lock_drop(&c->lock);
	return rc;
}

/* Starts or joins one, and waits for it as the need is. */
int cred_flight(struct cred_cache *c, enum cred_need need)
{
	uint64_t landing;
	int64_t started_ms;
	int rc = start(c, &landing, &started_ms);

	if (rc || need == CRED_SOON)
		return rc;
	return await(c, landing,
		     need == CRED_DEAD ? WAIT_FOREVER
				       : started_ms + PATIENCE_MS);
}

void cred_flight_call_off(struct cred_cache *c)
{
	struct cred_cache_locked *g;
	enum flight_state was;
	pthread_t thread;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	was = g->state;
	thread = g->thread;
	if (was == FLIGHT_UNDER_WAY) {
		set_state_locked(c, FLIGHT_CALLED_OFF);
		if (g->pilot)
			waiter_interrupt(g->pilot);
	}
	lock_drop(&c->lock);
	if (was != FLIGHT_NONE)
		pthread_join(thread, NULL);
}
