/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of an open file that are made a hole, copied from another file, or
 * looked for (SEEK_DATA): functions of struct content_ops for content that is
 * kept remotely.
 */
#ifndef FS_CONTENT_RANGE_H
#define FS_CONTENT_RANGE_H

#include "fs/content/turn.h"

int range_zero(struct file *f, uint64_t start, uint64_t end) REQUIRES(f->turn);
/*
 * An object is copied as a whole, or from its beginning on: it becomes the
 * base of f, which has nothing yet or is such a copy already. Nothing is asked
 * of the store: publishing lets the server copy what f still has of it.
 */
int range_copy(struct file *f, struct file *from,
	       const struct file_range *range, uint64_t *done)
	REQUIRES(f->turn);
/* Makes the object of a copy that is whole and was not changed, by the server.
 * -ENOTSUP: it is none, or the server cannot. */
int range_publish(struct file *f, const char *key, struct object_info *result)
	REQUIRES(f->turn);
/* What of the object is not here is fetched, while others have it open. */
int range_hold(struct file *f) REQUIRES(f->turn);

/* The next data, or hole, from offset on (SEEK_DATA, SEEK_HOLE), whichever way
 * it is kept; without the turn. -ENXIO: there is none. */
int range_seek(struct file *f, uint64_t offset, int whence, uint64_t *out);

#endif
