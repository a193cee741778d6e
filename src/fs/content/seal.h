/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an open file has that the store does not, on the local disk: enough for
 * another process to make the object after a crash.
 *
 * The bytes of a small file are in memory, for the caller to write where it
 * wants. Those of others stand in the spill file, which gets a name and is
 * flushed.
 */
#ifndef FS_CONTENT_SEAL_H
#define FS_CONTENT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/extents.h"
#include "fs/content/file.h"

#define SEAL_INLINE (64U << 10) /* of a file with more the bytes stay apart */

struct seal {
	uint64_t size;
	/* What counts of the store's object. */
	bool has_base;
	uint64_t base_limit, base_size;
	const char *base_etag, *base_key;
	bool replaces; /* the store has an object at its key */
	struct timespec mtime, atime;
	/* Headers that it is to have, as in struct props; NULL: none were
	 * chosen or learned. */
	const char *props;
	size_t props_len;
	bool props_beside; /* what the store is set to */
	/* Bytes that are local: in the named file at their place, or (len, one
	 * extent at most, from 0 on) here. */
	const struct extent *extents;
	size_t n;
	const char *bytes;
	size_t len;
};

/*
 * The caller has claimed the file's name, which is `key`, and so it cannot be
 * published meanwhile. dir, name: a name that the spill file may get, if it has
 * none yet. With the turn held all along each() is called; the seal is
 * borrowed, and so is the name of the file in dir that has the bytes; "": they
 * are in the seal. Its result is this function's: what it does has to outlive a
 * crash when it returns 0.
 *
 * 0 too when nothing is dirty, or was changed since it was sealed, without a
 * call. -EOPNOTSUPP: the content cannot be sealed, for the store alone has some
 * of what was written, also as another object, or it is kept in too many
 * pieces; it is to be published.
 */
int file_seal(struct file *f, int dir, const char *name,
	      int (*each)(void *arg, const struct seal *s, const char *named),
	      void *arg);

/* What goes with f was changed, though no byte of it: it is to be sealed
 * again. */
void file_seal_stale(struct file *f);

/*
 * The other way round: the content of i, which nothing else uses, is what was
 * sealed; dirty, and to be published. fd: the file of that name, taken over, or
 * -1.
 */
int file_unseal(const struct file_env *env, struct inode *i,
		const struct seal *s, int fd, const char *name,
		struct file **out);

#endif
