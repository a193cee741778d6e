/*
 * What is known of a store at this moment, and how it is told. Nothing here
 * asks it.
 */
#include "store/s3/s3_state.h"

#include <string.h>

#include "store/props.h"
#include "store/s3/s3_endpoint.h"

const char *const s3_made_names[S3_MADE] = {
	[S3_MADE_CLASS] = PROP_CLASS,
	[S3_MADE_SSE] = PROP_SSE,
	[S3_MADE_SSE_KEY] = PROP_SSE_KEY,
	[S3_MADE_ACL] = "x-amz-acl",
};

void s3_state_sign_ctx(struct s3 *s, struct s3_sign_ctx *out)
{
	lock_take(&s->lock);
	memcpy(out->region, s3_locked(s)->region, sizeof(out->region));
	out->skew_s = s3_locked(s)->skew_s;
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

bool s3_state_trusts_clock(const struct s3 *s)
{
	return s3_endpoint_is_https(&s->io);
}

void s3_state_say_skew(int64_t skew_s, struct buf *out)
{
	buf_addf(out, "this machine's clock is %lld seconds %s the store's",
		 (long long)(skew_s < 0 ? -skew_s : skew_s),
		 skew_s < 0 ? "ahead of" : "behind");
}

bool s3_state_lacks(struct s3 *s, unsigned which)
{
	bool is;

	lock_take(&s->lock);
	is = (s3_locked(s)->lacks & which) != 0;
	lock_drop(&s->lock);
	return is;
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
