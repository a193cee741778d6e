/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a store at this moment, and how it is told. Nothing here
 * asks it.
 */
#include "store/s3/s3_state.h"

#include <string.h>

void s3_state_sign_ctx(struct s3 *s, struct s3_sign_ctx *out)
{
	struct s3_moment now = s3_clock_moment();
	const struct s3_clock *clock;

	lock_take(&s->lock);
	clock = &s3_locked(s)->clock;
	memcpy(out->region, s3_locked(s)->region, sizeof(out->region));
	out->skew_s = clock->followed ? s3_clock_skew(clock, &now) : 0;
	out->off_s = s3_clock_off(clock, &now);
	out->generation = s3_locked(s)->generation;
	out->lacks = s3_locked(s)->lacks;
	out->guessed = s3_locked(s)->guessed;
	lock_drop(&s->lock);
}

void s3_state_confirm_region(struct s3 *s, unsigned generation)
{
	struct s3_locked *g;

	lock_take(&s->lock);
	g = s3_locked(s);
	if (g->generation == generation)
		g->guessed = false;
	lock_drop(&s->lock);
}

bool s3_state_lacks(struct s3 *s, unsigned which)
{
	return LOCK_UNDER(&s->lock, (s3_locked(s)->lacks & which) != 0);
}

unsigned s3_state_learn(struct s3 *s, unsigned which)
{
	unsigned new;

	lock_take(&s->lock);
	new = which & ~s3_locked(s)->lacks;
	s3_locked(s)->lacks |= which;
	lock_drop(&s->lock);
	return new;
}
