/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of open files that programs do not write: fallocate(2), lseek(2) for
 * data and holes, copy_file_range(2).
 */
#include "fs/content/range.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/handle.h"

#define MODES \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)
#define ZEROS (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)

static int fs_range_fill(struct handle *h, int mode, uint64_t start,
			 uint64_t end)
{
	uint64_t size;
	int rc = mode & ZEROS ? file_zero(h->file, start, end) : 0;

	file_size(h->file, &size);
	if (!rc && !(mode & FALLOC_FL_KEEP_SIZE) && end > size)
		rc = file_truncate(h->file, end);
	return rc;
}

int fs_range_allocate(struct fs *fs, struct handle *h, int mode, off_t offset,
		      off_t len)
{
	uint64_t end;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	if (!handle_writes(h))
		return -EBADF;
	if (mode & ~MODES || (mode & ZEROS) == ZEROS ||
	    ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EOPNOTSUPP;
	end = (uint64_t)offset + (uint64_t)len;
	if (end > INT64_MAX)
		return -EFBIG;
	handle_changed(h);
	h->written = true;
	return HANDLE_WRITE(fs, fs_range_fill(h, mode, (uint64_t)offset, end));
}

int fs_range_seek(struct fs *fs, struct handle *h, off_t offset, int whence,
		  off_t *out)
{
	uint64_t found;
	int rc;

	if (offset < 0)
		return -ENXIO;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	rc = range_seek(h->file, (uint64_t)offset, whence, &found);
	if (!rc)
		*out = (off_t)found;
	return rc;
}

ssize_t fs_range_copy(struct fs *fs, struct handle *from, off_t from_at,
		      struct handle *to, off_t to_at, size_t len)
{
	const struct file_range range = { (uint64_t)from_at, (uint64_t)to_at,
					  len };
	uint64_t done;
	int rc;

	if (from_at < 0 || to_at < 0)
		return -EINVAL;
	if (!handle_writes(to))
		return -EBADF;
	/* What failed before is told by the close, and not made good here. */
	if (to->state == HANDLE_SHORT)
		return -EOPNOTSUPP;
	rc = HANDLE_WRITE(fs, file_copy(to->file, from->file, &range, &done));
	if (rc)
		return rc;
	if (done) {
		handle_changed(to);
		to->written = true;
	}
	return (ssize_t)done;
}
