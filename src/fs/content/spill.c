/*
 * An unlinked file (O_TMPFILE where the file system has it), so that a killed
 * daemon leaves nothing. The disk is asked for its room before each write,
 * because a file system that is full to the last byte hurts others than us.
 *
 * What is kept of parts that leave (optional) goes past the page cache while
 * the disk is fast: it is hardly ever read, and to fill fresh pages with it
 * costs more than half of all that a stream costs. A disk that takes its time
 * gets the rest through the page cache, which does not hold up the writer.
 */
#include "fs/content/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/io.h"

#define ROOM_MAX (64ULL << 20) /* left free by what must be written */
#define DIRECT_ALIGN 4096 /* bytes; of memory, offset and length */
#define DIRECT_KB_PER_MS 200 /* a slower disk is left to the page cache */

static int spill_open_named(const char *dir)
{
	struct buf path = BUF_INIT(BUF_MESSAGE);
	int fd = -1;

	buf_addf(&path, "%s/spill-XXXXXX", dir);
	if (buf_err(&path)) {
		buf_clear(&path);
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.data);
	buf_clear(&path);
	return fd;
}

static int spill_open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = spill_open_named(dir);
	return fd;
}

int spill_new(const char *dir, struct spill **out)
{
	struct spill *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : -ENOMEM;

	if (rc)
		return rc;
	s->refs = 1;
	s->fd = spill_open_unnamed(dir);
	if (s->fd < 0 && errno == ENOENT) {
		rc = dirs_make(dir, 0755, 0700);
		if (!rc)
			s->fd = spill_open_unnamed(dir);
	}
	if (!rc && s->fd < 0)
		rc = -errno;
	if (rc)
		free(s);
	else
		*out = s;
	return rc;
}

static void spill_direct_off(struct spill *s)
{
	if (s->direct == SPILL_DIRECT_ON)
		close(s->direct_fd);
	s->direct = SPILL_DIRECT_OFF;
}

/* The file once more, past the page cache; not every file system can. */
static void spill_direct_try(struct spill *s)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	s->direct_fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	s->direct = s->direct_fd < 0 ? SPILL_DIRECT_OFF : SPILL_DIRECT_ON;
}

static bool spill_direct_fits(struct spill *s, uint64_t offset,
			      const void *bytes, size_t len)
{
	if (((uintptr_t)bytes | offset | len) % DIRECT_ALIGN)
		return false;
	if (s->direct == SPILL_DIRECT_UNTRIED)
		spill_direct_try(s);
	return s->direct == SPILL_DIRECT_ON;
}

/* How many of the bytes it took; the others are for the page cache, as is all
 * that follows a failure or a slow answer. */
static size_t spill_write_direct(struct spill *s, uint64_t offset,
				 const char *bytes, size_t len)
{
	int64_t began_ms = clock_mono_ms(), took_ms;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(s->direct_fd, bytes + done, len - done,
				   (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n % DIRECT_ALIGN)
			break;
		done += (size_t)n;
	}
	took_ms = clock_mono_ms() - began_ms;
	if (done < len || took_ms > (int64_t)(len >> 10) / DIRECT_KB_PER_MS)
		spill_direct_off(s);
	return done;
}

struct spill *spill_ref(struct spill *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void spill_unref(struct spill *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	spill_direct_off(s);
	close(s->fd);
	free(s);
}

static int spill_check_room(int fd, size_t len, int optional)
{
	struct statvfs fs;
	uint64_t total, room, left;

	if (fstatvfs(fd, &fs))
		return -errno;
	total = (uint64_t)fs.f_blocks * fs.f_frsize;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	left = total / (optional ? 20 : 100);
	if (!optional && left > ROOM_MAX)
		left = ROOM_MAX;
	return room < len || room - len < left ? -ENOSPC : 0;
}

int spill_write(struct spill *s, uint64_t offset, const void *bytes, size_t len,
		int optional)
{
	const char *from = bytes;
	int rc = spill_check_room(s->fd, len, optional);

	if (!rc && optional && spill_direct_fits(s, offset, bytes, len)) {
		size_t n = spill_write_direct(s, offset, bytes, len);

		from += n;
		offset += n;
		len -= n;
	}
	if (!rc)
		rc = io_pwrite(s->fd, from, len, offset);
	/* No more goes here, whatever the reason. */
	return rc == -EFBIG || rc == -EDQUOT ? -ENOSPC : rc;
}

int spill_read(struct spill *s, uint64_t offset, void *bytes, size_t len)
{
	return io_pread_zeros(s->fd, bytes, len, offset);
}

int spill_truncate(struct spill *s, uint64_t size)
{
	if (!ftruncate(s->fd, (off_t)size))
		return 0;
	return errno == EFBIG ? -ENOSPC : -errno;
}

int spill_zero(struct spill *s, uint64_t start, uint64_t end)
{
	static const char zeros[4096];
	struct stat st;
	uint64_t size;
	int rc = 0;

	if (fstat(s->fd, &st))
		return -errno;
	size = (uint64_t)st.st_size;
	if (size < end)
		rc = spill_truncate(s, end);
	if (rc || size <= start)
		return rc;
	if (size < end)
		end = size;
	if (!fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)start, (off_t)(end - start)))
		return 0;
	while (!rc && start < end) {
		size_t n = sizeof(zeros);

		if (n > end - start)
			n = (size_t)(end - start);
		rc = spill_write(s, start, zeros, n, 0);
		start += n;
	}
	return rc;
}
