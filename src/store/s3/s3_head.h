/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object, by its HEAD.
 */
#ifndef STORE_S3_S3_HEAD_H
#define STORE_S3_S3_HEAD_H

#include "store/s3/s3_state.h"

/* HEAD, and all headers; quiet: a failure is not logged. */
int s3_head_reply(struct s3 *s, const char *key, bool quiet,
		  struct object_info *out, struct http_reply *reply);

/*
 * Does the condition on a target hold at this moment? For requests whose
 * conditions not every server knows (copies, completion): 0, -EEXIST, -ESTALE
 * or the HEAD's failure.
 */
int s3_head_cond(struct s3 *s, const char *key, const struct store_cond *cond);
/* The same when the request cannot have the condition: nothing is left to it.
 */
int s3_head_must_hold(struct s3 *s, const char *key,
		      const struct store_cond *cond);
/* After parts were copied of it, which Ceph's RGW does whatever its ETag is: 0
 * when it still is that one, else -ESTALE. */
int s3_head_same(struct s3 *s, const char *key, const char *etag);

#endif
