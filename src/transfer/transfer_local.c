/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes move by copy_file_range(2), which clones where the file system can,
 * a chunk at a time: between two of them the progress is shown and an interrupt
 * is seen. What is read is checked at the end for another program's having
 * written into it; what is written gathers in a file without a name, which
 * becomes the object.
 */
#include "transfer/transfer_local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/number.h"
#include "base/proc.h"
#include "base/waiter.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer.h"

#define CHUNK ((uint64_t)32 << 20)
#define COPY_BYTES (1u << 18)

bool transfer_local_is(const struct transfer_remote *r)
{
	return r->stage && r->stage->store->limits.files;
}

/* ---- bytes ---- */

/* n bytes, all of them; -EIO when the source ends early. */
static int local_copy(int from, uint64_t at, int to, uint64_t to_at, uint64_t n)
{
	int rc = waiter_interrupted(waiter_self())
			 ? -EINTR
			 : io_copy(from, at, to, to_at, n);

	return rc == -ENODATA ? -EIO : rc;
}

/* umask(2) alone would have to be set to be read, for all threads. */
mode_t transfer_local_mode(mode_t mode)
{
	BUF_LOCAL status = BUF_INIT(BUF_MESSAGE);
	uint64_t mask;

	if (io_read_file("/proc/self/status", &status) ||
	    !proc_field(buf_str(&status), "Umask:", 8, &mask))
		mask = 077;
	return mode & 0777 & ~(mode_t)mask;
}

/* ---- get ---- */

static int local_copy_in(struct transfer *t, struct transfer_remote *r, int fd,
			 struct transfer_sink *sink,
			 const struct object_info *info, uint64_t *done,
			 struct buf *why)
{
	int rc = 0;

	if (ftruncate(sink->fd, 0) ||
	    (sink->out_fd < 0 && info->mode &&
	     fchmod(sink->fd, transfer_local_mode(info->mode))))
		return transfer_remote_fail(r, -errno, why);
	while (!rc && *done < info->size) {
		uint64_t n = number_min(info->size - *done, CHUNK);

		rc = transfer_pace(t, n);
		if (!rc)
			rc = local_copy(fd, *done, sink->fd, *done - sink->base,
					n);
		if (rc)
			return transfer_remote_fail(r, rc, why);
		*done += n;
		transfer_moved(t, (int64_t)n);
		rc = transfer_sink_note(sink, info, *done, why);
	}
	return rc;
}

int transfer_local_get(struct transfer *t, struct transfer_remote *r,
		       struct transfer_sink *sink, struct object_info *info,
		       uint64_t *done, struct buf *why)
{
	int fd, rc = store_open(r->store, r->key, NULL, &fd, info);

	*done = 0;
	if (rc)
		return transfer_remote_fail(r, rc, why);
	rc = local_copy_in(t, r, fd, sink, info, done, why);
	if (!rc) {
		rc = store_same(r->store, fd, info->etag);
		if (rc)
			transfer_remote_fail(r, rc, why);
	}
	close(fd);
	return rc;
}

/* ---- put ---- */

int transfer_local_fill(struct transfer *t, struct transfer_remote *r, int fd,
			uint64_t size, int *out)
{
	uint64_t at = 0;
	int to, rc = store_scratch(r->store, r->key, &to);

	if (rc)
		return rc;
	while (!rc && at < size) {
		uint64_t n = number_min(size - at, CHUNK);

		rc = transfer_pace(t, n);
		if (!rc)
			rc = local_copy(fd, at, to, at, n);
		if (!rc) {
			at += n;
			transfer_moved(t, (int64_t)n);
		}
	}
	if (rc) {
		transfer_moved(t, -(int64_t)at);
		close(to);
	} else {
		*out = to;
	}
	return rc;
}

/* ---- what is there already ---- */

static int local_compare(int a, int b, uint64_t size, bool *equal)
{
	MEM_LOCAL char *x = malloc(COPY_BYTES), *y = malloc(COPY_BYTES);
	uint64_t at = 0;
	int rc = x && y ? 0 : -ENOMEM;

	*equal = !rc;
	while (!rc && *equal && at < size) {
		size_t n = number_min(size - at, COPY_BYTES);
		ssize_t got = io_pread(a, x, n, at);
		ssize_t other = io_pread(b, y, n, at);

		if (got < 0 || other < 0)
			rc = (int)(got < 0 ? got : other);
		else
			*equal = got > 0 && got == other &&
				 !memcmp(x, y, (size_t)got);
		at += got > 0 ? (uint64_t)got : 0;
	}
	return rc;
}

int transfer_local_equal(const struct transfer_remote *r, int fd, uint64_t size,
			 bool *equal)
{
	struct object_info info;
	int there, rc = store_open(r->store, r->key, NULL, &there, &info);

	*equal = false;
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (info.size == size)
		rc = local_compare(fd, there, size, equal);
	close(there);
	return rc;
}
