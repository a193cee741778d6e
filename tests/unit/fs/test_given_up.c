/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of what was written and not stored: what the kernel is told, and
 * what one sees then. */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fs/inval_queue.h"

/* What the kernel is told when what a program wrote was given up. */
enum given_up_how { CLOSED, CUT, REOPENED, UNLINKED, SHARED, STORED };

static const struct {
	const char *sentence;
	bool is_new;
	enum given_up_how how;
	const char
		*reported; /* `E name ` an entry, `B ` bytes and attributes */
} given_up[] = {
	{ "a new file", true, CLOSED, "Ef B " },
	{ "other bytes", false, CLOSED, "B " },
	{ "truncate(2)", false, CUT, "B " },
	{ "emptied by an open that cannot write", false, REOPENED, "B " },
	{ "one that was removed", false, UNLINKED, "" },
	{ "another program has it open", false, SHARED, "" },
	{ "nothing was given up", false, STORED, "" },
};

/* What is in the queue. */
static void notices_of(struct mount *m, char *out, size_t size)
{
	struct inval n;
	size_t used = 0;

	*out = '\0';
	gateway_put(m, "end", "");
	for (;;) {
		assert_true(inval_queue_next(fs_inval_queue(m->fs), &n));
		if (n.kind == INVAL_ENTRY && !strcmp(n.name, "end"))
			break;
		used += (size_t)snprintf(out + used, size - used, "%c%s ",
					 "EAB"[n.kind], n.name);
	}
}

static struct handle *opened(struct mount *m)
{
	struct handle *h;

	assert_int_equal(mount_open(m, "f", O_WRONLY, &h), 0);
	return h;
}

static void give_up(struct mount *m, size_t k)
{
	enum given_up_how how = given_up[k].how;
	struct handle *h = NULL, *other = NULL;

	if (how == CUT) {
		struct inode *i = mount_find(m, "f", NULL);
		struct stat st = { .st_size = 1 }, out;
		double timeout;

		assert_int_equal(fs_setattr(m->fs, i, NULL, &st, FS_SET_SIZE,
					    &out, &timeout),
				 -EACCES);
		mount_forget(m, i);
		return;
	}
	if (how == REOPENED) {
		assert_int_equal(mount_open(m, "f", O_RDONLY | O_TRUNC, &h),
				 -EACCES);
		return;
	}
	h = given_up[k].is_new ? NULL : opened(m);
	if (!h)
		assert_int_equal(mount_create(m, "f", &h), 0);
	if (how == SHARED)
		other = opened(m);
	assert_int_equal(fs_file_write(m->fs, h, 0, "longer", 6), 0);
	if (how == UNLINKED)
		assert_int_equal(mount_unlink(m, "f"), 0);
	assert_int_equal(fs_file_flush(m->fs, h),
			 how == STORED || how == UNLINKED ? 0 : -EACCES);
	fs_release(m->fs, h);
	if (other)
		assert_int_equal(fs_file_flush(m->fs, other), -EACCES);
}

static void test_given_up(void **state)
{
	struct stat before, after;
	struct mount m;
	char text[256];

	for (size_t k = 0; k < COUNT(given_up); k++) {
		enum given_up_how how = given_up[k].how;

		mount_up(&m, "", 60, false);
		inval_queue_begin(fs_inval_queue(m.fs));
		if (!given_up[k].is_new) {
			store_has(&m, "f", "old");
			assert_int_equal(mount_stat(&m, "f", &before), 0);
		}
		if (how != STORED)
			memstore_fail(m.store, "put", 0, -EACCES);
		give_up(&m, k);
		memstore_fail(m.store, "put", 0, 0);
		notices_of(&m, text, sizeof(text));
		row_equal(given_up[k].sentence, text, given_up[k].reported);
		if (given_up[k].is_new)
			assert_int_equal(mount_stat(&m, "f", &after), -ENOENT);
		if (!given_up[k].is_new && how <= REOPENED) {
			assert_int_equal(mount_stat(&m, "f", &after), 0);
			row_number(given_up[k].sentence, after.st_size, 3);
			row_number(given_up[k].sentence, after.st_mtim.tv_nsec,
				   before.st_mtim.tv_nsec);
		}
		inval_queue_end(fs_inval_queue(m.fs));
		mount_down(&m);
	}
}

/* A reader of what was not stored keeps it; no reader stores it by accident. */
static void test_read_by_others(void **state)
{
	struct handle *h, *reader, *other;
	struct inode *old, *now;
	struct stat st = { .st_mode = 0600 }, out;
	double timeout;
	struct mount m;
	char text[64];

	mount_up(&m, "", 60, false);
	store_has(&m, "f", "old");
	old = mount_find(&m, "f", NULL);
	assert_int_equal(fs_setattr(m.fs, old, NULL, &st, FS_SET_MODE, &out,
				    &timeout),
			 0);
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &reader), 0);
	h = opened(&m);
	other = opened(&m);
	memstore_fail(m.store, "put", 0, -EACCES);
	assert_int_equal(fs_file_write(m.fs, h, 0, "longer", 6), 0);
	assert_int_equal(fs_file_flush(m.fs, h), -EACCES);
	fs_release(m.fs, h);
	/* another one could still store it */
	assert_int_equal(mount_stat(&m, "f", &out), 0);
	assert_int_equal(out.st_size, 6);
	assert_int_equal(fs_file_flush(m.fs, other), -EACCES);
	inval_queue_begin(fs_inval_queue(m.fs));
	fs_release(m.fs, other);
	memstore_fail(m.store, "put", 0, 0);
	notices_of(&m, text, sizeof(text));
	assert_string_equal(text, "Ef B ");
	assert_int_equal(mount_read(&m, reader, text, sizeof(text)), 6);
	assert_int_equal(mount_stat(&m, "f", &out), 0);
	assert_int_equal(out.st_size, 3);
	assert_int_equal(out.st_mode & 07777, 0600);
	now = mount_find(&m, "f", NULL);
	assert_ptr_not_equal(now, old);
	h = opened(&m);
	assert_int_equal(fs_file_write(m.fs, h, 3, "er", 2), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	fs_release(m.fs, reader);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 5);
	assert_string_equal(text, "older");
	mount_forget(&m, old);
	mount_forget(&m, now);
	inval_queue_end(fs_inval_queue(m.fs));
	mount_down(&m);
}

SUITE(given_up)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_read_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
