/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has a copy the encryption of its source, which was not looked at? Pure.
 */
#ifndef STORE_S3_S3_CRYPT_H
#define STORE_S3_S3_CRYPT_H

#include "store/s3/s3_state.h"

struct http_reply;

/*
 * Does the answer to a copy show that no encryption was lost? The source has an
 * MD5 for an ETag. has: the answer's headers; same: its ETag is the source's.
 */
bool s3_crypt_is_kept(const struct s3 *s, const struct http_reply *reply,
		      const struct props *has, bool same);
/* Of a source with the headers `was`, a copy with those of `has`: does it lack
 * a part of how the source is encrypted, which a copy would be told? */
bool s3_crypt_lacks(const struct s3 *s, const struct props *has,
		    const struct props *was);

#endif
