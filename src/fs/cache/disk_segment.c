/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read in large pieces and stands in no page cache goes past it: that
 * halves the processor time, and the kernel has these bytes once more as those
 * of the mount.
 */
#include "fs/cache/disk_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/number.h"
#include "base/random.h"

#define MAGIC "stagefsC"
#define FORMAT 1U
#define PAGES (DISK_SEGMENT / DISK_PAGE)
#define VERSION_MAX 8192 /* bytes of what is hashed */
#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define DIRECT_MIN (256U << 10) /* bytes that are worth it */
#define SUMS_STEP 64 /* pages whose sums are looked at in one go */

struct segment_head {
	char magic[8];
	uint32_t format;
	uint32_t sum; /* of the whole, with 0 here */
	unsigned char hash[SHA256_SIZE];
	uint64_t size, number;
};

/* A file's beginning, as it is on the disk. */
struct segment {
	struct segment_head head;
	uint32_t sums[PAGES];
};

int disk_segment_version(struct disk_version *v, const char *store,
			 const char *key, const char *etag, uint64_t size)
{
	char room[2048];
	struct buf b;
	int rc;

	buf_init_on(&b, room, sizeof(room), VERSION_MAX);
	buf_add(&b, store, strlen(store) + 1);
	buf_add(&b, key, strlen(key) + 1);
	buf_add(&b, etag, strlen(etag) + 1);
	buf_add(&b, &size, sizeof(size));
	rc = buf_err(&b);
	if (!rc)
		sha256(b.data, b.len, v->hash);
	buf_clear(&b);
	v->size = size;
	return rc;
}

void disk_segment_path(const struct disk_version *v, uint64_t at,
		       char out[DISK_PATH_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	hex_encode(v->hash, sizeof(v->hash), hex);
	snprintf(out, DISK_PATH_SIZE, "%.2s/%s-%llx", hex, hex + 2,
		 (unsigned long long)(at / DISK_SEGMENT));
}

static bool segment_name(const char *name, const char *end)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = SHA256_HEX_SIZE - 3;

	if (strspn(name, digits) != n || name[n] != '-')
		return false;
	name += n + 1;
	n = strspn(name, digits);
	return n && (*end ? name[n] == *end : !name[n]);
}

bool disk_segment_is_name(const char *name)
{
	return segment_name(name, "");
}

bool disk_segment_is_aside(const char *name)
{
	return segment_name(name, ".");
}

/* ---- where things stand in a file ---- */

static uint32_t segment_pages(const struct disk_version *v, uint64_t at)
{
	uint64_t start = at / DISK_SEGMENT * DISK_SEGMENT;
	uint64_t len = number_min(v->size - start, DISK_SEGMENT);

	return (uint32_t)((len + DISK_PAGE - 1) / DISK_PAGE);
}

static size_t segment_begin(uint32_t pages)
{
	return sizeof(struct segment_head) + pages * sizeof(uint32_t);
}

/* Where the byte at that offset of the object stands. */
static uint64_t segment_place(const struct disk_version *v, uint64_t at)
{
	uint64_t begin = segment_begin(segment_pages(v, at));

	return (begin + DISK_PAGE - 1) / DISK_PAGE * DISK_PAGE +
	       at % DISK_SEGMENT;
}

static void segment_head_of(const struct disk_version *v, uint64_t at,
			    struct segment_head *out)
{
	*out = (struct segment_head){
		.format = FORMAT,
		.size = v->size,
		.number = at / DISK_SEGMENT,
	};
	memcpy(out->magic, MAGIC, sizeof(out->magic));
	memcpy(out->hash, v->hash, sizeof(out->hash));
	out->sum = crc32c(0, out, sizeof(*out));
}

/* The sums of these bytes. 0 stands for a page that is not here. */
static void segment_sums(const void *bytes, size_t len, uint32_t *out)
{
	for (size_t at = 0; at < len; at += DISK_PAGE) {
		uint32_t sum = crc32c(0, (const char *)bytes + at,
				      number_min(len - at, DISK_PAGE));

		*out++ = sum ? sum : UINT32_MAX;
	}
}

static uint32_t *segment_sums_at(struct segment *s, uint64_t at)
{
	return s->sums + at % DISK_SEGMENT / DISK_PAGE;
}

static size_t segment_count(size_t len)
{
	return (len + DISK_PAGE - 1) / DISK_PAGE;
}

static int segment_damaged(int dir, const char *path)
{
	unlinkat(dir, path, 0);
	return -EBADMSG;
}

/* Opens the file and reads its beginning. As disk_segment_read(). */
static int segment_open(int dir, const char *path, int flags,
			const struct disk_version *v, uint64_t at,
			struct segment *s, int *fd)
{
	size_t begin = segment_begin(segment_pages(v, at));
	struct segment_head want;
	ssize_t got;
	int rc = 0;

	*fd = openat(dir, path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return -errno;
	posix_fadvise(*fd, 0, 0, POSIX_FADV_RANDOM); /* no more than is read */
	segment_head_of(v, at, &want);
	got = io_pread(*fd, s, begin, 0);
	if (got < 0)
		rc = (int)got;
	else if ((size_t)got < begin || memcmp(&want, &s->head, sizeof(want)))
		rc = segment_damaged(dir, path);
	if (!rc)
		return 0;
	close(*fd);
	*fd = -1;
	return rc;
}

/* ---- reading ---- */

static bool segment_has(struct segment *s, uint64_t at, size_t len)
{
	const uint32_t *sums = segment_sums_at(s, at);

	for (size_t i = 0; i < segment_count(len); i++)
		if (!sums[i])
			return false;
	return true;
}

static bool segment_matches(struct segment *s, uint64_t at, const void *bytes,
			    size_t len)
{
	uint32_t now[SUMS_STEP];
	size_t step = sizeof(now) / sizeof(*now) * DISK_PAGE;

	for (size_t done = 0; done < len; done += step) {
		size_t n = number_min(len - done, step);

		segment_sums((const char *)bytes + done, n, now);
		if (memcmp(now, segment_sums_at(s, at + done),
			   segment_count(n) * sizeof(*now)))
			return false;
	}
	return true;
}

/* The time at which it was used last decides what goes first. */
static void segment_used(int fd)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT },
					 { .tv_nsec = UTIME_NOW } };
	struct stat st;

	if (!fstat(fd, &st) && st.st_mtime + DISK_USED_S < time(NULL))
		futimens(fd, now);
}

/* Not by a read that would not wait (RWF_NOWAIT): it starts read-ahead. */
static bool segment_in_page_cache(int fd, uint64_t at)
{
	unsigned char there = 0;
	void *page =
		mmap(NULL, DISK_PAGE, PROT_READ, MAP_SHARED, fd, (off_t)at);

	if (page == MAP_FAILED)
		return false;
	if (mincore(page, DISK_PAGE, &there))
		there = 0;
	munmap(page, DISK_PAGE);
	return there & 1;
}

static ssize_t segment_pread(int fd, void *bytes, size_t len, uint64_t at)
{
	bool direct = len >= DIRECT_MIN && len % DISK_PAGE == 0 &&
		      (uintptr_t)bytes % DISK_PAGE == 0 &&
		      !segment_in_page_cache(fd, at + len - DISK_PAGE) &&
		      !fcntl(fd, F_SETFL, O_DIRECT);
	ssize_t got = io_pread(fd, bytes, len, at);

	if (got != -EINVAL || !direct)
		return got;
	fcntl(fd, F_SETFL, 0); /* a disk that wants it otherwise */
	return io_pread(fd, bytes, len, at);
}

int disk_segment_read(int dir, const struct disk_version *v, uint64_t at,
		      void *bytes, size_t len)
{
	char path[DISK_PATH_SIZE];
	struct segment s;
	ssize_t got;
	int fd, rc;

	disk_segment_path(v, at, path);
	rc = segment_open(dir, path, O_RDONLY, v, at, &s, &fd);
	if (rc)
		return rc;
	if (segment_has(&s, at, len)) {
		got = segment_pread(fd, bytes, len, segment_place(v, at));
		if (got < 0)
			rc = (int)got;
		else if ((size_t)got < len ||
			 !segment_matches(&s, at, bytes, len))
			rc = segment_damaged(dir, path);
		else
			segment_used(fd);
	} else {
		rc = -ENOENT;
	}
	close(fd);
	return rc;
}

/* ---- writing ---- */

static int64_t segment_taken(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (int64_t)st.st_blocks * 512;
}

/* The pages' sums are in s. */
static int segment_put(int fd, struct segment *s, const struct disk_version *v,
		       uint64_t at, const void *bytes, size_t len)
{
	const uint32_t *sums = segment_sums_at(s, at);
	int rc = io_pwrite(fd, bytes, len, segment_place(v, at));

	return rc ? rc
		  : io_pwrite(fd, sums, segment_count(len) * sizeof(*sums),
			      (uint64_t)((const char *)sums - (const char *)s));
}

/* To a file that is there already. */
static int segment_add(int fd, struct segment *s, const struct disk_version *v,
		       uint64_t at, const void *bytes, size_t len,
		       int64_t *grown)
{
	int64_t before = segment_taken(fd);
	int rc;

	if (segment_matches(s, at, bytes, len))
		return 0;
	segment_sums(bytes, len, segment_sums_at(s, at));
	rc = segment_put(fd, s, v, at, bytes, len);
	*grown = segment_taken(fd) - before;
	return rc;
}

static int segment_make_aside(int dir, const char *aside)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir, aside, flags, FILE_MODE);
	char folder[3] = { aside[0], aside[1] };

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dir, folder, FOLDER_MODE) && errno != EEXIST)
		return -errno;
	fd = openat(dir, aside, flags, FILE_MODE);
	return fd < 0 ? -errno : fd;
}

/* A file with these pages alone. One that another daemon makes at the same
 * time is replaced: what it had is fetched again some day. */
static int segment_make(int dir, const char *path, struct segment *s,
			const struct disk_version *v, uint64_t at,
			const void *bytes, size_t len, int64_t *grown)
{
	char aside[DISK_PATH_SIZE + 10], random[9];
	int fd, rc;

	random_hex(random, 4);
	snprintf(aside, sizeof(aside), "%s.%s", path, random);
	fd = segment_make_aside(dir, aside);
	if (fd < 0)
		return fd;
	memset(s->sums, 0, sizeof(s->sums));
	segment_head_of(v, at, &s->head);
	segment_sums(bytes, len, segment_sums_at(s, at));
	rc = io_pwrite(fd, s, segment_begin(segment_pages(v, at)), 0);
	if (!rc)
		rc = segment_put(fd, s, v, at, bytes, len);
	if (!rc && renameat(dir, aside, dir, path))
		rc = -errno;
	if (rc)
		unlinkat(dir, aside, 0);
	else
		*grown = segment_taken(fd);
	close(fd);
	return rc;
}

int disk_segment_write(int dir, const struct disk_version *v, uint64_t at,
		       const void *bytes, size_t len, int64_t *grown)
{
	char path[DISK_PATH_SIZE];
	struct segment s;
	int fd, rc;

	*grown = 0;
	disk_segment_path(v, at, path);
	rc = segment_open(dir, path, O_RDWR, v, at, &s, &fd);
	if (rc == -ENOENT || rc == -EBADMSG)
		return segment_make(dir, path, &s, v, at, bytes, len, grown);
	if (rc)
		return rc;
	rc = segment_add(fd, &s, v, at, bytes, len, grown);
	close(fd);
	return rc;
}
