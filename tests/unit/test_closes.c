/* What open, write and close leave in a store, and when. */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

static int create_at_root(struct mount *m, const char *name, int flags,
			  struct handle **h)
{
	struct fs_entry e;
	int err = fs_create(m->fs, fs_root(m->fs), name, 0644, O_CREAT | flags,
			    &m->caller, &e, h);

	if (!err)
		fs_forget(m->fs, e.inode, 1);
	return err;
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
	assert_int_equal(fs_write(m.fs, h, 0, "x", 1), -EBADF);
	assert_int_equal(fs_flush(m.fs, h), 0);
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
		assert_int_equal(fs_write_page(m.fs, h, rows[k].at,
					       rows[k].page,
					       strlen(rows[k].page)),
				 0);
		assert_int_equal(fs_flush(m.fs, h), 0);
		fs_release(m.fs, h);
		assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 10);
		assert_string_equal(text, rows[k].after);
	}
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &h), 0);
	assert_int_equal(fs_write_page(m.fs, h, 0, "x", 1), -EBADF);
	fs_release(m.fs, h);
	mount_down(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
