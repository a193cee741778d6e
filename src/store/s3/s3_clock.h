/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an S3 store's answers say of its clock, kept beside the time since this
 * machine's start: so the store's time is known on when this machine's clock is
 * set, before anything is asked again. Pure but for what looks at a call.
 */
#ifndef STORE_S3_S3_CLOCK_H
#define STORE_S3_S3_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

struct buf;
struct s3;
struct s3_call;

/* Less than that is no clock that is off: answers are under way for seconds. */
#define S3_CLOCK_OFF_S 60
/* How long an answer's date is believed before another one is read. */
#define S3_CLOCK_AGE_S 60

struct s3_clock {
	int64_t offset_s; /* the store's time minus uptime */
	int64_t heard_s; /* the uptime then */
	int64_t reported_s; /* what was last warned of; 0: nothing */
	bool heard; /* else nothing is known */
	bool followed; /* requests are dated by the store's time */
};

/* A moment by both of this machine's clocks. */
struct s3_moment {
	int64_t wall_s, uptime_s;
};
struct s3_moment s3_clock_moment(void);

/* The store's time minus this machine's; 0: not known. */
int64_t s3_clock_skew(const struct s3_clock *c, const struct s3_moment *now);
/* The same, 0 where that is nothing to speak of. */
int64_t s3_clock_off(const struct s3_clock *c, const struct s3_moment *now);

/* Is an answer's date worth reading? */
bool s3_clock_asks(const struct s3_clock *c, const struct s3_moment *now);
/* The store's time is that. True: it must be said (by s3_clock_off()), as
 * nothing like it was said before. */
bool s3_clock_hear(struct s3_clock *c, const struct s3_moment *now,
		   int64_t theirs_s);
/* The store refused a request for its date, and its time is that. True: the
 * next one will have another date by more than S3_CLOCK_OFF_S. *say: as
 * s3_clock_hear(). */
bool s3_clock_follow(struct s3_clock *c, const struct s3_moment *now,
		     int64_t theirs_s, bool *say);

/* Appends `this machine's clock is 3600 seconds behind the store's`. */
void s3_clock_say(int64_t skew_s, struct buf *out);
/* May the store's time date a URL? Over plain HTTP any machine on the way
 * could make it live longer. */
bool s3_clock_is_trusted(const struct s3 *s);
/* What an answer tells: of one that was quick. */
void s3_clock_learn(struct s3_call *c, const struct http_reply *reply);
/* The same of a refusal for the request's date: is that put right? */
bool s3_clock_fix(struct s3_call *c, const struct http_reply *reply);

#endif
