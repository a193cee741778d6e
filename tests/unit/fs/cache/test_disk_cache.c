/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk cache as a whole: which directories it takes, what is kept, what
 * goes first, that the bound holds for two of them, and a disk that fails.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "disk_dir.h"
#include "fs/cache/disk_cache.h"
#include "fs/cache/disk_usage.h"

#define PAGE DISK_PAGE
#define KIB 1024
#define MIB (1024 * KIB)
#define SIZE (DISK_SEGMENT + MIB + 100)
#define SMALL (64 * KIB) /* bytes of a small object */

#define LONG_MS 3600000
static unsigned retry_ms = LONG_MS;
static char *object, *room;
static struct disk_version large;

static int setup(void **state)
{
	object = malloc(SIZE);
	room = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		object[i] = (char)(i * 2654435761U >> 11);
	return disk_segment_version(&large, "s", "k", "\"e\"", SIZE);
}

static int teardown(void **state)
{
	free(object);
	free(room);
	return 0;
}

static struct disk_cache *open_limit(const struct disk_dir *d, uint64_t limit)
{
	const struct disk_settings set = { .dir = d->path,
					   .limit = limit,
					   .retry_ms = retry_ms };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct disk_cache *c;

	row_number(buf_str(&why), disk_cache_open(&set, &c, &why), 0);
	return c;
}

static bool look(struct disk_cache *c, const struct disk_version *v,
		 uint64_t at, size_t len)
{
	if (!disk_cache_load(c, v, at, room, len))
		return false;
	assert_memory_equal(room, object + at, len);
	return true;
}

/* ---- the directory ---- */

static const struct {
	const char *says;
	const char *make; /* a shell text in an empty directory */
	const char *dir; /* below it */
	bool root; /* needs root */
	int rc;
	const char *why;
} directories[] = {
	{ "one that is there", "mkdir -m 700 a", "a", false, 0, "" },
	{ "one that others may read", "mkdir -m 755 a", "a", false, 0, "" },
	{ "one that is made", "true", "a/b", false, 0, "" },
	{ "by a symbolic link", "mkdir -m 700 a; ln -s a b", "b", false, 0,
	  "" },
	{ "a file", "touch a", "a", false, -ENOTDIR, "Not a directory" },
	{ "below a file", "touch a", "a/b", false, -ENOTDIR,
	  "Not a directory" },
	{ "one that the group may write to", "mkdir -m 770 a", "a", false,
	  -EPERM, "others may write to it (chmod go-w)" },
	{ "one that all may write to", "mkdir -m 1777 a", "a", false, -EPERM,
	  "others may write to it (chmod go-w)" },
	{ "another user's", "mkdir -m 700 a; chown 1234 a", "a", true, -EPERM,
	  "it belongs to user 1234" },
};

static void test_directories(void **state)
{
	for (size_t i = 0; i < COUNT(directories); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct disk_settings set = { .limit = MIB };
		struct disk_cache *c;
		struct disk_dir d;
		char text[200];
		struct stat st;

		if (directories[i].root && geteuid())
			continue;
		disk_dir_make(&d);
		snprintf(text, sizeof(text), "umask 022; cd %s && { %s; }",
			 d.path, directories[i].make);
		assert_int_equal(system(text), 0);
		snprintf(text, sizeof(text), "%s/%s", d.path,
			 directories[i].dir);
		set.dir = text;
		row_number(directories[i].says, disk_cache_open(&set, &c, &why),
			   directories[i].rc);
		row_equal(directories[i].says, buf_str(&why),
			  directories[i].why);
		if (!strcmp(directories[i].make, "true")) {
			assert_int_equal(stat(text, &st), 0);
			assert_int_equal(st.st_mode & 0777, 0700);
		}
		disk_cache_free(c);
		buf_clear(&why);
		disk_dir_remove(&d);
	}
}

/* ---- ranges ---- */

/* One after the other. */
static const struct {
	const char *says;
	bool save;
	uint64_t at, end;
	bool there; /* of a load */
} ranges[] = {
	{ "nothing", false, 0, PAGE, false },
	{ "over two segments", true, DISK_SEGMENT - 3 * PAGE,
	  DISK_SEGMENT + 2 * PAGE, true },
	{ "it is there", false, DISK_SEGMENT - 3 * PAGE,
	  DISK_SEGMENT + 2 * PAGE, true },
	{ "and a part of it", false, DISK_SEGMENT - PAGE, DISK_SEGMENT + PAGE,
	  true },
	{ "more is not", false, DISK_SEGMENT - 3 * PAGE,
	  DISK_SEGMENT + 3 * PAGE, false },
	{ "pieces of pages", true, 10 * PAGE + 5, 12 * PAGE + 7, true },
	{ "the whole page between", false, 11 * PAGE, 12 * PAGE, true },
	{ "not the page before", false, 10 * PAGE, 12 * PAGE, false },
	{ "nor the one behind", false, 11 * PAGE, 13 * PAGE, false },
	{ "less than a page", true, 20 * PAGE + 5, 21 * PAGE - 5, true },
	{ "is not kept", false, 20 * PAGE, 21 * PAGE, false },
	{ "the end of the object", true, SIZE - 100 - PAGE, SIZE, true },
	{ "is kept", false, SIZE - 100, SIZE, true },
	{ "a load that begins within a page", false, DISK_SEGMENT + 1,
	  DISK_SEGMENT + PAGE, false },
	{ "a load that ends within one", false, DISK_SEGMENT,
	  DISK_SEGMENT + PAGE - 1, false },
};

static void test_ranges(void **state)
{
	struct disk_version other;
	struct disk_counts n;
	struct disk_cache *c;
	struct disk_dir d;

	disk_dir_make(&d);
	c = open_limit(&d, 64 * MIB);
	for (size_t i = 0; i < COUNT(ranges); i++) {
		size_t len = (size_t)(ranges[i].end - ranges[i].at);

		if (ranges[i].save)
			disk_cache_save(c, &large, ranges[i].at,
					object + ranges[i].at, len);
		else
			row_number(ranges[i].says,
				   look(c, &large, ranges[i].at, len),
				   ranges[i].there);
	}
	assert_true(disk_cache_may_have(c, &large, 5));
	assert_int_equal(disk_segment_version(&other, "s", "k", "\"f\"", SIZE),
			 0);
	assert_false(disk_cache_may_have(c, &other, 5));
	assert_false(look(c, &other, 11 * PAGE, PAGE));
	disk_cache_counts(c, &n);
	assert_int_equal(n.hits, 4);
	assert_int_equal(n.misses, 9);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.written, 5 * PAGE + PAGE + PAGE + 100);
	disk_cache_free(c);
	/* after a restart */
	c = open_limit(&d, 64 * MIB);
	assert_true(look(c, &large, SIZE - 100, 100));
	/* when it stops, nothing is loaded any more */
	disk_cache_stop(c);
	assert_false(look(c, &large, SIZE - 100, 100));
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* ---- the bound ---- */

static void small_version(unsigned i, struct disk_version *v)
{
	char key[20];

	snprintf(key, sizeof(key), "small%u", i);
	assert_int_equal(disk_segment_version(v, "s", key, "\"e\"", SMALL), 0);
}

static void save_small(struct disk_cache *c, unsigned i)
{
	struct disk_version v;

	small_version(i, &v);
	disk_cache_save(c, &v, 0, object, SMALL);
}

static bool look_small(struct disk_cache *c, unsigned i)
{
	struct disk_version v;

	small_version(i, &v);
	return look(c, &v, 0, SMALL);
}

/* It was used so long ago. */
static void age_small(struct disk_dir *d, unsigned i, time_t age)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
				 { .tv_sec = time(NULL) - age } };
	char path[DISK_PATH_SIZE];
	struct disk_version v;

	small_version(i, &v);
	disk_segment_path(&v, 0, path);
	assert_int_equal(utimensat(d->fd, path, t, 0), 0);
}

static uint64_t counted(struct disk_dir *d)
{
	uint64_t now = 0;
	int rc;

	do /* another thread may be at it */
		rc = disk_usage_add(d->fd, 0, UINT64_MAX, &now);
	while (rc == -EAGAIN);
	assert_int_equal(rc, 0);
	return now;
}

/* What was not used for longest goes first, and what is not ours stays. */
static void test_eviction(void **state)
{
	time_t age = 100 * 86400;
	struct disk_counts n;
	struct disk_cache *c;
	struct disk_dir d;

	disk_dir_make(&d);
	c = open_limit(&d, 20 * (SMALL + PAGE));
	for (unsigned i = 0; i < 18; i++) {
		save_small(c, i);
		age_small(&d, i, age);
		age -= age / 4;
	}
	assert_int_equal(counted(&d), disk_dir_bytes(&d));
	assert_true(look_small(c, 0)); /* used just now */
	assert_false(look_small(c, 18));
	save_small(c, 18);
	save_small(c, 19);
	save_small(c, 20);
	disk_cache_counts(c, &n);
	assert_true(n.evicted > 0);
	assert_true(look_small(c, 0));
	/* twice two, of 20 that there is room for */
	for (unsigned i = 1; i <= 20; i++)
		row_number("what is younger stays", look_small(c, i), i > 4);
	assert_int_equal(counted(&d), disk_dir_bytes(&d));
	disk_cache_free(c);
	disk_dir_remove(&d);
}

static void test_foreign_files_stay(void **state)
{
	static const char *const theirs[] = { "00/notes", "00/.hidden",
					      "letter" };
	struct disk_evicted gone;
	_Atomic(bool) stop = false;
	char text[400];
	struct disk_cache *c;
	struct disk_dir d;

	disk_dir_make(&d);
	c = open_limit(&d, 64 * MIB);
	for (unsigned i = 0; i < 10; i++)
		save_small(c, i);
	assert_int_equal(mkdirat(d.fd, "00", 0700) && errno != EEXIST, 0);
	for (size_t i = 0; i < COUNT(theirs); i++)
		close(openat(d.fd, theirs[i], O_CREAT | O_WRONLY, 0600));
	/* what daemons left that were killed while they made it */
	snprintf(text, sizeof(text),
		 "cd %s/00 && n=$(printf %%062d 0)-0 && echo x >$n.00112233 && "
		 "echo x >$n.44556677 && touch -d '1 hour ago' $n.00112233",
		 d.path);
	assert_int_equal(system(text), 0);
	assert_int_equal(disk_usage_evict(d.fd, 0, &stop, &gone), 0);
	assert_int_equal(gone.files, 10);
	for (size_t i = 0; i < COUNT(theirs); i++)
		row_number(theirs[i], faccessat(d.fd, theirs[i], F_OK, 0), 0);
	assert_int_equal(disk_dir_files(&d), 3); /* and the younger one */
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* A count that is lost, or cut, or too low, is found out by looking. */
static const struct {
	const char *says, *make;
} counts[] = {
	{ "lost", "rm usage" },
	{ "cut", "printf abc >usage" },
	{ "nonsense",
	  "printf '\\377\\377\\377\\377\\377\\377\\377\\377' >usage" },
};

static void test_count(void **state)
{
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct disk_cache *c;
		struct disk_dir d;
		char text[200];

		disk_dir_make(&d);
		c = open_limit(&d, 20 * (SMALL + PAGE));
		for (unsigned k = 0; k < 10; k++)
			save_small(c, k);
		snprintf(text, sizeof(text), "cd %s && %s", d.path,
			 counts[i].make);
		assert_int_equal(system(text), 0);
		save_small(c, 10);
		row_number(counts[i].says, look_small(c, 10), 1);
		row_number(counts[i].says, counted(&d), disk_dir_bytes(&d));
		disk_cache_free(c);
		disk_dir_remove(&d);
	}
}

/* A daemon that was killed between counting and writing. */
static void test_count_too_high(void **state)
{
	struct disk_cache *c;
	struct disk_dir d;
	uint64_t now;

	disk_dir_make(&d);
	c = open_limit(&d, 20 * (SMALL + PAGE));
	save_small(c, 0);
	assert_int_equal(disk_usage_add(d.fd, 18 * (SMALL + PAGE),
					20 * (SMALL + PAGE), &now),
			 0);
	save_small(c, 1);
	save_small(c, 2);
	assert_true(look_small(c, 0) && look_small(c, 1) && look_small(c, 2));
	assert_int_equal(counted(&d), disk_dir_bytes(&d));
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* Another daemon keeps the lock: it is not kept, and nothing waits long. */
static void test_count_is_locked(void **state)
{
	struct flock l = { .l_type = F_WRLCK, .l_len = 1 };
	struct disk_cache *c;
	struct disk_dir d;
	int64_t began;
	int fd;

	disk_dir_make(&d);
	c = open_limit(&d, 64 * MIB);
	save_small(c, 0);
	fd = openat(d.fd, "usage", O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &l), 0);
	began = clock_mono_ms();
	save_small(c, 1);
	assert_true(clock_mono_ms() - began < 20000);
	assert_false(look_small(c, 1));
	assert_true(disk_cache_saves(c));
	close(fd);
	save_small(c, 1);
	assert_true(look_small(c, 1));
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* ---- two caches in one directory ---- */

#define SHARED_LIMIT (3 * MIB)
#define ROUNDS 150

struct sharer {
	struct disk_dir *dir;
	unsigned first; /* of the objects that it saves */
	pthread_t thread;
};

static void *share(void *arg)
{
	struct sharer *s = arg;
	struct disk_cache *c = open_limit(s->dir, SHARED_LIMIT);
	char *bytes = malloc(SMALL);

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct disk_version v;

		save_small(c, s->first + i);
		small_version((s->first + i * 7) % (2 * ROUNDS), &v);
		if (disk_cache_load(c, &v, 0, bytes, SMALL))
			assert_memory_equal(bytes, object, SMALL);
	}
	free(bytes);
	disk_cache_free(c);
	return NULL;
}

static void test_shared(void **state)
{
	struct disk_dir d;
	struct sharer s[2] = { { &d, 0, 0 }, { &d, ROUNDS / 2, 0 } };
	struct disk_cache *c;
	uint64_t most = 0;

	disk_dir_make(&d);
	c = open_limit(&d, SHARED_LIMIT);
	for (unsigned i = 0; i < COUNT(s); i++)
		assert_int_equal(
			pthread_create(&s[i].thread, NULL, share, &s[i]), 0);
	for (unsigned i = 0; i < 500; i++) {
		uint64_t now = counted(&d);

		most = now > most ? now : most;
	}
	for (unsigned i = 0; i < COUNT(s); i++)
		pthread_join(s[i].thread, NULL);
	row_check("the bound holds", most <= SHARED_LIMIT);
	row_check("... on the disk too, but for one write of the other's",
		  disk_dir_bytes(&d) <= SHARED_LIMIT + SMALL + PAGE);
	row_check("and is used", disk_dir_bytes(&d) > SHARED_LIMIT / 2);
	usleep(100000); /* all others are older */
	save_small(c, 2 * ROUNDS);
	assert_true(look_small(c, 2 * ROUNDS));
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* ---- a disk that fails ---- */

static unsigned lines_of(const char *path, const char *what)
{
	struct buf text = BUF_INIT(1 << 20);
	unsigned n = 0;

	assert_int_equal(io_read_file(path, &text), 0);
	for (const char *at = buf_str(&text); (at = strstr(at, what)); at++)
		n++;
	buf_clear(&text);
	return n;
}

/* No file may be longer: as if the disk were full. */
static void test_full(void **state)
{
	char log[] = "/tmp/stagefs-disk-log-XXXXXX";
	struct rlimit old, low;
	struct disk_cache *c;
	struct disk_dir d;
	int64_t end;

	close(mkstemp(log));
	assert_int_equal(log_open(log, LOG_LEVEL_WARN), 0);
	disk_dir_make(&d);
	c = open_limit(&d, 64 * MIB);
	save_small(c, 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = SMALL / 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	save_small(c, 1);
	assert_false(disk_cache_saves(c));
	save_small(c, 1); /* one that was queued before */
	assert_false(disk_cache_saves(c));
	assert_true(look_small(c, 0)); /* what is there can be read */
	assert_false(look_small(c, 1));
	assert_int_equal(lines_of(log, "cannot write to the disk cache"), 1);
	assert_int_equal(counted(&d), disk_dir_bytes(&d));
	assert_int_equal(disk_dir_files(&d), 1);
	disk_cache_free(c);
	retry_ms = 1;
	c = open_limit(&d, 64 * MIB);
	for (unsigned i = 0; i < 5; i++) {
		save_small(c, 2);
		usleep(2000);
	}
	assert_int_equal(lines_of(log, "cannot write to the disk cache"), 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	end = clock_mono_ms() + 20000;
	while (!look_small(c, 3) && clock_mono_ms() < end)
		save_small(c, 3);
	assert_true(look_small(c, 3));
	assert_int_equal(lines_of(log, "can write to the disk cache again"), 1);
	retry_ms = LONG_MS;
	log_close();
	unlink(log);
	disk_cache_free(c);
	disk_dir_remove(&d);
}

/* A folder in a file's place: what cannot be read is as if it were not
 * there. */
static void test_unreadable(void **state)
{
	char path[DISK_PATH_SIZE];
	struct disk_version v;
	struct disk_cache *c;
	struct disk_dir d;

	disk_dir_make(&d);
	c = open_limit(&d, 64 * MIB);
	save_small(c, 0);
	small_version(1, &v);
	disk_segment_path(&v, 0, path);
	path[2] = '\0';
	mkdirat(d.fd, path, 0700);
	path[2] = '/';
	assert_int_equal(mkdirat(d.fd, path, 0700), 0);
	assert_false(look_small(c, 1));
	assert_false(look_small(c, 0)); /* left alone for a while */
	assert_true(disk_cache_saves(c));
	disk_cache_free(c);
	retry_ms = 1;
	c = open_limit(&d, 64 * MIB);
	assert_false(look_small(c, 1));
	usleep(2000);
	assert_true(look_small(c, 0)); /* and tried again */
	retry_ms = LONG_MS;
	disk_cache_free(c);
	disk_dir_remove(&d);
}

SUITE(disk_cache)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_foreign_files_stay),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_count_too_high),
		cmocka_unit_test(test_count_is_locked),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
