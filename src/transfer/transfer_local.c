/*
 * Bytes move by copy_file_range(2), which clones where the file system can,
 * a chunk at a time: between two of them the progress is told and an interrupt
 * is seen. What is read is checked at the end for another program's having
 * written into it; what is written gathers in a file without a name, which
 * becomes the object.
 */
#include "transfer/transfer_local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/wait.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer.h"

#define CHUNK ((uint64_t)32 << 20)
#define COPY_BYTES (1u << 18)

bool transfer_local_is(const struct transfer_remote *r)
{
	return r->stage && r->stage->store->limits.files;
}

static int local_say(const struct transfer_remote *r, int rc, struct buf *why)
{
	if (rc == -EINTR)
		buf_adds(why, "interrupted");
	else if (rc && r->stage->store->broken)
		store_check(r->stage->store, "", why);
	else if (rc)
		buf_adds(why, store_error_words(r->stage->store, rc));
	return rc;
}

static int local_add_key(const struct transfer_remote *r, struct buf *out)
{
	buf_adds(out, r->stage->prefix);
	buf_adds(out, r->path);
	return buf_err(out) == -EMSGSIZE ? -ENAMETOOLONG : buf_err(out);
}

/* ---- bytes ---- */

/* n bytes, all of them; -EIO when the source ends early. */
static int local_copy(int from, uint64_t at, int to, uint64_t to_at, uint64_t n)
{
	int rc = io_copy(from, at, to, to_at, n);

	return rc == -ENODATA ? -EIO : rc;
}

static uint64_t local_chunk(uint64_t at, uint64_t size)
{
	return size - at < CHUNK ? size - at : CHUNK;
}

/* What a copy of that mode gets here: a file that is closed to others stays so.
 * umask(2) alone would have to be set to be read, for all threads. */
static mode_t local_copied_mode(mode_t mode)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned mask = 077;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	if (status)
		fclose(status);
	return mode & 0777 & ~mask;
}

/* ---- get ---- */

static int local_note(struct transfer_sink *sink,
		      const struct object_info *info, uint64_t done,
		      struct buf *why)
{
	struct transfer_state now = { .size = info->size, .done = done };

	memcpy(now.etag, info->etag, sizeof(now.etag));
	return transfer_sink_note(sink, &now, why);
}

static int local_copy_in(struct transfer *t, const struct transfer_remote *r,
			 int fd, struct transfer_sink *sink,
			 const struct object_info *info, uint64_t *done,
			 struct buf *why)
{
	int rc = 0;

	if (ftruncate(sink->fd, 0) ||
	    (sink->out_fd < 0 && info->mode &&
	     fchmod(sink->fd, local_copied_mode(info->mode))))
		return local_say(r, -errno, why);
	while (!rc && *done < info->size) {
		uint64_t n = local_chunk(*done, info->size);

		if (waiter_interrupted(waiter_self()))
			return local_say(r, -EINTR, why);
		rc = local_copy(fd, *done, sink->fd, *done - sink->base, n);
		local_say(r, rc, why);
		if (!rc) {
			*done += n;
			transfer_moved(t, (int64_t)n);
			rc = local_note(sink, info, *done, why);
		}
	}
	return rc;
}

int transfer_local_get(struct transfer *t, const struct transfer_remote *r,
		       struct transfer_sink *sink, struct object_info *info,
		       uint64_t *done, struct buf *why)
{
	struct store *store = r->stage->store;
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	int fd = -1, rc = local_add_key(r, &key);

	*done = 0;
	if (!rc)
		rc = store_open(store, buf_str(&key), NULL, &fd, info);
	local_say(r, rc, why);
	if (!rc)
		rc = local_copy_in(t, r, fd, sink, info, done, why);
	if (!rc)
		rc = local_say(r, store_same(store, fd, info->etag), why);
	if (fd >= 0)
		close(fd);
	buf_clear(&key);
	return rc;
}

/* ---- put ---- */

static int local_fill(struct transfer *t, int from, int to, uint64_t size)
{
	uint64_t at = 0;
	int rc = 0;

	while (!rc && at < size) {
		uint64_t n = local_chunk(at, size);

		if (waiter_interrupted(waiter_self()))
			rc = -EINTR;
		else
			rc = local_copy(from, at, to, at, n);
		if (!rc) {
			at += n;
			transfer_moved(t, (int64_t)n);
		}
	}
	if (rc)
		transfer_moved(t, -(int64_t)at);
	return rc;
}

int transfer_local_put(struct transfer *t, const struct transfer_remote *r,
		       int fd, uint64_t size, const struct stat *like,
		       struct buf *why)
{
	struct store_owner owner = { .uid = geteuid(), .gid = getegid() };
	const struct store_meta meta = {
		.owner = like ? &owner : NULL,
		.content_type = r->content_type,
	};
	struct store *store = r->stage->store;
	struct store_body body = { .data = "", .fd = -1 };
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	int to = -1, rc = local_add_key(r, &key);

	if (like)
		owner.mode = local_copied_mode(like->st_mode);
	if (r->stage->ro) {
		buf_adds(why, "the stage is read-only");
		rc = -EROFS;
		goto out;
	}
	if (!rc && fd >= 0)
		rc = store_scratch(store, buf_str(&key), &to);
	if (!rc && fd >= 0)
		rc = local_fill(t, fd, to, size);
	if (!rc && fd >= 0)
		body = (struct store_body){ .fd = to,
					    .len = size,
					    .adopt = true };
	if (!rc)
		rc = store_put(store, buf_str(&key), &body, &meta, NULL, NULL);
	local_say(r, rc, why);
out:
	if (to >= 0)
		close(to);
	buf_clear(&key);
	return rc;
}

/* ---- what is there already ---- */

static int local_compare(int a, int b, uint64_t size, bool *equal)
{
	char *x = malloc(COPY_BYTES), *y = malloc(COPY_BYTES);
	uint64_t at = 0;
	int rc = x && y ? 0 : -ENOMEM;

	*equal = !rc;
	while (!rc && *equal && at < size) {
		size_t n = size - at < COPY_BYTES ? size - at : COPY_BYTES;
		ssize_t got = io_pread(a, x, n, at);
		ssize_t other = io_pread(b, y, n, at);

		if (got < 0 || other < 0)
			rc = (int)(got < 0 ? got : other);
		else
			*equal = got > 0 && got == other &&
				 !memcmp(x, y, (size_t)got);
		at += got > 0 ? (uint64_t)got : 0;
	}
	free(x);
	free(y);
	return rc;
}

int transfer_local_equal(const struct transfer_remote *r, int fd, uint64_t size,
			 bool *equal)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	struct object_info info;
	int there = -1, rc = local_add_key(r, &key);

	*equal = false;
	if (!rc)
		rc = store_open(r->stage->store, buf_str(&key), NULL, &there,
				&info);
	if (!rc && info.size == size)
		rc = local_compare(fd, there, size, equal);
	if (there >= 0)
		close(there);
	buf_clear(&key);
	return rc == -ENOENT ? 0 : rc;
}
