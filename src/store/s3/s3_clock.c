/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   not heard --an answer's Date--> heard --RequestTimeTooSkewed--> followed
 *
 * A date that is only heard dates no request: servers take what is off by
 * minutes, and a proxy's clock is not the store's. URLs that live for minutes
 * do not outlast it, though: they are dated by the store where its time came
 * over TLS, and warned of otherwise (s3_presign.c).
 */
#include "store/s3/s3_clock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/s3/s3_call.h"
#include "store/s3/s3_error.h"
#include "store/s3/s3_state.h"

struct s3_moment s3_clock_moment(void)
{
	return (struct s3_moment){ clock_now_s(), clock_uptime_s() };
}

int64_t s3_clock_skew(const struct s3_clock *c, const struct s3_moment *now)
{
	return c->heard ? c->offset_s + now->uptime_s - now->wall_s : 0;
}

int64_t s3_clock_off(const struct s3_clock *c, const struct s3_moment *now)
{
	int64_t skew_s = s3_clock_skew(c, now);

	return llabs(skew_s) > S3_CLOCK_OFF_S ? skew_s : 0;
}

/* Is it another error than the one that was said? */
static bool clock_is_news(const struct s3_clock *c, int64_t off_s)
{
	return llabs(off_s - c->reported_s) > S3_CLOCK_OFF_S;
}

bool s3_clock_asks(const struct s3_clock *c, const struct s3_moment *now)
{
	return !c->heard || now->uptime_s - c->heard_s >= S3_CLOCK_AGE_S ||
	       clock_is_news(c, s3_clock_off(c, now));
}

bool s3_clock_hear(struct s3_clock *c, const struct s3_moment *now,
		   int64_t theirs_s)
{
	int64_t off_s;

	c->offset_s = theirs_s - now->uptime_s;
	c->heard_s = now->uptime_s;
	c->heard = true;
	off_s = s3_clock_off(c, now);
	if (!clock_is_news(c, off_s))
		return false;
	c->reported_s = off_s;
	return off_s != 0;
}

bool s3_clock_follow(struct s3_clock *c, const struct s3_moment *now,
		     int64_t theirs_s, bool *say)
{
	int64_t before_s = c->followed ? s3_clock_skew(c, now) : 0;

	*say = s3_clock_hear(c, now, theirs_s);
	c->followed = true;
	/* Dates are whole seconds, and answers take some. */
	return llabs(s3_clock_skew(c, now) - before_s) > S3_CLOCK_OFF_S;
}

void s3_clock_say(int64_t skew_s, struct buf *out)
{
	buf_addf(out, "this machine's clock is %lld seconds %s the store's",
		 llabs(skew_s), skew_s < 0 ? "ahead of" : "behind");
}

bool s3_clock_is_trusted(const struct s3 *s)
{
	return s3_endpoint_is_https(&s->io);
}

static void clock_log(const struct s3 *s, int64_t skew_s, bool followed)
{
	struct log_where where = { .stage = s->base.name };
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

	s3_clock_say(skew_s, &text);
	buf_adds(&text, followed ? ": requests are dated by the store's, "
				   "pre-signed URLs by "
				 : ": pre-signed URLs are dated by ");
	buf_adds(&text,
		 s3_clock_is_trusted(s)
			 ? "the store's"
			 : "this machine's, as over plain http the store's "
			   "time is not trusted for them, and live that much "
			   "shorter or longer");
	log_at(LOG_LEVEL_WARN, &where, "%s", buf_str(&text));
}

static bool clock_read(const struct s3_call *c, const struct http_reply *reply,
		       const struct s3_moment *now, int64_t *theirs_s)
{
	BUF_LOCAL date = BUF_INIT(256);
	int64_t skew_s;
	bool known;

	http_reply_header(reply, "date", &date);
	known = s3_error_skew(c->error.server_time, buf_str(&date), now->wall_s,
			      &skew_s);
	*theirs_s = known ? now->wall_s + skew_s : 0;
	return known;
}

void s3_clock_learn(struct s3_call *c, const struct http_reply *reply)
{
	struct s3_moment now = s3_clock_moment();
	struct s3 *s = c->s3;
	int64_t theirs_s, off_s;
	bool asks, say, followed;

	if (c->http.class != HTTP_META || c->by || c->http.works)
		return;
	asks = LOCK_UNDER(&s->lock, s3_clock_asks(&s3_locked(s)->clock, &now));
	if (!asks || !clock_read(c, reply, &now, &theirs_s))
		return;
	lock_take(&s->lock);
	say = s3_clock_hear(&s3_locked(s)->clock, &now, theirs_s);
	off_s = s3_clock_off(&s3_locked(s)->clock, &now);
	followed = s3_locked(s)->clock.followed;
	lock_drop(&s->lock);
	if (say)
		clock_log(s, off_s, followed);
}

bool s3_clock_fix(struct s3_call *c, const struct http_reply *reply)
{
	struct s3_moment now = s3_clock_moment();
	struct s3 *s = c->s3;
	int64_t theirs_s, skew_s;
	bool known = clock_read(c, reply, &now, &theirs_s), say = false, fixed;
	struct s3_locked *g;

	lock_take(&s->lock);
	g = s3_locked(s);
	fixed = c->generation != g->generation;
	if (!fixed && known &&
	    s3_clock_follow(&g->clock, &now, theirs_s, &say)) {
		g->generation++;
		fixed = true;
	}
	skew_s = s3_clock_skew(&g->clock, &now);
	lock_drop(&s->lock);
	if (say)
		clock_log(s, skew_s, true);
	return fixed;
}
