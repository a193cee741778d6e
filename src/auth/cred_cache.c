/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given keys need no reading, and change only if they were given by reference
 * and a store refuses them. Whatever else there is comes by a *fetch*: a thread
 * that asks the providers, installs what they gave and ends. No other thread
 * asks them, so a caller that gives up waiting takes nothing from the others,
 * and no lock is held meanwhile.
 *
 *   NONE -> RUNNING -> ENDED -> RUNNING ...
 *              v
 *         CALLED_OFF -> ENDED (free)
 *
 * ENDED means that the thread touches nothing any more and is joined by
 * whatever starts the next, or by free. (The thread is started under the
 * lock: it does not wait for anything, and the thread's first act is to take
 * that lock.)
 *
 * Invariant: `creds` changes only in cache_fetch_install_locked(), and only
 * when the keys differ, so that equal pointers mean equal keys (auth/signer.c
 * caches by them).
 *
 * `failed` is the stamp of files that could not be used; while it is the
 * present one they are not read again for a change's sake. `again_ms` is when
 * the provider may next be asked: after a failure by any thread, after a
 * success by those whose credentials live.
 */
#include "auth/cred_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_plan.h"
#include "auth/cred_refresh.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/waiter.h"

#define EARLY_MS 60000
#define REREAD_MS 1000
#define PATIENCE_MS 5000 /* of callers that have live credentials */

enum fetch_state {
	FETCH_NONE,
	FETCH_RUNNING,
	FETCH_CALLED_OFF,
	FETCH_ENDED,
};

struct cred_cache_locked {
	struct creds *creds; /* in use; NULL: none were read yet */
	int64_t obtained_s; /* when these came first */
	int64_t stamp; /* of the files behind them; 0: no file */
	int64_t failed; /* stamp that did not do; 0: none */
	bool costly; /* they came from a program or a network */

	enum fetch_state state;
	pthread_t thread; /* but in NONE */
	struct waiter *fetcher; /* its waiter, once it has begun; else NULL */
	int64_t started_ms;
	uint64_t generation;
	int64_t early_ms; /* when files were last asked for the sake of a URL
			     that lives longer, monotonic; 0: never */
	int64_t reread_ms; /* when keys were last read again upon a refusal,
			      monotonic; 0: never */
	struct waiter_list waiting;

	int rc; /* of the last fetch */
	char *why; /* ... NULL: it did not fail */
	unsigned failures; /* in a row */
	int64_t again_ms;
};

struct cred_cache {
	struct cred_plan plan;
	struct lock lock;
	struct cred_cache_locked guarded_;
};

LOCK_GUARDS(cred_cache_locked, cred_cache, cred_cache_locked);

/* ---- a fetch ---- */

static void cache_fetch_set_state_locked(struct cred_cache *c,
					 enum fetch_state state)
	REQUIRES(&c->lock)
{
	struct cred_cache_locked *g = cred_cache_locked(c);

	g->state = state;
	if (state != FETCH_ENDED)
		return;
	g->fetcher = NULL;
	g->generation++;
	waiter_list_wake(&g->waiting);
}

/* Returns what is to be unreferenced once the lock is dropped. */
static struct creds *cache_fetch_install_locked(struct cred_cache *c,
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

static void cache_fetch_fail_locked(struct cred_cache *c,
				    const struct cred_result *r)
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

static void cache_fetch_end(struct cred_cache *c, struct cred_result *r)
{
	CREDS_LOCAL *dead = NULL;
	struct cred_cache_locked *g;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	free(g->why);
	g->why = NULL;
	g->rc = r->rc;
	if (!r->rc)
		dead = cache_fetch_install_locked(c, r);
	else if (g->state != FETCH_CALLED_OFF)
		cache_fetch_fail_locked(c, r);
	cache_fetch_set_state_locked(c, FETCH_ENDED);
	lock_drop(&c->lock);
	buf_clear(&r->why);
}

static void *cache_fetch_run(void *arg)
{
	struct cred_cache *c = arg;
	struct cred_result r = { .rc = -ECANCELED };
	bool called_off;

	lock_take(&c->lock);
	called_off = cred_cache_locked(c)->state == FETCH_CALLED_OFF;
	cred_cache_locked(c)->fetcher = waiter_self();
	lock_drop(&c->lock);
	if (!called_off)
		cred_plan_fetch(&c->plan, &r);
	cache_fetch_end(c, &r);
	return NULL;
}

/* Has a fetch running: *generation is reached when it has ended. */
static int cache_fetch_start(struct cred_cache *c, uint64_t *generation,
			     int64_t *started_ms)
{
	struct cred_cache_locked *g;
	bool ended;
	pthread_t old;
	int rc = 0;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	ended = g->state == FETCH_ENDED;
	old = g->thread;
	if (g->state != FETCH_RUNNING) {
		rc = thread_start(&g->thread, "credentials", cache_fetch_run,
				  c);
		if (!rc) {
			g->started_ms = clock_mono_ms();
			cache_fetch_set_state_locked(c, FETCH_RUNNING);
		} else {
			g->thread = old;
			ended = false;
		}
	} else {
		ended = false;
	}
	*generation = g->generation + 1;
	*started_ms = g->started_ms;
	lock_drop(&c->lock);
	if (ended)
		pthread_join(old, NULL);
	return rc;
}

/* Until that generation, or that time: 0, -ETIMEDOUT or -EINTR. */
static int cache_fetch_await(struct cred_cache *c, uint64_t generation,
			     int64_t until_ms)
{
	int rc;

	lock_take(&c->lock);
	rc = WAITER_LIST_UNTIL_MS(
		&cred_cache_locked(c)->waiting, &c->lock, until_ms, true,
		cred_cache_locked(c)->generation >= generation);
	if (cred_cache_locked(c)->generation >= generation)
		rc = 0;
	lock_drop(&c->lock);
	return rc;
}

/* Starts or joins one, and waits for it as the need is. */
static int cache_fetch(struct cred_cache *c, enum cred_need need)
{
	uint64_t generation;
	int64_t started_ms;
	int rc = cache_fetch_start(c, &generation, &started_ms);

	if (rc || need == CRED_SOON)
		return rc;
	return cache_fetch_await(c, generation,
				 need == CRED_DEAD ? WAIT_FOREVER
						   : started_ms + PATIENCE_MS);
}

static void cache_fetch_call_off(struct cred_cache *c)
{
	struct cred_cache_locked *g;
	enum fetch_state was;
	pthread_t thread;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	was = g->state;
	thread = g->thread;
	if (was == FETCH_RUNNING) {
		cache_fetch_set_state_locked(c, FETCH_CALLED_OFF);
		if (g->fetcher)
			waiter_interrupt(g->fetcher);
	}
	lock_drop(&c->lock);
	if (was != FETCH_NONE)
		pthread_join(thread, NULL);
}

/* ---- the cache ---- */

/* What a thread saw under the lock; creds is a reference. */
struct snapshot {
	struct creds *creds;
	int64_t obtained_s, stamp, failed, again_ms, early_ms;
	bool costly;
	int rc;
};

struct cred_cache *cred_cache_new(const struct cred_settings *s) NO_THREAD_CHECK
{
	struct cred_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	lock_init(&c->lock, LOCK_CRED_CACHE);
	if (cred_plan_init(&c->plan, s)) {
		cred_cache_free(c);
		return NULL;
	}
	if (cred_plan_fixed(&c->plan))
		c->guarded_.creds = creds_ref(c->plan.given);
	return c;
}

void cred_cache_free(struct cred_cache *c) NO_THREAD_CHECK
{
	if (!c)
		return;
	cache_fetch_call_off(c);
	creds_unref(c->guarded_.creds);
	free(c->guarded_.why);
	lock_destroy(&c->lock);
	cred_plan_clear(&c->plan);
	free(c);
}

static struct snapshot cache_look(struct cred_cache *c)
{
	struct cred_cache_locked *g;
	struct snapshot s;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	s.creds = creds_ref(g->creds);
	s.obtained_s = g->obtained_s;
	s.stamp = g->stamp;
	s.failed = g->failed;
	s.again_ms = g->again_ms;
	s.early_ms = g->early_ms;
	s.costly = g->costly;
	s.rc = g->rc;
	lock_drop(&c->lock);
	return s;
}

/*
 * What costs nothing to ask is asked for every URL that would outlive the
 * credentials, but once a minute at most.
 */
static bool cache_asks_early(struct cred_cache *c, const struct snapshot *s,
			     int64_t until_s)
{
	int64_t now_ms = clock_mono_ms();

	if (s->costly || !s->creds || !s->creds->expires_at ||
	    s->creds->expires_at >= until_s ||
	    (s->early_ms && now_ms - s->early_ms < EARLY_MS))
		return false;
	LOCK_DO(&c->lock, cred_cache_locked(c)->early_ms = now_ms);
	return true;
}

/* Did the files change since they were last looked into? Two stat(2)s. */
static bool cache_files_changed(const struct snapshot *s)
{
	int64_t now;

	if (!s->stamp && !s->failed)
		return false;
	now = aws_profile_stamp();
	return now != s->stamp && now != s->failed;
}

static enum cred_need cache_need(const struct snapshot *s, int64_t until_s)
{
	enum cred_need need = CRED_DEAD;

	if (s->creds) {
		const struct cred_life life = {
			.now_s = clock_now_s(),
			.obtained_s = s->obtained_s,
			.expires_s = s->creds->expires_at,
			.until_s = until_s,
		};

		need = cred_refresh_need(&life);
	}
	if (cache_files_changed(s))
		return need == CRED_DEAD ? need : CRED_NOW;
	/* It was asked a moment ago. */
	if (clock_mono_ms() < s->again_ms && (s->rc || need != CRED_DEAD))
		return CRED_FINE;
	/* What the files now say failed on the way: once more. */
	if (need == CRED_FINE && s->rc && s->again_ms && s->failed != s->stamp)
		return CRED_SOON;
	return need;
}

/* Why there are none, in the words of the last fetch. */
static int cache_tell(struct cred_cache *c, int rc, struct buf *why)
{
	struct cred_cache_locked *g;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	if (!rc)
		rc = g->rc ? g->rc : -EAGAIN;
	if (why)
		buf_adds(why, g->why && rc == g->rc ? g->why : strerror(-rc));
	lock_drop(&c->lock);
	return rc;
}

int cred_cache_get_until(struct cred_cache *c, int64_t until_s,
			 struct creds **out, struct buf *why)
{
	enum cred_need need;
	struct snapshot s;
	int rc = 0;

	*out = NULL;
	if (cred_plan_anonymous(&c->plan))
		return 0;
	s = cache_look(c);
	need = cred_plan_fixed(&c->plan) && s.creds ? CRED_FINE
						    : cache_need(&s, until_s);
	if (need == CRED_FINE && cache_asks_early(c, &s, until_s))
		need = CRED_NOW;
	if (need != CRED_FINE) {
		rc = cache_fetch(c, need);
		creds_unref(s.creds);
		s = cache_look(c);
	}
	if (creds_live(s.creds)) {
		*out = s.creds;
		return 0;
	}
	creds_unref(s.creds);
	return cache_tell(c, rc, why);
}

int cred_cache_get(struct cred_cache *c, struct creds **out, struct buf *why)
{
	return cred_cache_get_until(c, 0, out, why);
}

int cred_cache_peek(struct cred_cache *c, struct creds **out)
{
	*out = NULL;
	if (cred_plan_anonymous(&c->plan))
		return 0;
	*out = cache_look(c).creds;
	return *out ? 0 : -EAGAIN;
}

/* May they be read again? Not if that was done a moment ago; if it is being
 * done, that is the answer. */
static bool cache_may_reread(struct cred_cache *c)
{
	int64_t now_ms = clock_mono_ms();
	struct cred_cache_locked *g;
	bool may;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	may = g->state == FETCH_RUNNING || !g->reread_ms ||
	      now_ms - g->reread_ms >= REREAD_MS;
	if (may && g->state != FETCH_RUNNING)
		g->reread_ms = now_ms;
	lock_drop(&c->lock);
	return may;
}

/* Is it worth it to fetch others for those that were refused? */
static bool cache_is_renewable(struct cred_cache *c, const struct snapshot *s,
			       bool sure)
{
	if (cred_plan_fixed(&c->plan) && !cred_plan_rereads(&c->plan))
		return false;
	if (s->costly)
		return sure && clock_mono_ms() >= s->again_ms;
	return cache_may_reread(c);
}

static bool cache_has_other(struct cred_cache *c, const struct creds *refused)
{
	CREDS_LOCAL *now = cache_look(c).creds;

	return now && !creds_equal(now, refused);
}

bool cred_cache_refused(struct cred_cache *c, const struct creds *refused,
			bool sure)
{
	struct snapshot s;

	if (!refused || cred_plan_anonymous(&c->plan))
		return false;
	s = cache_look(c);
	if (creds_equal(s.creds, refused) &&
	    (cache_files_changed(&s) || cache_is_renewable(c, &s, sure)))
		cache_fetch(c, CRED_DEAD);
	creds_unref(s.creds);
	return cache_has_other(c, refused);
}

static bool cache_is_fetching(struct cred_cache *c)
{
	return LOCK_UNDER(&c->lock,
			  cred_cache_locked(c)->state == FETCH_RUNNING);
}

bool cred_cache_renew(struct cred_cache *c, const struct creds *refused,
		      bool sure)
{
	struct snapshot s;
	bool coming;

	if (!refused || cred_plan_anonymous(&c->plan))
		return false;
	s = cache_look(c);
	coming =
		!creds_equal(s.creds, refused) || cache_is_fetching(c) ||
		(cache_is_renewable(c, &s, sure) && !cache_fetch(c, CRED_SOON));
	creds_unref(s.creds);
	return coming || cache_has_other(c, refused);
}
