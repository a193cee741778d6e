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
	assert_int_equal(spill_write(s, 100, "hello", 5, 0), 0);
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
	assert_int_equal(spill_write(s, 0, bytes, sizeof(bytes), 0), 0);
	assert_int_equal(spill_write(s, 4096, bytes, sizeof(bytes), 0),
			 -ENOSPC);
	assert_int_equal(spill_truncate(s, 1 << 20), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(spill_write(s, 4096, bytes, sizeof(bytes), 1), 0);
	spill_unref(s);
}

/* What goes past the page cache and what goes through it are one file. */
static void test_direct(void **state)
{
	enum { LEN = 1 << 20 };
	struct spill *s;
	char *bytes = NULL, *all, *want;

	assert_int_equal(posix_memalign((void **)&bytes, 4096, LEN), 0);
	want = calloc(3, LEN);
	all = malloc(3 * LEN);
	assert_non_null(want);
	assert_non_null(all);
	assert_int_equal(spill_new(top, &s), 0);
	for (int k = 0; k < 2; k++) {
		memset(bytes, 'a' + k, LEN);
		memcpy(want + k * LEN, bytes, LEN);
		assert_int_equal(
			spill_write(s, (uint64_t)k * LEN, bytes, LEN, 1), 0);
	}
	memset(want + 5000, 'x', 4000);
	assert_int_equal(spill_write(s, 5000, want + 5000, 4000, 0), 0);
	/* not to be had past the page cache: odd memory, place and length */
	memset(want + 2 * LEN + 1, 'y', 777);
	assert_int_equal(
		spill_write(s, 2 * LEN + 1, want + 2 * LEN + 1, 777, 1), 0);
	assert_int_equal(spill_read(s, 0, all, 3 * LEN), 0);
	assert_memory_equal(all, want, 3 * LEN);
	spill_unref(s);
	free(bytes);
	free(want);
	free(all);
}

SUITE(spill)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_made_closed),
		cmocka_unit_test(test_holes_are_zeros),
		cmocka_unit_test(test_bad_dir),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
