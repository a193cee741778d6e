/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs by a path on a mount over a store of files: for which callers, by what
 * the disk says of each component.
 */
#include "base/buf.h"
#include "disk.h"
#include "unit.h"
#include "fs/xattr/fs_xattr.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- URLs of names that were never looked up ---- */

#define D "user.presign.download"
#define U "user.presign.upload"

static const struct {
	const char *sentence;
	const char *dir;
	const char *name;
	unsigned uid;
	int rc;
} signs[] = {
	{ "a file that all may read", "", D "?path=shown", 5, 0 },
	{ "one that is closed", "", D "?path=closed", 5, -EACCES },
	{ "in a directory that is closed", "", D "?path=shut/shown", 5,
	  -EACCES },
	{ "further down", "", D "?path=shut/in/shown", 5, -EACCES },
	{ "where only the way is closed", "", U "?path=shut/open/new", 5,
	  -EACCES },
	{ "for root all of it", "", D "?path=shut/in/shown", 0, 0 },
	{ "a closed one for root", "", D "?path=closed", 0, 0 },
	{ "no upload to what may only be read", "open", U "?path=shown", 5,
	  -EACCES },
	{ "nor where nothing may be made", "", U "?path=new", 5, -EACCES },
	{ "nor below that", "", U "?path=n1/n2/new", 5, -EACCES },
	{ "a new name where all may", "open", U "?path=new", 5, 0 },
	{ "below new directories there", "open", U "?path=n1/n2/new", 5, 0 },
	{ "what may be written", "open", U "?path=wide", 5, 0 },
	{ "what is not there may be closed once it is", "open", D "?path=none",
	  5, -ENOENT },
	{ "below what is not there too", "open", D "?path=n1/none", 5,
	  -ENOENT },
	{ "but its maker may", "open", D "?path=none", 0, 0 },
	{ "through a file", "", D "?path=shown/x", 5, -ENOTDIR },
	{ "a directory", "", D "?path=open", 5, -EISDIR },
	{ "through a symbolic link", "", D "?path=link/passwd", 5, -ENOENT },
	{ "a key of the store", "", D "?path=.stagefs/keys", 0, -EPERM },
	{ "of a store below it", "", D "?path=open/.stagefs/keys", 0, -EPERM },
	{ "in another case", "open", D "?path=.STAGEFS/keys", 0, -EPERM },
	{ "nor may one be written", "open", U "?path=.stagefs/keys", 0,
	  -EPERM },
};

static int sign(struct disk *d, const char *dir, const char *name, unsigned uid)
{
	const struct fs_caller c = { .uid = uid, .gid = uid };
	struct inode *i = mount_find(&d->m, dir, NULL);
	struct buf out = BUF_INIT(8192);
	int rc;

	assert_non_null(i);
	rc = fs_xattr_get(d->m.fs, i, name, &c, &out);
	mount_forget(&d->m, i);
	buf_clear(&out);
	return rc;
}

static void make_closed(struct disk *d)
{
	static const struct {
		const char *name;
		int mode;
	} made[] = {
		{ "shut", 0700 },      { "shut/in", 0755 },
		{ "shut/open", 0777 }, { "open", 0777 },
		{ "open/.stagefs", 0700 },
	}, files[] = {
		{ "shown", 0644 },	 { "closed", 0600 },
		{ "shut/shown", 0644 },	 { "shut/in/shown", 0644 },
		{ "open/shown", 0644 },	 { "open/wide", 0666 },
		{ "open/.stagefs/keys", 0600 },
	};

	assert_int_equal(chmod(disk_path(d, "."), 0755), 0);
	for (size_t i = 0; i < COUNT(made); i++) {
		assert_int_equal(mkdir(disk_path(d, made[i].name), 0700), 0);
		assert_int_equal(
			chmod(disk_path(d, made[i].name), made[i].mode), 0);
	}
	for (size_t i = 0; i < COUNT(files); i++) {
		local_rig_write(&d->rig, files[i].name, "text");
		assert_int_equal(
			chmod(disk_path(d, files[i].name), files[i].mode), 0);
	}
	assert_int_equal(symlink("/etc", disk_path(d, "link")), 0);
}

/* A root daemon's mount, where others come in (allow_other). Each row has a
 * mount that knows no name yet. */
static void test_signs_what_the_caller_may(void **state)
{
	struct disk d;

	if (geteuid())
		skip();
	for (size_t i = 0; i < COUNT(signs); i++) {
		disk_up(&d, 60);
		make_closed(&d);
		row_number(signs[i].sentence,
			   sign(&d, signs[i].dir, signs[i].name, signs[i].uid),
			   signs[i].rc);
		disk_down(&d);
	}
}

/* What is known of a name is as old as the ttl: a URL lives longer. */
static void test_signs_by_the_disk_of_now(void **state)
{
	struct disk d;
	struct stat st;

	disk_up(&d, 60);
	assert_int_equal(chmod(disk_path(&d, "."), 0755), 0);
	assert_int_equal(mkdir(disk_path(&d, "dir"), 0755), 0);
	local_rig_write(&d.rig, "dir/f", "text");
	assert_int_equal(chmod(disk_path(&d, "dir/f"), 0644), 0);
	assert_int_equal(mount_stat(&d.m, "dir/f", &st), 0);
	assert_int_equal(sign(&d, "dir", D "?path=f", 5), 0);
	assert_int_equal(sign(&d, "dir/f", D, 5), 0);

	assert_int_equal(chmod(disk_path(&d, "dir/f"), 0600), 0);
	assert_int_equal(sign(&d, "dir", D "?path=f", 5), -EACCES);
	assert_int_equal(sign(&d, "dir/f", D, 5), -EACCES);
	assert_int_equal(chmod(disk_path(&d, "dir/f"), 0644), 0);
	assert_int_equal(chmod(disk_path(&d, "dir"), 0700), 0);
	assert_int_equal(sign(&d, "", D "?path=dir/f", 5), -EACCES);
	assert_int_equal(sign(&d, "dir", D "?path=f", 5), -EACCES);
	assert_int_equal(chmod(disk_path(&d, "dir"), 0755), 0);
	assert_int_equal(chmod(disk_path(&d, "."), 0700), 0);
	assert_int_equal(sign(&d, "", D "?path=dir/f", 5), -EACCES);
	disk_down(&d);
}

SUITE(fs_urls)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs_what_the_caller_may),
		cmocka_unit_test(test_signs_by_the_disk_of_now),
	};

	return cmocka_run_group_tests_name("fs_urls", tests, NULL, NULL);
}
