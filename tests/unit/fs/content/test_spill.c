/* SPDX-License-Identifier: Apache-2.0 */
/* The spill file: sparse, unlinked, and honest about a full disk. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "fs/content/spill.h"
#include "suite.h"

static char top[64];

static int setup(void **state)
{
	snprintf(top, sizeof(top), "/tmp/stagefs-spill-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/a/b", top);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", top);
	rmdir(path);
	return rmdir(top);
}

static void test_made_closed(void **state)
{
	struct spill *s;
	struct stat st;
	char dir[128];
	unsigned names = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/a/b", top);
	assert_int_equal(spill_new(dir, &s), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	d = opendir(dir);
	assert_non_null(d);
	while (readdir(d))
		names++;
	closedir(d);
	assert_int_equal(names, 2); /* . and .. */
	spill_unref(spill_ref(s));
	assert_int_equal(fstat(s->fd, &st), 0);
	spill_unref(s);
}

static void test_holes_are_zeros(void **state)
{
	struct spill *s;
	char got[16];

	assert_int_equal(spill_new(top, &s), 0);
	assert_int_equal(spill_write(s, 100, "hello", 5), 0);
	memset(got, 'x', sizeof(got));
	assert_int_equal(spill_read(s, 98, got, 10), 0);
	assert_memory_equal(got, "\0\0hello\0\0\0", 10);
	assert_int_equal(spill_truncate(s, 102), 0);
	assert_int_equal(spill_truncate(s, 105), 0);
	assert_int_equal(spill_read(s, 100, got, 5), 0);
	assert_memory_equal(got, "he\0\0\0", 5);
	assert_int_equal(spill_read(s, 1 << 30, got, 3), 0);
	assert_memory_equal(got, "\0\0\0", 3);
	spill_unref(s);
}

static void test_bad_dir(void **state)
{
	struct spill *s = NULL;

	assert_int_equal(spill_new("/dev/null/x", &s), -ENOTDIR);
	assert_null(s);
	spill_unref(s);
}

/* A file system that takes no more, as a limit on the size of files. */
static void test_full(void **state)
{
	struct rlimit old, small = { 8192, RLIM_INFINITY };
	struct spill *s;
	static char bytes[8192];

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(spill_new(top, &s), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(spill_write(s, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(spill_write(s, 4096, bytes, sizeof(bytes)), -ENOSPC);
	assert_int_equal(spill_truncate(s, 1 << 20), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(spill_write(s, 4096, bytes, sizeof(bytes)), 0);
	spill_unref(s);
}

static unsigned n_ended; /* atomic */

static void ended(void *arg)
{
	__atomic_add_fetch((unsigned *)arg, 1, __ATOMIC_RELEASE);
}

static unsigned ends(void)
{
	return __atomic_load_n(&n_ended, __ATOMIC_ACQUIRE);
}

/* What goes past the page cache and what goes through it are one file; it is
 * read while it is being written, and afterwards. */
static void test_keep(void **state)
{
	enum { LEN = 1 << 20, N = 20 };
	struct spill *s;
	char *bytes = NULL, *all = malloc(N * LEN), *want = calloc(N, LEN);

	assert_int_equal(posix_memalign((void **)&bytes, 4096, N * LEN), 0);
	assert_non_null(want);
	assert_non_null(all);
	n_ended = 0;
	assert_int_equal(spill_new(top, &s), 0);
	for (int k = 0; k < N; k++) {
		/* not to be had past the page cache: odd memory, place,
		 * length */
		int odd = k % 4 == 3 ? 1 : 0;
		char *from = bytes + k * LEN + odd;

		if (k == N / 2)
			spill_hurry(s);
		memset(from, 'a' + k, LEN - 2 * odd);
		memcpy(want + k * LEN + odd, from, LEN - 2 * odd);
		assert_int_equal(spill_keep(s, (uint64_t)k * LEN + odd, from,
					    LEN - 2 * odd, ended, &n_ended),
				 0);
		assert_int_equal(spill_read(s, 0, all, (k + 1) * LEN), 0);
		assert_memory_equal(all, want, (k + 1) * LEN);
	}
	spill_wait(s, 0, 2 * LEN);
	assert_int_equal(spill_read(s, 0, all, N * LEN), 0);
	assert_memory_equal(all, want, N * LEN);
	memset(want + 5000, 'x', 4000);
	assert_int_equal(spill_write(s, 5000, want + 5000, 4000), 0);
	spill_wait(s, 0, UINT64_MAX);
	memset(bytes, 0, N * LEN);
	assert_int_equal(spill_read(s, 0, all, N * LEN), 0);
	assert_memory_equal(all, want, N * LEN);
	spill_stop(s);
	assert_int_equal(ends(), N);
	spill_unref(s);
	free(bytes);
	free(want);
	free(all);
}

/* What cannot be kept is told, and does not read as zeros. */
static void test_lost(void **state)
{
	struct rlimit old, small = { 8192, RLIM_INFINITY };
	static char bytes[16384], got[8192];
	struct extent lost;
	struct spill *s;

	n_ended = 0;
	assert_int_equal(spill_new(top, &s), 0);
	assert_false(spill_next_lost(s, &lost));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(spill_keep(s, 0, bytes, 8192, ended, &n_ended), 0);
	assert_int_equal(
		spill_keep(s, 8192, bytes + 8192, 8192, ended, &n_ended), 0);
	spill_wait(s, 0, UINT64_MAX);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(spill_read(s, 0, got, 8192), 0);
	assert_memory_equal(got, bytes, 8192);
	assert_int_equal(spill_read(s, 4096, got, 8192), -ENOSPC);
	assert_true(spill_next_lost(s, &lost));
	assert_int_equal(lost.start, 8192);
	assert_int_equal(lost.end, 16384);
	spill_lost_reported(s);
	assert_false(spill_next_lost(s, &lost));
	assert_int_equal(spill_read(s, 12288, got, 10), -ENOSPC);
	assert_int_equal(spill_truncate(s, 12288), 0);
	assert_int_equal(spill_read(s, 12288, got, 10), 0);
	assert_int_equal(spill_read(s, 12287, got, 10), -ENOSPC);
	assert_int_equal(spill_truncate(s, 100), 0);
	assert_int_equal(spill_read(s, 12287, got, 10), 0);
	spill_stop(s);
	assert_int_equal(ends(), 2);
	spill_unref(s);
}

/* What has not begun when it is stopped never does, gives its memory back, and
 * is no zeros to a reader that is late. */
static void test_stop(void **state)
{
	enum { LEN = 1 << 20, N = 64 };
	char *bytes = malloc(LEN), *got = malloc(LEN);
	struct spill *s;

	assert_non_null(bytes);
	assert_non_null(got);
	memset(bytes, 'a', LEN);
	n_ended = 0;
	assert_int_equal(spill_new(top, &s), 0);
	for (int k = 0; k < N; k++)
		assert_int_equal(spill_keep(s, (uint64_t)k * LEN, bytes, LEN,
					    ended, &n_ended),
				 0);
	spill_stop(s);
	assert_int_equal(ends(), N);
	for (int k = 0; k < N; k++) {
		int rc = spill_read(s, (uint64_t)k * LEN, got, LEN);

		assert_true(rc == 0 || rc == -EAGAIN);
		if (!rc)
			assert_memory_equal(got, bytes, LEN);
	}
	spill_stop(s);
	spill_stop(NULL);
	spill_unref(s);
	free(bytes);
	free(got);
}

static uint64_t shown(const char *dir, const char *name)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE), line = BUF_INIT(BUF_MESSAGE);
	const char *at;

	spill_write_metrics(dir, &text);
	buf_addf(&line, "\nstagefs_%s ", name);
	at = strstr(buf_str(&text), buf_str(&line));
	return at ? strtoull(at + strlen(buf_str(&line)), NULL, 10)
		  : UINT64_MAX;
}

/* Holes take nothing, what is cut off or closed neither. */
static void test_metrics(void **state)
{
	enum { LEN = 1 << 20 };
	uint64_t files = shown(top, "spill_files");
	uint64_t bytes = shown(top, "spill_bytes"), each;
	char *from = malloc(LEN), *path = NULL;
	struct spill *s[2];

	assert_non_null(from);
	for (int k = 0; k < LEN; k++)
		from[k] = (char)((unsigned)k * 7919U >> 8);
	assert_int_equal(spill_new(top, &s[0]), 0);
	assert_int_equal(spill_new(top, &s[1]), 0);
	assert_int_equal(shown(top, "spill_files"), files + 2);
	assert_int_equal(shown(top, "spill_bytes"), bytes);
	assert_int_equal(spill_write(s[0], 100ULL << 20, from, LEN), 0);
	each = shown(top, "spill_bytes") - bytes;
	assert_in_range(each, LEN, 2 * LEN);
	n_ended = 0;
	assert_int_equal(spill_keep(s[1], 0, from, LEN, ended, &n_ended), 0);
	spill_wait(s[1], 0, LEN);
	assert_in_range(shown(top, "spill_bytes") - bytes, each + LEN,
			each + 2 * LEN);
	assert_int_equal(spill_truncate(s[0], 0), 0);
	assert_in_range(shown(top, "spill_bytes") - bytes, LEN, 2 * LEN);
	spill_stop(s[1]);
	spill_unref(s[0]);
	spill_unref(s[1]);
	assert_int_equal(shown(top, "spill_files"), files);
	assert_int_equal(shown(top, "spill_bytes"), bytes);
	assert_in_range(shown(top, "spill_room_bytes"), 0, UINT64_MAX - 1);
	assert_true(asprintf(&path, "%s/none", top) > 0);
	assert_true(shown(path, "spill_room_bytes") == UINT64_MAX);
	free(path);
	free(from);
}

SUITE(spill)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_made_closed),
		cmocka_unit_test(test_holes_are_zeros),
		cmocka_unit_test(test_bad_dir),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_metrics),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
