/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that some servers bind a request to, and others take no notice of:
 * If-None-Match of a copy, If-Match of a removal. Where a server is known to
 * heed one it need not be asked by a HEAD before: Amazon's, and one that has
 * refused a request for its condition.
 */
#ifndef STORE_S3_S3_HEED_H
#define STORE_S3_S3_HEED_H

#include "base/text.h"
#include "store/s3/s3_state.h"

/* Is it known? */
static inline bool s3_heed_copy(struct s3 *s)
{
	return s3_state_lacks(s, S3_HEEDS_COPY) &&
	       !s3_state_lacks(s, S3_LACKS_ABSENT);
}
static inline bool s3_heed_remove(struct s3 *s)
{
	return s3_state_lacks(s, S3_HEEDS_REMOVE) &&
	       !s3_state_lacks(s, S3_HEEDS_REMOVE_NOT);
}
/* What the endpoint's name tells. Directory buckets are not documented to have
 * both. */
static inline void s3_heed_learn_place(struct s3 *s)
{
	if (s3_endpoint_is_amazon(&s->io) &&
	    !text_ends_with(s->io.bucket, "--x-s3"))
		s3_state_learn(s, S3_HEEDS_COPY | S3_HEEDS_REMOVE);
}

#endif
