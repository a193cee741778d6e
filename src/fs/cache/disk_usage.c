/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eviction goes through the folders twice: files are counted by their age
 * first, in a few hundred steps that grow with it, and then those are removed
 * that are older than the step at which enough is free, and of that step as
 * many as it takes. So a cache of millions of files takes no memory.
 */
#include "fs/cache/disk_usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/number.h"
#include "base/waiter.h"
#include "fs/cache/disk_segment.h"

#define USAGE "usage"
#define LOCK_COUNT 0 /* bytes of the file that stand for the locks */
#define LOCK_EVICT 1
#define TRIES 100 /* a millisecond apart */
#define ASIDE_MS 600000 /* what is older was left by a daemon that was killed */
#define FOLDERS 256
#define FINE 8 /* steps of a doubling of the age */
#define STEPS (64 * FINE)

static int usage_lock(int fd, off_t which)
{
	struct flock l = { .l_type = F_WRLCK,
			   .l_whence = SEEK_SET,
			   .l_start = which,
			   .l_len = 1 };

	if (!fcntl(fd, F_OFD_SETLK, &l))
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

/* Daemons hold the count for microseconds, unless one is stopped. */
static int usage_lock_count(int fd)
{
	int rc = usage_lock(fd, LOCK_COUNT);

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		waiter_park(waiter_self(), clock_mono_ms() + 1);
		rc = usage_lock(fd, LOCK_COUNT);
	}
	return rc;
}

static int usage_read(int fd, uint64_t *count)
{
	ssize_t got = io_pread(fd, count, sizeof(*count), 0);

	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(*count) || *count > INT64_MAX / 2)
		return -ENODATA;
	return 0;
}

static int usage_change(int fd, int64_t bytes, uint64_t limit, uint64_t *now)
{
	uint64_t count;
	int rc = usage_read(fd, &count);

	if (rc)
		return rc;
	if (bytes > 0 && count + (uint64_t)bytes > limit)
		return -EDQUOT;
	if (bytes < 0 && count < (uint64_t)-bytes)
		count = 0;
	else
		count += (uint64_t)bytes;
	*now = count;
	return io_pwrite(fd, &count, sizeof(count), 0);
}

int disk_usage_add(int dir, int64_t bytes, uint64_t limit, uint64_t *now)
{
	int fd = openat(dir, USAGE, O_RDWR | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	rc = usage_lock_count(fd);
	if (!rc)
		rc = usage_change(fd, bytes, limit, now);
	close(fd);
	return rc;
}

bool disk_usage_is_high(uint64_t now, uint64_t limit)
{
	return now > limit - limit / 16;
}

/* ---- eviction ---- */

struct usage_walk {
	const _Atomic(bool) *stop;
	int64_t now_ms;
	void (*each)(struct usage_walk *w, int folder, const char *name,
		     const struct stat *st);
	uint64_t by_age[STEPS];
	/* What goes: older than the step, and so many bytes of it. */
	unsigned step;
	uint64_t of_step;
	struct disk_evicted *out;
};

static int64_t usage_ms(struct timespec t)
{
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static unsigned usage_age(const struct usage_walk *w, const struct stat *st)
{
	int64_t ms = w->now_ms - usage_ms(st->st_mtim);
	uint64_t age = ms > 0 ? (uint64_t)ms : 0;
	unsigned log = 0;

	if (age < FINE)
		return (unsigned)age;
	while (age >> log >= 2 * FINE)
		log++;
	return FINE * log + (unsigned)(age >> log);
}

static uint64_t usage_bytes(const struct stat *st)
{
	return (uint64_t)st->st_blocks * 512;
}

static void usage_count(struct usage_walk *w, int folder, const char *name,
			const struct stat *st)
{
	if (disk_segment_is_aside(name) &&
	    usage_ms(st->st_mtim) + ASIDE_MS < w->now_ms &&
	    !unlinkat(folder, name, 0))
		return;
	w->out->kept += usage_bytes(st);
	if (disk_segment_is_name(name))
		w->by_age[usage_age(w, st)] += usage_bytes(st);
}

static void usage_remove(struct usage_walk *w, int folder, const char *name,
			 const struct stat *st)
{
	unsigned age = usage_age(w, st);
	uint64_t bytes = usage_bytes(st);

	if (!disk_segment_is_name(name) || age < w->step ||
	    (age == w->step && !w->of_step) || unlinkat(folder, name, 0))
		return;
	if (age == w->step)
		w->of_step -= number_min(bytes, w->of_step);
	w->out->kept -= number_min(bytes, w->out->kept);
	w->out->files++;
	w->out->bytes += bytes;
}

static int usage_walk_folder(struct usage_walk *w, int folder)
{
	DIR *d = fdopendir(folder);
	struct dirent *e;
	struct stat st;

	if (!d) {
		int rc = -errno;

		close(folder);
		return rc;
	}
	while (!*w->stop && (e = readdir(d)))
		if ((disk_segment_is_name(e->d_name) ||
		     disk_segment_is_aside(e->d_name)) &&
		    !fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			w->each(w, folder, e->d_name, &st);
	closedir(d);
	return 0;
}

static int usage_walk_all(struct usage_walk *w, int dir)
{
	char name[3];
	int rc = 0;

	for (unsigned i = 0; i < FOLDERS && !rc; i++) {
		int folder;

		snprintf(name, sizeof(name), "%02x", i);
		folder =
			openat(dir, name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (folder >= 0)
			rc = usage_walk_folder(w, folder);
		else if (errno != ENOENT)
			rc = -errno;
	}
	return *w->stop ? -ECANCELED : rc;
}

/* Where it is cut for so many bytes to go. */
static void usage_cut(struct usage_walk *w, uint64_t need)
{
	w->step = STEPS;
	w->of_step = 0;
	while (need && w->step) {
		uint64_t here = w->by_age[--w->step];

		w->of_step = number_min(need, here);
		need -= w->of_step;
	}
}

static int usage_walk_twice(struct usage_walk *w, int dir, uint64_t limit)
{
	int rc;

	w->each = usage_count;
	rc = usage_walk_all(w, dir);
	if (rc || !disk_usage_is_high(w->out->kept, limit))
		return rc;
	usage_cut(w, w->out->kept - (limit - limit / 8));
	w->each = usage_remove;
	return usage_walk_all(w, dir);
}

/* What others have added since the walk began was seen by it or not: it counts
 * in full. */
static int usage_set(int fd, uint64_t began, uint64_t count)
{
	uint64_t now;
	int rc = usage_lock_count(fd);

	if (rc)
		return rc;
	if (!usage_read(fd, &now) && now > began)
		count += now - began;
	return io_pwrite(fd, &count, sizeof(count), 0);
}

int disk_usage_evict(int dir, uint64_t limit, const _Atomic(bool) *stop,
		     struct disk_evicted *out)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	struct usage_walk w = { .stop = stop,
				.now_ms = usage_ms(clock_now()),
				.out = out };
	int fd = openat(dir, USAGE, flags, 0600), rc;
	uint64_t began;

	*out = (struct disk_evicted){ 0 };
	if (fd < 0)
		return -errno;
	rc = usage_lock(fd, LOCK_EVICT);
	if (usage_read(fd, &began))
		began = UINT64_MAX;
	if (!rc)
		rc = usage_walk_twice(&w, dir, limit);
	if (!rc)
		rc = usage_set(fd, began, out->kept);
	close(fd);
	return rc;
}
