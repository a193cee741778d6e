/* SPDX-License-Identifier: Apache-2.0 */
/* What open, write and close leave in a store, and when. */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fs/closing.h"
#include "fs/close_errors.h"

static int create_at_root(struct mount *m, const char *name, int flags,
			  struct handle **h)
{
	struct fs_entry e;
	int rc = fs_file_create(m->fs, fs_root(m->fs), name, 0644,
				O_CREAT | flags, &m->caller, &e, h);

	if (!rc)
		fs_forget(m->fs, e.inode, 1);
	return rc;
}

/* What an open that cannot write has made, or emptied, is there. */
static void test_read_only(void **state)
{
	struct mount m;
	struct handle *h, *k;
	struct stat st;
	char text[64];

	mount_up(&m, "", 60, false);
	assert_int_equal(create_at_root(&m, "lock", O_RDONLY | O_EXCL, &h), 0);
	assert_true(store_holds(&m, "lock"));
	assert_int_equal(create_at_root(&m, "lock", O_RDONLY | O_EXCL, &k),
			 -EEXIST);
	assert_int_equal(fs_file_write(m.fs, h, 0, "x", 1), -EBADF);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	assert_int_equal(mount_stat(&m, "lock", &st), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 1);
	assert_int_equal(create_at_root(&m, "lock", O_RDONLY | O_EXCL, &k),
			 -EEXIST);
	/* the store refuses: there is none, and the next one may have it */
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(create_at_root(&m, "no", O_RDONLY, &h), -EACCES);
	assert_int_equal(mount_stat(&m, "no", &st), -ENOENT);
	assert_int_equal(create_at_root(&m, "no", O_RDONLY | O_EXCL, &h), 0);
	fs_release(m.fs, h);

	assert_int_equal(mount_write(&m, "f", "old"), 0);
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(mount_open(&m, "f", O_RDONLY | O_TRUNC, &h), -EACCES);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 3);
	assert_int_equal(mount_open(&m, "f", O_RDONLY | O_TRUNC, &h), 0);
	assert_int_equal(mount_read(&m, h, text, sizeof(text)), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 6);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 6);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 0);
	mount_down(&m);

	mount_up(&m, "", 60, true);
	store_has(&m, "f", "old");
	assert_int_equal(mount_open(&m, "f", O_RDONLY | O_TRUNC, &h), -EROFS);
	mount_down(&m);
}

/* Pages of a mapping go where they were, and not beyond the end. */
static void test_pages(void **state)
{
	static const struct {
		int flags;
		off_t at;
		const char *page, *after;
	} rows[] = {
		{ O_RDWR, 2, "XY", "01XY456789" },
		{ O_RDWR | O_APPEND, 2, "XY", "01XY456789" },
		{ O_RDWR | O_APPEND, 8, "XYZ", "01234567XY" },
		{ O_RDWR | O_APPEND, 10, "XYZ", "0123456789" },
		{ O_RDWR, 4096, "XYZ", "0123456789" },
	};
	struct mount m;
	struct handle *h;
	char text[64];

	mount_up(&m, "", 60, false);
	for (size_t k = 0; k < COUNT(rows); k++) {
		assert_int_equal(mount_write(&m, "f", "0123456789"), 0);
		assert_int_equal(mount_open(&m, "f", rows[k].flags, &h), 0);
		assert_int_equal(fs_file_write_page(m.fs, h, rows[k].at,
						    rows[k].page,
						    strlen(rows[k].page)),
				 0);
		assert_int_equal(fs_file_flush(m.fs, h), 0);
		fs_release(m.fs, h);
		assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 10);
		assert_string_equal(text, rows[k].after);
	}
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &h), 0);
	assert_int_equal(fs_file_write_page(m.fs, h, 0, "x", 1), -EBADF);
	fs_release(m.fs, h);
	mount_down(&m);
}

/* What another machine does to an open file that was not written to yet. */
static const struct {
	const char *sentence;
	const char *path, *remove, *put;
	bool ours; /* this mount removes it */
	int result;
} losses[] = {
	{ "nothing", "f", NULL, NULL, false, 0 },
	{ "removed", "f", "f", NULL, false, -ESTALE },
	{ "a directory in its place", "f", "f", "f/x", false, -ESTALE },
	{ "removed with its directory", "d/f", "d/f", NULL, false, -ESTALE },
	{ "removed here", "f", NULL, NULL, true, 0 },
};

static void test_lost(void **state)
{
	struct mount m;
	struct handle *h;
	struct stat st;
	char out[64];

	for (size_t k = 0; k < COUNT(losses) * 2; k++) {
		size_t r = k / 2;
		bool cut = k % 2;
		int rc;

		mount_up(&m, "", 0, false);
		store_has(&m, losses[r].path, "old");
		assert_int_equal(mount_open(&m, losses[r].path, O_WRONLY, &h),
				 0);
		if (losses[r].remove)
			assert_int_equal(memstore_poke_remove(m.store,
							      losses[r].remove),
					 0);
		if (losses[r].put)
			store_has(&m, losses[r].put, "x");
		if (losses[r].ours)
			assert_int_equal(mount_unlink(&m, "f"), 0);
		mount_ls(&m, "", out, sizeof(out));
		mount_stat(&m, losses[r].path, &st);
		rc = cut ? fs_range_allocate(m.fs, h, 0, 0, 10)
			 : fs_file_write(m.fs, h, 0, "new!", 4);
		row_number(losses[r].sentence, rc, losses[r].result);
		if (!cut)
			row_number(losses[r].sentence, fs_file_flush(m.fs, h),
				   losses[r].result);
		fs_release(m.fs, h);
		row_number(losses[r].sentence, store_holds(&m, losses[r].path),
			   !losses[r].result && !losses[r].ours);
		mount_down(&m);
	}
}

/* ---- one close of several ---- */

/* Processes: letters of `handle` have a descriptor of the handle, of `file` one
 * of the file, of `hidden` it is not known. */
static const struct {
	const char *sentence;
	char caller, opener;
	const char *writers, *handle, *file, *hidden;
	enum closing_answer wanted;
	bool passed; /* it came through a socket, say */
} closings[] = {
	{ "the writer's only one", 'a', 'a', "a", "", "", "",
	  CLOSING_PUBLISHES },
	{ "a duplicate", 'a', 'a', "", "a", "a", "", CLOSING_WAITS },
	{ "a duplicate of the writer's", 'a', 'a', "a", "a", "a", "",
	  CLOSING_WAITS },
	{ "nobody wrote: touch", 'a', 'a', "", "", "", "", CLOSING_PUBLISHES },
	{ "a child that wrote", 'b', 'a', "b", "a", "a", "", CLOSING_WAITS },
	{ "one that the opener passed it to", 'b', 'a', "b", "a", "a", "",
	  CLOSING_PUBLISHES, .passed = true },
	{ "a child that did not", 'b', 'a', "a", "a", "a", "", CLOSING_WAITS },
	{ "the parent after its children", 'a', 'a', "bc", "", "", "",
	  CLOSING_PUBLISHES },
	{ "the parent before a child that wrote", 'a', 'a', "b", "b", "b", "",
	  CLOSING_WAITS },
	{ "both wrote, and the child goes on", 'a', 'a', "ab", "b", "b", "",
	  CLOSING_PUBLISHES },
	{ "a child without its parent", 'b', 'a', "b", "", "", "",
	  CLOSING_PUBLISHES },
	{ "two children without it", 'b', 'a', "bc", "c", "c", "",
	  CLOSING_PUBLISHES },
	{ "one that did not write beside one that does", 'b', 'a', "c", "c",
	  "c", "", CLOSING_WAITS },
	{ "another handle's writer", 'b', 'b', "a", "", "a", "",
	  CLOSING_WAITS },
	{ "another handle's, and one wrote too", 'b', 'b', "ab", "", "a", "",
	  CLOSING_PUBLISHES },
	{ "a caller whom nobody knows", 0, 'a', "a", "a", "a", "",
	  CLOSING_UNKNOWN },
	{ "one that is not shown", 'b', 'a', "a", "a", "a", "b",
	  CLOSING_UNKNOWN },
	{ "an opener that is not shown", 'b', 'a', "b", "", "", "a",
	  CLOSING_PUBLISHES },
	{ "an opener whom nobody knows", 'b', 0, "b", "", "", "",
	  CLOSING_PUBLISHES },
	{ "a writer that is not shown", 'a', 'a', "b", "", "", "b",
	  CLOSING_PUBLISHES },
};

static size_t row;

static enum closing_holds holds(const char *list, pid_t process)
{
	assert_true(process > 0);
	if (strchr(closings[row].hidden, process))
		return HOLDS_UNKNOWN;
	return strchr(list, process) ? HOLDS_YES : HOLDS_NO;
}

static enum closing_holds holds_handle(void *arg, pid_t process)
{
	return holds(closings[row].handle, process);
}

static enum closing_holds holds_file(void *arg, pid_t process)
{
	return holds(closings[row].file, process);
}

static enum closing_holds inherits(void *arg, pid_t from)
{
	assert_int_equal(from, closings[row].opener);
	return closings[row].passed ? HOLDS_NO : HOLDS_YES;
}

static void test_closings(void **state)
{
	for (row = 0; row < COUNT(closings); row++) {
		struct closing c = {
			.caller = closings[row].caller,
			.opener = closings[row].opener,
			.handle = holds_handle,
			.file = holds_file,
			.inherits = inherits,
		};
		pid_t writers[4];

		for (const char *w = closings[row].writers; *w; w++)
			writers[c.n_writers++] = *w;
		c.writers = writers;
		row_number(closings[row].sentence, closing_judge(&c),
			   closings[row].wanted);
	}
}

/* Threads 10 to 19 are those of process 10, and so on; how many descriptors
 * each has. */
static int has[10];

static pid_t process_of(void *arg, pid_t thread)
{
	return thread / 10 * 10;
}

static int writers_of(void *arg, pid_t thread, uint64_t ino)
{
	assert_true(ino > 1);
	return has[thread / 10];
}

/* Each descends from those of lower numbers. */
static int descends(void *arg, pid_t process, pid_t from)
{
	return from < process;
}

static bool ends[10];

static bool is_ending(void *arg, pid_t thread)
{
	return ends[thread / 10];
}

static uint64_t runs = 1;

static uint64_t program_of(void *arg, pid_t process)
{
	return runs;
}

static const struct fs_processes all_known = {
	process_of, writers_of, descends, program_of, is_ending, NULL,
};

static void test_close(void **state)
{
	struct mount m;
	struct handle *h, *k;

	mount_up(&m, "", 60, false);
	fs_set_processes(m.fs, &all_known);
	/* process 10 opens, its child 20 inherits and writes */
	assert_int_equal(mount_create(&m, "f", &h), 0);
	fs_opened_by(m.fs, h, 11);
	has[1] = has[2] = 1;
	assert_int_equal(fs_close(m.fs, h, 12), 0); /* a duplicate */
	assert_int_equal(fs_file_write(m.fs, h, 0, "one", 3), 0);
	fs_written_by(m.fs, h, 21);
	has[2] = 0;
	assert_int_equal(fs_close(m.fs, h, 22), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 0);
	has[1] = 0;
	memstore_fail(m.store, "put", 1, -EACCES);
	assert_int_equal(fs_close(m.fs, h, 11), -EACCES);
	assert_int_equal(fs_close(m.fs, h, 11), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	fs_release(m.fs, h);

	/* two handles of one process: the descriptor is the other one's */
	assert_int_equal(mount_open(&m, "f", O_WRONLY, &h), 0);
	fs_opened_by(m.fs, h, 10);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_APPEND, &k), 0);
	fs_opened_by(m.fs, k, 10);
	has[1] = 2;
	assert_int_equal(fs_file_write(m.fs, k, 0, "+", 1), 0);
	fs_written_by(m.fs, k, 10);
	assert_int_equal(fs_close(m.fs, k, 10), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 2);
	has[1] = 1;
	assert_int_equal(fs_close(m.fs, k, 10), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 3);
	fs_release(m.fs, k);
	/* the release stores what no close did */
	has[2] = 1;
	assert_int_equal(fs_file_write(m.fs, h, 0, "*", 1), 0);
	fs_written_by(m.fs, h, 20);
	has[1] = 0;
	assert_int_equal(fs_close(m.fs, h, 10), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 3);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 4);
	has[2] = 0;

	/* emptied: known to be the last one, or not known at all */
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	fs_opened_by(m.fs, h, 10);
	assert_int_equal(fs_close(m.fs, h, 0), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 4);
	fs_release(m.fs, h);
	assert_int_equal(memstore_calls(m.store, "put"), 5);
	assert_int_equal(mount_write(&m, "f", "x"), 0);
	assert_int_equal(mount_open(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
	fs_opened_by(m.fs, h, 10);
	assert_int_equal(fs_close(m.fs, h, 10), 0);
	assert_int_equal(memstore_calls(m.store, "put"), 7);
	fs_release(m.fs, h);
	mount_down(&m);
}

static struct handle *opened_by(struct mount *m, const char *name, pid_t thread)
{
	struct handle *h;

	assert_int_equal(mount_open(m, name, O_WRONLY, &h), 0);
	fs_opened_by(m->fs, h, thread);
	return h;
}

/* Whose close of a handle of its own, while it has another descriptor of the
 * file, stores it: by the numbers of the two openers. */
static const struct {
	const char *sentence;
	pid_t other, closer;
	bool stores;
} own_handles[] = {
	{ "it may have inherited that one", 10, 20, true },
	{ "the other's opener is not known", 0, 20, true },
	{ "the other one is its child's: it is a duplicate", 20, 10, false },
};

static void test_own_handle(void **state)
{
	struct handle *h, *other;
	struct mount m;

	for (size_t k = 0; k < COUNT(own_handles); k++) {
		pid_t closer = own_handles[k].closer;

		memset(has, 0, sizeof(has));
		mount_up(&m, "", 60, false);
		fs_set_processes(m.fs, &all_known);
		store_has(&m, "f", "old");
		other = opened_by(&m, "f", own_handles[k].other);
		h = opened_by(&m, "f", closer);
		assert_int_equal(fs_file_write(m.fs, h, 0, "x", 1), 0);
		fs_written_by(m.fs, h, closer);
		has[1] = has[2] = 1;
		memstore_fail(m.store, "put", 1, -EACCES);
		row_number(own_handles[k].sentence, fs_close(m.fs, h, closer),
			   own_handles[k].stores ? -EACCES : 0);
		fs_release(m.fs, h);
		fs_release(m.fs, other);
		mount_down(&m);
	}
	memset(has, 0, sizeof(has));
}

/* Errors that no close could return. */
static const struct {
	const char *sentence;
	bool is_new; /* there was no object before */
	bool writes, inherited, ends, released, moved, execs;
	int next; /* flags of the next open */
	int wanted;
} unheard[] = {
	{ "written, and closed", .writes = true, .wanted = 0 },
	{ "only emptied", .wanted = -EACCES },
	{ "... and written to", .next = O_WRONLY, .wanted = -EACCES },
	{ "... and emptied anew", .next = O_WRONLY | O_TRUNC, .wanted = 0 },
	{ "made, and closed", .is_new = true, .writes = true, .next = O_WRONLY,
	  .wanted = 0 },
	{ "a child's close came before", .writes = true, .inherited = true,
	  .wanted = -EACCES },
	{ "... of a new file", .is_new = true, .writes = true,
	  .inherited = true, .next = O_WRONLY, .wanted = -EACCES },
	{ "moved to another number", .writes = true, .moved = true,
	  .wanted = -EACCES },
	{ "... for another program", .writes = true, .moved = true,
	  .execs = true, .wanted = 0 },
	{ "at the end of the process", .writes = true, .ends = true,
	  .wanted = -EACCES },
	{ "not closed at all", .writes = true, .released = true,
	  .wanted = -EACCES },
};

static int open_next(struct mount *m, const char *name, int flags,
		     struct handle **h)
{
	int rc = mount_open(m, name, flags, h);

	return rc == -ENOENT ? create_at_root(m, name, flags, h) : rc;
}

static void test_unheard(void **state)
{
	struct mount m;
	struct handle *h;
	size_t k;

	memset(has, 0, sizeof(has));
	for (k = 0; k < COUNT(unheard); k++) {
		mount_up(&m, "", 60, false);
		fs_set_processes(m.fs, &all_known);
		if (!unheard[k].is_new)
			store_has(&m, "f", "old");
		assert_int_equal(open_next(&m, "f", O_WRONLY | O_TRUNC, &h), 0);
		fs_opened_by(m.fs, h, 10);
		if (unheard[k].writes) {
			assert_int_equal(fs_file_write(m.fs, h, 0, "x", 1), 0);
			fs_written_by(m.fs, h, 10);
		}
		has[1] = 1;
		if (unheard[k].inherited)
			assert_int_equal(fs_close(m.fs, h, 20), 0);
		if (unheard[k].moved)
			assert_int_equal(fs_close(m.fs, h, 10), 0);
		runs += unheard[k].execs;
		has[1] = 0;
		ends[1] = unheard[k].ends;
		memstore_fail(m.store, "put", 0, -EACCES);
		if (!unheard[k].released)
			assert_int_equal(fs_close(m.fs, h, 10), -EACCES);
		fs_release(m.fs, h);
		memstore_fail(m.store, "put", 0, 0);
		ends[1] = false;
		row_number(unheard[k].sentence,
			   open_next(&m, "f", unheard[k].next, &h),
			   unheard[k].wanted);
		if (unheard[k].wanted) /* once */
			assert_int_equal(
				open_next(&m, "f", unheard[k].next, &h), 0);
		fs_release(m.fs, h);
		mount_down(&m);
	}
}

static void test_untold(void **state)
{
	struct close_errors *u = close_errors_new();
	char key[32];

	assert_int_equal(close_errors_take(u, "s", "a"), 0);
	close_errors_add(u, "s", "a", -EACCES);
	close_errors_add(u, "t", "a", -ENOSPC);
	close_errors_add(u, "s", "a", -EIO);
	assert_int_equal(close_errors_take(u, "s", "b"), 0);
	assert_int_equal(close_errors_take(u, "s", "a"), -EIO);
	assert_int_equal(close_errors_take(u, "s", "a"), 0);
	assert_true(close_errors_any(u));
	assert_int_equal(close_errors_take(u, "t", "a"), -ENOSPC);
	assert_false(close_errors_any(u));
	for (int k = 0; k <= CLOSE_ERRORS_MAX; k++) {
		snprintf(key, sizeof(key), "%d", k);
		close_errors_add(u, "s", key, -EIO);
	}
	assert_int_equal(close_errors_take(u, "s", "0"), 0);
	assert_int_equal(close_errors_take(u, "s", "1"), -EIO);
	assert_int_equal(close_errors_take(u, "s", key), -EIO);
	close_errors_free(u);
}

SUITE(closes)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_closings),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_own_handle),
		cmocka_unit_test(test_unheard),
		cmocka_unit_test(test_untold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
