/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that some servers bind a request to, and others take no notice of:
 * If-None-Match of a copy, If-Match of a removal. Where a server is known to
 * heed one it need not be asked by a HEAD before.
 *
 * It is found out once for each store, by a request that a server of either
 * kind may well make, at a moment when its outcome does no harm.
 */
#ifndef STORE_S3_S3_HEED_H
#define STORE_S3_S3_HEED_H

#include "store/s3/s3_state.h"

/* Is it known? */
static inline bool s3_heed_copy(struct s3 *s)
{
	return s3_state_lacks(s, S3_HEEDS_COPY) &&
	       !s3_state_lacks(s, S3_HEEDS_COPY_NOT | S3_LACKS_ABSENT);
}
static inline bool s3_heed_remove(struct s3 *s)
{
	return s3_state_lacks(s, S3_HEEDS_REMOVE) &&
	       !s3_state_lacks(s, S3_HEEDS_REMOVE_NOT);
}

/* *now is there, which this mount has just made as a copy with that meta, and
 * is made once more with it where the condition is ignored. One request at
 * most, at the first call; *now: what is there afterwards. */
void s3_heed_learn_copy(struct s3 *s, const char *key,
			const struct store_meta *meta, struct object_info *now);
/* key is about to be removed, whatever is there. One request at most, at the
 * first call. True: it has removed it. */
bool s3_heed_learn_remove(struct s3 *s, const char *key);

#endif
