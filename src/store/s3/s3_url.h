/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one object by pre-signed URLs: a small store, for the length of
 * a transfer. It knows store_get(), store_put() and, of an object whose keys
 * are at hand, store_upload_open() and _resume(), whose parts go by a URL each;
 * nothing else.
 *
 * With keys each attempt is signed anew, with what the object's store knows at
 * that moment of region, clock and demands, and what is learnt is that store's.
 * Failures are not logged: s3_url_why() has the sentence.
 */
#ifndef STORE_S3_S3_URL_H
#define STORE_S3_S3_URL_H

#include "store/store.h"

struct http_lane;

struct s3_url_settings {
	struct http_lane *lane; /* outlives the store */
	struct store *of; /* whose object it is; NULL: a row is given */
	/* The row: `Name: value\n` lines, or NULL, are sent with it. */
	const char *method, *url, *headers;
};

/* 0, -EOPNOTSUPP (`of` is not an S3 store), -EINVAL (no method of ours) or
 * -ENOMEM. Of a row any key is the object. */
int s3_url_new(const struct s3_url_settings *set, struct store **out);

/* Appends what the first failure was, never with a URL in it, and forgets it;
 * nothing when there was none that the server or the way to it is to blame
 * for. */
void s3_url_why(struct store *s, struct buf *out);

/* Was the bucket found in another region than was signed for? Appends it. */
bool s3_url_moved(struct store *s, struct buf *out);

#endif
