/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers store as extended attributes, and headers by names of ours: in
 * the object's metadata, whatever state the file is in.
 *
 * Covers: fs/xattr/xattr_props.c fs/content/file_edit.c
 */
#include "disk.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/digest.h"
#include "fs/xattr/fs_xattr.h"
#include "store/store.h"
#include "store/xattrs.h"

#define OWN "user.comment"
#define TYPE "user.stage.content_type"
#define CACHE "user.stage.cache_control"

static int set(struct mount *m, const char *path, const char *name,
	       const char *value, int flags)
{
	struct inode *i = mount_find(m, path, NULL);
	int rc;

	assert_non_null(i);
	rc = value ? fs_xattr_set(m->fs, i, name, value, strlen(value), flags,
				  &m->caller)
		   : fs_xattr_remove(m->fs, i, name, &m->caller);
	mount_forget(m, i);
	return rc;
}

static void get_is(struct mount *m, const char *path, const char *name,
		   const char *value)
{
	struct inode *i = mount_find(m, path, NULL);
	struct buf out = BUF_INIT(BUF_URL);
	int rc;

	assert_non_null(i);
	rc = fs_xattr_get(m->fs, i, name, &m->caller, &out);
	row_number(name, rc, value ? 0 : -ENODATA);
	row_equal(name, buf_str(&out), value ?: "");
	buf_clear(&out);
	mount_forget(m, i);
}

/* Is that name listed? */
static bool lists(struct mount *m, const char *path, const char *name)
{
	struct inode *i = mount_find(m, path, NULL);
	struct buf out = BUF_INIT(BUF_URL);
	bool found = false;

	assert_int_equal(fs_xattr_list(m->fs, i, &out), 0);
	for (size_t at = 0; at < out.len; at += strlen(out.data + at) + 1)
		found = found || !strcmp(out.data + at, name);
	buf_clear(&out);
	mount_forget(m, i);
	return found;
}

/* The header that the object has. */
static void header_is(struct mount *m, const char *key, const char *name,
		      const char *value)
{
	struct object_details d;

	assert_int_equal(store_head(m->store, key, &d), 0);
	row_equal(key, props_get(&d.props, name) ?: "", value);
}

static void xattr_is(struct mount *m, const char *key, const char *value)
{
	struct object_details d;
	struct buf out = BUF_INIT(BUF_URL);

	assert_int_equal(store_head(m->store, key, &d), 0);
	row_number(key, xattrs_get(&d.props, OWN, &out), value ? 0 : -ENODATA);
	row_equal(key, buf_str(&out), value ?: "");
	buf_clear(&out);
}

static void up(struct mount *m)
{
	struct fs_settings s = mount_settings;

	s.list_xattrs = FS_LIST_STAGE;
	mount_with(m, "p/", false, &s);
	m->store->types = true;
}

/* One copy of the object onto itself; its bytes, size and time stay. */
static void of_a_file_that_is_stored(void **state)
{
	struct stat before, after;
	struct mount m;
	char text[16];
	unsigned copies;

	up(&m);
	assert_int_equal(mount_write(&m, "f", "bytes"), 0);
	assert_int_equal(mount_stat(&m, "f", &before), 0);
	copies = memstore_calls(m.store, "copy");
	assert_false(lists(&m, "f", OWN));
	assert_int_equal(set(&m, "f", OWN, "one", 0), 0);
	assert_int_equal(memstore_calls(m.store, "copy"), copies + 1);
	get_is(&m, "f", OWN, "one");
	xattr_is(&m, "p/f", "one");
	assert_true(lists(&m, "f", OWN));
	assert_true(lists(&m, "f", "user.stage.etag"));
	/* What is so already costs nothing. */
	assert_int_equal(set(&m, "f", OWN, "one", 0), 0);
	assert_int_equal(memstore_calls(m.store, "copy"), copies + 1);
	assert_int_equal(mount_stat(&m, "f", &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim,
			    sizeof(before.st_mtim));
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(mount_cat(&m, "f", text, sizeof(text)), 5);
	assert_int_equal(set(&m, "f", TYPE, "text/x-mine", 0), 0);
	assert_int_equal(set(&m, "f", CACHE, "max-age=60", 0), 0);
	get_is(&m, "f", TYPE, "text/x-mine");
	header_is(&m, "p/f", PROP_CACHE, "max-age=60");
	xattr_is(&m, "p/f", "one");
	/* An edit keeps them all. */
	assert_int_equal(mount_write(&m, "f", "other"), 0);
	header_is(&m, "p/f", PROP_TYPE, "text/x-mine");
	xattr_is(&m, "p/f", "one");
	assert_int_equal(set(&m, "f", CACHE, NULL, 0), 0);
	assert_int_equal(set(&m, "f", CACHE, NULL, 0), -ENODATA);
	assert_int_equal(set(&m, "f", OWN, NULL, 0), 0);
	get_is(&m, "f", OWN, NULL);
	get_is(&m, "f", CACHE, NULL);
	xattr_is(&m, "p/f", NULL);
	mount_down(&m);
}

/* Of what is not stored yet they go with it, for no request of their own. */
static void of_a_file_that_is_written(void **state)
{
	struct handle *h;
	struct mount m;
	unsigned copies;

	up(&m);
	copies = memstore_calls(m.store, "copy");
	assert_int_equal(mount_create(&m, "new.html", &h), 0);
	assert_int_equal(set(&m, "new.html", OWN, "early", 0), 0);
	assert_int_equal(set(&m, "new.html", CACHE, "no-store", 0), 0);
	get_is(&m, "new.html", OWN, "early");
	get_is(&m, "new.html", CACHE, "no-store");
	assert_true(lists(&m, "new.html", OWN));
	assert_int_equal(fs_file_write(m.fs, h, 0, "x", 1), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	xattr_is(&m, "p/new.html", "early");
	header_is(&m, "p/new.html", PROP_CACHE, "no-store");
	/* The name's type goes with it all the same. */
	if (store_type(m.store, "new.html"))
		header_is(&m, "p/new.html", PROP_TYPE, "text/html");
	/* It stays so when it is written to again through that handle. */
	assert_int_equal(fs_file_write(m.fs, h, 1, "y", 1), 0);
	assert_int_equal(set(&m, "new.html", OWN, "late", XATTR_REPLACE), 0);
	assert_int_equal(set(&m, "new.html", TYPE, "text/x-mine", 0), 0);
	assert_int_equal(fs_file_flush(m.fs, h), 0);
	fs_release(m.fs, h);
	xattr_is(&m, "p/new.html", "late");
	header_is(&m, "p/new.html", PROP_TYPE, "text/x-mine");
	assert_int_equal(memstore_calls(m.store, "copy"), copies);
	mount_down(&m);
}

static void of_a_directory(void **state)
{
	struct mount m;

	up(&m);
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(set(&m, "d", OWN, "dir", 0), 0);
	get_is(&m, "d", OWN, "dir");
	xattr_is(&m, "p/d/", "dir");
	assert_true(lists(&m, "d", OWN));
	assert_int_equal(set(&m, "d", OWN, NULL, 0), 0);
	get_is(&m, "d", OWN, NULL);
	/* One without a marker gets one. */
	store_has(&m, "p/implied/x", "x");
	get_is(&m, "implied", OWN, NULL);
	assert_int_equal(set(&m, "implied", OWN, NULL, 0), -ENODATA);
	assert_int_equal(set(&m, "implied", OWN, "made", 0), 0);
	xattr_is(&m, "p/implied/", "made");
	/* A stage's root has no object. */
	assert_int_equal(set(&m, "", OWN, "x", 0), -EOPNOTSUPP);
	get_is(&m, "", OWN, NULL);
	mount_down(&m);
}

static void who_may(void **state)
{
	static const struct fs_caller other = { 5, 5, NULL, NULL };
	struct fs_settings s = mount_settings;
	struct inode *i;
	struct mount m;
	char large[4096];

	up(&m);
	assert_int_equal(mount_write(&m, "f", "x"), 0);
	i = mount_find(&m, "f", NULL);
	assert_int_equal(fs_xattr_set(m.fs, i, OWN, "1", 1, 0, &other),
			 -EACCES);
	assert_int_equal(fs_xattr_remove(m.fs, i, TYPE, &other), -EACCES);
	memset(large, 'x', sizeof(large));
	assert_int_equal(fs_xattr_set(m.fs, i, OWN, large, sizeof(large), 0,
				      &m.caller),
			 -ENOSPC);
	mount_forget(&m, i);
	assert_int_equal(set(&m, "f", OWN, "1", XATTR_REPLACE), -ENODATA);
	assert_int_equal(set(&m, "f", OWN, "1", XATTR_CREATE), 0);
	assert_int_equal(set(&m, "f", OWN, "2", XATTR_CREATE), -EEXIST);
	assert_int_equal(set(&m, "f", CACHE, "a\nb", 0), -EINVAL);
	assert_int_equal(set(&m, "f", CACHE, "", 0), -EINVAL);
	assert_int_equal(set(&m, "f", CACHE, "1", XATTR_REPLACE), -ENODATA);
	assert_int_equal(set(&m, "f", "user.stage.storage_class", "1", 0),
			 -EPERM);
	mount_down(&m);
	s.ro = true;
	mount_with(&m, "", false, &s);
	store_has(&m, "f", "x");
	assert_int_equal(set(&m, "f", OWN, "1", 0), -EROFS);
	mount_down(&m);
}

/* Another machine has put another object there: its headers are not touched. */
static void another_machine(void **state)
{
	struct mount m;

	up(&m);
	assert_int_equal(mount_write(&m, "f", "ours"), 0);
	store_has(&m, "p/f", "theirs");
	assert_int_equal(set(&m, "f", OWN, "1", 0), -ESTALE);
	xattr_is(&m, "p/f", NULL);
	/* It is asked for anew then. */
	assert_int_equal(set(&m, "f", OWN, "1", 0), 0);
	xattr_is(&m, "p/f", "1");
	mount_down(&m);
}

/* A directory of this machine keeps them in its records. */
static void on_files(void **state)
{
	struct handle *h;
	struct disk d;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "bytes"), 0);
	assert_int_equal(set(&d.m, "f", OWN, "one", 0), 0);
	get_is(&d.m, "f", OWN, "one");
	assert_int_equal(set(&d.m, "f", CACHE, "max-age=1", 0), 0);
	assert_int_equal(mount_write(&d.m, "f", "other bytes"), 0);
	get_is(&d.m, "f", OWN, "one");
	get_is(&d.m, "f", CACHE, "max-age=1");
	assert_int_equal(mount_create(&d.m, "new", &h), 0);
	assert_int_equal(set(&d.m, "new", OWN, "early", 0), 0);
	assert_int_equal(fs_file_flush(d.m.fs, h), 0);
	fs_release(d.m.fs, h);
	get_is(&d.m, "new", OWN, "early");
	assert_int_equal(mount_mkdir(&d.m, "d"), 0);
	assert_int_equal(set(&d.m, "d", OWN, "dir", 0), 0);
	get_is(&d.m, "d", OWN, "dir");
	disk_down(&d);
}

SUITE(xattr_props)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_file_that_is_stored),
		cmocka_unit_test(of_a_file_that_is_written),
		cmocka_unit_test(of_a_directory),
		cmocka_unit_test(who_may),
		cmocka_unit_test(another_machine),
		cmocka_unit_test(on_files),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("xattr_props", tests, NULL, NULL);
}
