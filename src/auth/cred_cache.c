/*
 * Given keys need no reading, and change only if they were given by reference
 * and a store refuses them. Whatever else there is comes by
 * a flight (auth/cred_flight.c); here it is decided whether one is needed, and
 * who waits for it.
 *
 * `failed` is the stamp of files that could not be used; while it is the
 * present one they are not read again for a change's sake. `again_ms` is when
 * the provider may next be asked: after a failure by anybody, after a success
 * by those whose credentials live.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_cache_impl.h"
#include "base/buf.h"
#include "base/clock.h"

#define EARLY_MS 60000
#define REREAD_MS 1000

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
	lock_init(&c->lock);
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
	cred_flight_call_off(c);
	creds_unref(c->guarded_.creds);
	free(c->guarded_.why);
	lock_destroy(&c->lock);
	cred_plan_clear(&c->plan);
	free(c);
}

static struct snapshot look(struct cred_cache *c)
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
static bool asks_early(struct cred_cache *c, const struct snapshot *s,
		       int64_t until_s)
{
	int64_t now_ms = clock_mono_ms();

	if (s->costly || !s->creds || !s->creds->expires_at ||
	    s->creds->expires_at >= until_s ||
	    (s->early_ms && now_ms - s->early_ms < EARLY_MS))
		return false;
	lock_take(&c->lock);
	cred_cache_locked(c)->early_ms = now_ms;
	lock_drop(&c->lock);
	return true;
}

/* Did the files change since they were last looked into? Two stat(2)s. */
static bool files_changed(const struct snapshot *s)
{
	int64_t now;

	if (!s->stamp && !s->failed)
		return false;
	now = aws_profile_stamp();
	return now != s->stamp && now != s->failed;
}

static enum cred_need judge(const struct snapshot *s, int64_t until_s)
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
	if (files_changed(s))
		return need == CRED_DEAD ? need : CRED_NOW;
	/* It was asked a moment ago. */
	if (clock_mono_ms() < s->again_ms && (s->rc || need != CRED_DEAD))
		return CRED_FINE;
	/* What the files now say failed on the way: once more. */
	if (need == CRED_FINE && s->rc && s->again_ms && s->failed != s->stamp)
		return CRED_SOON;
	return need;
}

/* Why there are none, in the words of the last flight. */
static int tell(struct cred_cache *c, int rc, struct buf *err)
{
	struct cred_cache_locked *g;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	if (!rc)
		rc = g->rc ? g->rc : -EAGAIN;
	if (err)
		buf_adds(err, g->why && rc == g->rc ? g->why : strerror(-rc));
	lock_drop(&c->lock);
	return rc;
}

int cred_cache_get_until(struct cred_cache *c, int64_t until_s,
			 struct creds **out, struct buf *err)
{
	enum cred_need need;
	struct snapshot s;
	int rc = 0;

	*out = NULL;
	if (cred_plan_anonymous(&c->plan))
		return 0;
	s = look(c);
	need = cred_plan_fixed(&c->plan) && s.creds ? CRED_FINE
						    : judge(&s, until_s);
	if (need == CRED_FINE && asks_early(c, &s, until_s))
		need = CRED_NOW;
	if (need != CRED_FINE) {
		rc = cred_flight(c, need);
		creds_unref(s.creds);
		s = look(c);
	}
	if (creds_live(s.creds)) {
		*out = s.creds;
		return 0;
	}
	creds_unref(s.creds);
	return tell(c, rc, err);
}

int cred_cache_get(struct cred_cache *c, struct creds **out, struct buf *err)
{
	return cred_cache_get_until(c, 0, out, err);
}

int cred_cache_peek(struct cred_cache *c, struct creds **out)
{
	*out = NULL;
	if (cred_plan_anonymous(&c->plan))
		return 0;
	*out = look(c).creds;
	return *out ? 0 : -EAGAIN;
}

/* May they be read again? Not if that was done a moment ago; if it is being
 * done, that is the answer. */
static bool may_reread(struct cred_cache *c)
{
	int64_t now_ms = clock_mono_ms();
	struct cred_cache_locked *g;
	bool may;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	may = g->state == FLIGHT_UNDER_WAY || !g->reread_ms ||
	      now_ms - g->reread_ms >= REREAD_MS;
	if (may && g->state != FLIGHT_UNDER_WAY)
		g->reread_ms = now_ms;
	lock_drop(&c->lock);
	return may;
}

/* Is it worth it to fetch others for those that were refused? */
static bool is_renewable(struct cred_cache *c, const struct snapshot *s,
			 bool sure)
{
	if (cred_plan_fixed(&c->plan) && !cred_plan_rereads(&c->plan))
		return false;
	if (s->costly)
		return sure && clock_mono_ms() >= s->again_ms;
	return may_reread(c);
}

static bool has_other(struct cred_cache *c, const struct creds *refused)
{
	struct creds *now = look(c).creds;
	bool other = now && !creds_equal(now, refused);

	creds_unref(now);
	return other;
}

bool cred_cache_refused(struct cred_cache *c, const struct creds *refused,
			bool sure)
{
	struct snapshot s;

	if (!refused || cred_plan_anonymous(&c->plan))
		return false;
	s = look(c);
	if (creds_equal(s.creds, refused) &&
	    (files_changed(&s) || is_renewable(c, &s, sure)))
		cred_flight(c, CRED_DEAD);
	creds_unref(s.creds);
	return has_other(c, refused);
}

static bool is_under_way(struct cred_cache *c)
{
	bool under_way;

	lock_take(&c->lock);
	under_way = cred_cache_locked(c)->state == FLIGHT_UNDER_WAY;
	lock_drop(&c->lock);
	return under_way;
}

bool cred_cache_renew(struct cred_cache *c, const struct creds *refused,
		      bool sure)
{
	struct snapshot s;
	bool coming;

	if (!refused || cred_plan_anonymous(&c->plan))
		return false;
	s = look(c);
	coming = !creds_equal(s.creds, refused) || is_under_way(c) ||
		 (is_renewable(c, &s, sure) && !cred_flight(c, CRED_SOON));
	creds_unref(s.creds);
	return coming || has_other(c, refused);
}
