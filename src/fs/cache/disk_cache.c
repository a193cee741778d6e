/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range is cut at the bounds of segments (disk_segment.h); each piece of what
 * is saved is counted first (disk_usage.h). Reading and writing are turned off
 * apart: a full disk can still be read.
 */
#include "fs/cache/disk_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/log.h"
#include "base/number.h"
#include "fs/cache/disk_usage.h"

#define ROOM_MAX (64ULL << 20) /* of the disk, left free for others */
#define ROOM_PART 16 /* ... or this part of it, if that is less */

/* One of the two directions. */
struct disk_direction {
	const char *verb;
	_Atomic(int64_t) off_until_ms; /* 0: it works, as far as is known */
};

struct disk_cache {
	int dir;
	char *path; /* for messages */
	uint64_t limit;
	unsigned retry_ms;
	struct disk_direction reading, writing;
	_Atomic(bool) stop;
	_Atomic(bool) evicting;
	_Atomic(uint64_t) hits, misses, read, written, evicted, damaged;
};

/* ---- how much there is ---- */

static int cache_evict(struct disk_cache *c)
{
	struct disk_evicted gone;
	int rc = 0;

	if (atomic_exchange(&c->evicting, true))
		return 0;
	rc = disk_usage_evict(c->dir, c->limit, &c->stop, &gone);
	c->evicting = false;
	c->evicted += gone.bytes;
	return rc == -EAGAIN || rc == -ECANCELED ? 0 : rc;
}

/* As disk_usage_add(); a count that is not known is found out. */
static int cache_count(struct disk_cache *c, int64_t bytes, uint64_t *now)
{
	int rc = disk_usage_add(c->dir, bytes, c->limit, now);

	if (rc != -ENODATA && rc != -EDQUOT)
		return rc;
	rc = cache_evict(c);
	return rc ? rc : disk_usage_add(c->dir, bytes, c->limit, now);
}

/* ---- the directory ---- */

static int cache_check_dir(const struct disk_cache *c, struct buf *why)
{
	struct stat st;

	if (fstat(c->dir, &st))
		return -errno;
	if (st.st_uid != geteuid())
		buf_addf(why, "it belongs to user %u", (unsigned)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		buf_adds(why, "others may write to it (chmod go-w)");
	else
		return 0;
	return -EPERM;
}

static int cache_open_dir(struct disk_cache *c, struct buf *why)
{
	int rc = dirs_make(c->path, 0755, 0700);

	if (!rc) {
		c->dir = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = c->dir < 0 ? -errno : cache_check_dir(c, why);
	}
	if (rc && !why->len)
		buf_adds(why, strerror(-rc));
	return rc;
}

int disk_cache_open(const struct disk_settings *s, struct disk_cache **out,
		    struct buf *why)
{
	struct disk_cache *c = calloc(1, sizeof(*c));
	uint64_t now;
	int rc;

	*out = NULL;
	if (!c)
		return -ENOMEM;
	c->dir = -1;
	c->limit = s->limit;
	c->retry_ms = s->retry_ms;
	c->reading.verb = "read";
	c->writing.verb = "write to";
	c->path = strdup(s->dir);
	rc = c->path ? cache_open_dir(c, why) : -ENOMEM;
	if (rc) {
		disk_cache_free(c);
		return rc;
	}
	cache_count(c, 0, &now); /* a new one has none yet */
	*out = c;
	return 0;
}

static void cache_log_counts(const struct disk_cache *c)
{
	struct disk_counts n;

	disk_cache_counts(c, &n);
	log_info("%s: %llu reads of blocks, %llu not there; %llu bytes read, "
		 "%llu written, %llu evicted; %llu damaged files",
		 c->path, (unsigned long long)(n.hits + n.misses),
		 (unsigned long long)n.misses, (unsigned long long)n.read,
		 (unsigned long long)n.written, (unsigned long long)n.evicted,
		 (unsigned long long)n.damaged);
}

void disk_cache_free(struct disk_cache *c)
{
	if (!c)
		return;
	if (c->dir >= 0) {
		cache_log_counts(c);
		close(c->dir);
	}
	free(c->path);
	free(c);
}

void disk_cache_stop(struct disk_cache *c)
{
	c->stop = true;
}

/* ---- a disk that fails ---- */

static bool cache_is_on(const struct disk_direction *w)
{
	return w->off_until_ms <= clock_mono_ms();
}

/* One line when it begins to fail, and one when it works again. */
static void cache_failed(struct disk_cache *c, struct disk_direction *w, int rc)
{
	if (!atomic_exchange(&w->off_until_ms, clock_mono_ms() + c->retry_ms))
		log_warn("cannot %s the disk cache, and go on without: %s: %s",
			 w->verb, c->path, strerror(-rc));
}

static void cache_works(struct disk_cache *c, struct disk_direction *w)
{
	if (w->off_until_ms && atomic_exchange(&w->off_until_ms, 0))
		log_warn("can %s the disk cache again: %s", w->verb, c->path);
}

/* ---- loading ---- */

/* Up to where the segment that holds `at` goes. */
static uint64_t cache_segment_end(uint64_t at, uint64_t end)
{
	return number_min(end, (at / DISK_SEGMENT + 1) * DISK_SEGMENT);
}

bool disk_cache_may_have(struct disk_cache *c, const struct disk_version *v,
			 uint64_t at)
{
	char path[DISK_PATH_SIZE];

	disk_segment_path(v, at, path);
	if (cache_is_on(&c->reading) && !faccessat(c->dir, path, F_OK, 0))
		return true;
	c->misses++;
	return false;
}

static int cache_load(struct disk_cache *c, const struct disk_version *v,
		      uint64_t at, char *bytes, uint64_t end)
{
	uint64_t start = at;
	int rc = 0;

	while (!rc && at < end) {
		uint64_t to = cache_segment_end(at, end);

		rc = disk_segment_read(c->dir, v, at, bytes + (at - start),
				       (size_t)(to - at));
		at = to;
	}
	return rc;
}

static void cache_damaged(struct disk_cache *c)
{
	if (!c->damaged++)
		log_warn("a file of the disk cache was damaged, and has been "
			 "removed: %s",
			 c->path);
}

bool disk_cache_load(struct disk_cache *c, const struct disk_version *v,
		     uint64_t at, void *bytes, size_t len)
{
	uint64_t end = at + len;
	int rc = -ENOENT;

	if (!c->stop && cache_is_on(&c->reading) && at % DISK_PAGE == 0 &&
	    (end % DISK_PAGE == 0 || end == v->size))
		rc = cache_load(c, v, at, bytes, end);
	if (rc == -EBADMSG)
		cache_damaged(c);
	else if (rc && rc != -ENOENT)
		cache_failed(c, &c->reading, rc);
	if (rc) {
		c->misses++;
		return false;
	}
	cache_works(c, &c->reading);
	c->hits++;
	c->read += len;
	return true;
}

/* ---- saving ---- */

static int cache_has_room(const struct disk_cache *c, size_t len)
{
	struct statvfs st;
	uint64_t keep, free_bytes;

	if (fstatvfs(c->dir, &st))
		return -errno;
	keep = number_min(st.f_blocks / ROOM_PART * st.f_frsize, ROOM_MAX);
	free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return free_bytes < keep + len ? -ENOSPC : 0;
}

/* Within one segment. */
static int cache_save_piece(struct disk_cache *c, const struct disk_version *v,
			    uint64_t at, const void *bytes, size_t len)
{
	int64_t counted = (int64_t)len + DISK_PAGE, grown = 0;
	int rc = cache_has_room(c, len);
	uint64_t now = 0;

	if (!rc)
		rc = cache_count(c, counted, &now);
	if (rc)
		return rc;
	rc = disk_segment_write(c->dir, v, at, bytes, len, &grown);
	disk_usage_add(c->dir, grown - counted, UINT64_MAX, &now);
	if (!rc)
		c->written += len;
	if (!rc && disk_usage_is_high(now, c->limit))
		rc = cache_evict(c);
	return rc;
}

bool disk_cache_saves(struct disk_cache *c)
{
	return !c->stop && cache_is_on(&c->writing);
}

void disk_cache_save(struct disk_cache *c, const struct disk_version *v,
		     uint64_t at, const void *bytes, size_t len)
{
	uint64_t start = at, end = at + len;
	int rc = 0;

	at = (at + DISK_PAGE - 1) / DISK_PAGE * DISK_PAGE;
	if (end != v->size)
		end = end / DISK_PAGE * DISK_PAGE;
	if (at >= end || !cache_is_on(&c->writing))
		return;
	while (!rc && at < end) {
		uint64_t to = cache_segment_end(at, end);

		rc = cache_save_piece(c, v, at,
				      (const char *)bytes + (at - start),
				      (size_t)(to - at));
		at = to;
	}
	/* Others are evicting, or have the count: it is just not kept. */
	if (rc == -EDQUOT || rc == -EAGAIN || rc == -ENODATA)
		return;
	if (rc)
		cache_failed(c, &c->writing, rc);
	else
		cache_works(c, &c->writing);
}

void disk_cache_counts(const struct disk_cache *c, struct disk_counts *out)
{
	*out = (struct disk_counts){
		.hits = c->hits,
		.misses = c->misses,
		.read = c->read,
		.written = c->written,
		.evicted = c->evicted,
		.damaged = c->damaged,
	};
}
