/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode, owner and times of an object in its metadata, in the form of s3fs-fuse,
 * so that both programs may mount one bucket:
 *
 *   x-amz-meta-mode             st_mode with its type bits, decimal
 *   x-amz-meta-uid, -gid        decimal
 *   x-amz-meta-mtime, -ctime, -atime   SECONDS.NNNNNNNNN
 *
 * A directory is a key of no bytes that ends in '/', a symbolic link an object
 * whose bytes are its target. Pure.
 */
#ifndef STORE_ATTR_META_H
#define STORE_ATTR_META_H

#include "base/field.h"
#include "store/store.h"

#define ATTR_META_FIELDS 6
#define ATTR_META_TIMES (STORE_SET_ATIME | STORE_SET_MTIME | STORE_SET_CTIME)
#define ATTR_META_ALL \
	(STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID | ATTR_META_TIMES)

/* Headers that say it, for struct store_meta; they point into it. */
struct attr_meta {
	struct field fields[ATTR_META_FIELDS];
	unsigned n;
	char text[ATTR_META_FIELDS][40];
};

/*
 * What the headers of an answer tell: out->which says of what. The type is that
 * of the key (is_dir), unless it says that an object is a symbolic link. A time
 * may be without a fraction, or have another number of digits; what is no
 * number is not told.
 */
void attr_meta_read(const struct props *p, bool is_dir, struct store_attr *out);
/* Those of a->which; the mode with its type bits. */
void attr_meta_write(const struct store_attr *a, struct attr_meta *out);
/* The same into the headers of an object. 0 or -E2BIG. */
int attr_meta_set(struct props *p, const struct store_attr *a);
/* Are these headers attributes, all of them? */
bool attr_meta_is_all(const struct field *headers, size_t n);
/* The headers of an object lose their times. */
void attr_meta_drop_times(struct props *p);

#endif
