/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a local store: on which disks, for which users, and what an earlier
 * process has left.
 *
 * Covers: store/local/local_root.c
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "local_rig.h"
#include "store/local/local.h"
#include "store/local/local_pending.h"
#include "store/local/local_root.h"
#include "unit.h"

static struct local_rig rig;
static bool may_mount;

static int start(void **state)
{
	/* Mounts of ours are seen by no other process. */
	may_mount = !unshare(CLONE_NEWNS) &&
		    !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

/* 0 and a store, or the error, with its sentence in `why`. */
static struct buf why = BUF_INIT(BUF_MESSAGE);

static int open_at(const char *root, struct store **s)
{
	const struct local_settings set = { .name = "x",
					    .root = root,
					    .url_name = "storage" };

	buf_reset(&why);
	return local_new(&set, s, &why);
}

/* ---- the root ---- */

static void makes_the_root(void **state)
{
	const char *root = local_rig_path(&rig, "new/with/parents///");
	struct stat st;
	struct store *s;

	assert_int_equal(open_at(root, &s), 0);
	assert_true(local_is(s));
	assert_int_equal(stat(local_rig_path(&rig, "new/with/parents/.stagefs"),
			      &st),
			 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	local_rig_put(s, "a", "1");
	assert_int_equal(
		access(local_rig_path(&rig, "new/with/parents/a"), F_OK), 0);
	store_unref(s);
	/* closed again if it was opened */
	assert_int_equal(
		chmod(local_rig_path(&rig, "new/with/parents/.stagefs"), 0755),
		0);
	assert_int_equal(open_at(root, &s), 0);
	store_unref(s);
	assert_int_equal(stat(local_rig_path(&rig, "new/with/parents/.stagefs"),
			      &st),
			 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void notices_that_the_root_is_gone(void **state)
{
	const char *root = local_rig_path(&rig, "gone");
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct store *s;

	assert_int_equal(open_at(root, &s), 0);
	assert_int_equal(store_check(s, "", &why), 0);
	local_rig_wipe(root);
	assert_int_equal(store_check(s, "", &why), -ENOENT);
	assert_non_null(strstr(buf_str(&why), "/gone: No such file"));
	assert_int_equal(store_put(s, "a", &body, NULL, NULL, NULL), -ENODEV);
	store_unref(s);
}

static void refuses_roots(void **state)
{
	struct store *s;

	assert_int_equal(open_at("relative", &s), -EINVAL);
	assert_int_equal(open_at("", &s), -EINVAL);
	local_rig_write(&rig, "file", "x");
	assert_int_equal(open_at(local_rig_path(&rig, "file"), &s), -ENOTDIR);
	assert_int_equal(open_at(local_rig_path(&rig, "file/x"), &s), -ENOTDIR);
	assert_non_null(strstr(buf_str(&why), "/file"));
	/* what bears the name of ours and is not */
	assert_int_equal(mkdir(local_rig_path(&rig, "odd"), 0755), 0);
	local_rig_write(&rig, "odd/.stagefs", "x");
	assert_int_equal(open_at(local_rig_path(&rig, "odd"), &s), -ENOTDIR);
	assert_non_null(strstr(buf_str(&why), ".stagefs is not a directory"));
	assert_int_equal(unlink(local_rig_path(&rig, "odd/.stagefs")), 0);
	assert_int_equal(symlink("/tmp", local_rig_path(&rig, "odd/.stagefs")),
			 0);
	assert_int_equal(open_at(local_rig_path(&rig, "odd"), &s), -ENOTDIR);
	assert_null(s);
	/* in the folder of another store */
	assert_int_equal(open_at(local_rig_path(&rig, ".stagefs/uploads"), &s),
			 -EPERM);
	assert_int_equal(symlink(".stagefs/tmp", local_rig_path(&rig, "alias")),
			 0);
	assert_int_equal(open_at(local_rig_path(&rig, "alias"), &s), -EPERM);
	assert_null(s);
}

/* The maker of the folder knows the key in it. */
static void refuses_a_folder_of_somebody_else(void **state)
{
	const char *folder = local_rig_path(&rig, "shared/.stagefs");
	struct store *s;

	if (geteuid())
		skip();
	assert_int_equal(mkdir(local_rig_path(&rig, "shared"), 0777), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(chown(folder, 12345, 12345), 0);
	assert_int_equal(open_at(local_rig_path(&rig, "shared"), &s), -EACCES);
	assert_non_null(strstr(buf_str(&why), "belongs to somebody else"));
	/* the owner of the root is trusted by root, and stays the owner */
	assert_int_equal(chown(local_rig_path(&rig, "shared"), 12345, 12345),
			 0);
	assert_int_equal(open_at(local_rig_path(&rig, "shared"), &s), 0);
	assert_int_equal(local_key(s, &(struct local_key){ "" }), 0);
	local_rig_put(s, "a", "1");
	store_unref(s);
	for (int i = 0; i < 4; i++) {
		static const char *const ours[] = { "keys", "locks", "tmp",
						    "uploads" };
		char name[64];
		struct stat st;

		snprintf(name, sizeof(name), "shared/.stagefs/%s", ours[i]);
		row_number(name, stat(local_rig_path(&rig, name), &st), 0);
		row_number(name, st.st_uid, 12345);
	}
}

/* ---- disks ---- */

static void without_xattrs(void **state)
{
	const char *root = local_rig_path(&rig, "ramfs");
	struct store *s;

	assert_int_equal(mkdir(root, 0755), 0);
	if (!may_mount || mount("none", root, "ramfs", 0, NULL))
		skip();
	assert_int_equal(open_at(root, &s), -EOPNOTSUPP);
	assert_null(s);
	assert_non_null(strstr(buf_str(&why), "/ramfs: "));
	assert_non_null(
		strstr(buf_str(&why), "keeps no user extended attributes"));
	assert_int_equal(umount(root), 0);
}

static void in_memory(void **state)
{
	const char *root = local_rig_path(&rig, "tmpfs");
	struct store *s;
	char text[4096];
	int rc;

	assert_int_equal(mkdir(root, 0755), 0);
	if (!may_mount || mount("none", root, "tmpfs", 0, NULL))
		skip();
	rc = open_at(root, &s);
	/* Kernels from 6.6 on keep them, if they were built so. */
	if (rc) {
		assert_int_equal(rc, -EOPNOTSUPP);
		assert_non_null(strstr(buf_str(&why), "extended attributes"));
	} else {
		local_rig_put(s, "a", "1");
		local_rig_put(s, "a", "2");
		assert_int_equal(local_rig_get(s, "a", text), 0);
		store_unref(s);
	}
	assert_int_equal(umount(root), 0);
}

static void full(void **state)
{
	const char *root = local_rig_path(&rig, "full");
	static char bytes[1 << 20];
	const struct store_body body = { .data = bytes,
					 .fd = -1,
					 .len = sizeof(bytes) };
	struct statvfs room;
	struct store *s;
	char *names;
	int rc = 0;

	assert_int_equal(mkdir(root, 0755), 0);
	if (!may_mount || mount("none", root, "tmpfs", 0, "size=3m"))
		skip();
	if (open_at(root, &s)) {
		assert_int_equal(umount(root), 0);
		skip();
	}
	for (int i = 0; !rc && i < 8; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		rc = store_put(s, key, &body, NULL, NULL, NULL);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(store_statfs(s, &room), 0);
	assert_true(room.f_blocks * room.f_frsize == 3 << 20);
	store_unref(s);
	/* A full disk is opened, read, and emptied. */
	assert_int_equal(open_at(root, &s), 0);
	names = local_rig_list(s, "", 0);
	assert_non_null(strstr(names, "k0 "));
	free(names);
	assert_int_equal(store_remove(s, "k0"), 0);
	assert_int_equal(store_put(s, "k0", &body, NULL, NULL, NULL), 0);
	store_unref(s);
	assert_int_equal(umount(root), 0);
}

/* ---- what cannot be written ---- */

static void assert_read_only(struct store *s, int rc)
{
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	const struct store_attr attr = { .which = STORE_SET_MODE };
	struct store_upload *u;
	char text[4096], *names;
	int fd;

	assert_int_equal(local_rig_get(s, "d/old", text), 0);
	assert_string_equal(text, "old");
	names = local_rig_list(s, "d/o", 0);
	assert_string_equal(names, "d/old ");
	free(names);
	assert_int_equal(store_put(s, "new", &body, NULL, NULL, NULL), rc);
	assert_int_equal(store_put(s, "d/", &(struct store_body){ 0 }, NULL,
				   NULL, NULL),
			 rc);
	assert_int_equal(store_remove(s, "d/old"), rc);
	assert_int_equal(store_rename(s, "d/old", "d/new", false), rc);
	assert_int_equal(store_copy(s, "d/old", NULL, "new", NULL, NULL), rc);
	assert_int_equal(store_set_attr(s, "d/old", &attr, NULL), rc);
	assert_int_equal(store_scratch(s, "new", &fd), rc);
	assert_int_equal(store_upload_open(s, "new", NULL, &u), rc);
	assert_int_equal(local_address_set(s, "http://h"), rc);
	assert_int_equal(store_check(s, "", &why), 0);
}

static void read_only_disk(void **state)
{
	const char *root = local_rig_path(&rig, "rodisk");
	struct local_key key;
	struct store *s;

	assert_int_equal(open_at(root, &s), 0);
	local_rig_put(s, "d/old", "old");
	assert_int_equal(local_key(s, &key), 0);
	store_unref(s);
	if (!may_mount || mount(root, root, NULL, MS_BIND, NULL))
		skip();
	assert_int_equal(mount(NULL, root, NULL,
			       MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
			 0);
	assert_int_equal(open_at(root, &s), 0);
	assert_read_only(s, -EROFS);
	/* Its URLs are answered all the same: there is a key. */
	assert_int_equal(local_key(s, &key), 0);
	/* No new mount is needed when the disk can be written. */
	assert_int_equal(mount(NULL, root, NULL, MS_REMOUNT | MS_BIND, NULL),
			 0);
	local_rig_put(s, "d/new", "new");
	store_unref(s);
	assert_int_equal(umount(root), 0);
}

static void closed_root(void **state)
{
	const char *root = local_rig_path(&rig, "closed");
	struct local_key key;
	struct store *s;

	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(mkdir(local_rig_path(&rig, "closed/d"), 0755), 0);
	local_rig_write(&rig, "closed/d/old", "old");
	assert_int_equal(chmod(root, 0555), 0);
	local_rig_unprivileged();
	assert_int_equal(open_at(root, &s), 0);
	assert_read_only(s, -EACCES);
	/* There is no key, and none can be made. */
	assert_int_equal(local_key(s, &key), -EACCES);
	store_unref(s);
	local_rig_privileged();
	assert_int_equal(chmod(root, 0755), 0);
}

/* ---- mounts below the root are other disks ---- */

static void mounts_below(void **state)
{
	const char *below = local_rig_path(&rig, "mnt");
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct object_details d;

	assert_int_equal(mkdir(below, 0755), 0);
	if (!may_mount || mount("none", below, "tmpfs", 0, NULL))
		skip();
	local_rig_write(&rig, "mnt/x", "x");
	assert_int_equal(store_head(rig.s, "mnt/x", &d), -EACCES);
	assert_int_equal(store_put(rig.s, "mnt/y", &body, NULL, NULL, NULL),
			 -EACCES);
	assert_int_equal(umount(below), 0);
}

/* ---- what was left ---- */

static void sweeps(void **state)
{
	struct local *l = local_of(rig.s);

	local_rig_write(&rig, ".stagefs/tmp/0123", "junk");
	assert_int_equal(
		mkdir(local_rig_path(&rig, ".stagefs/uploads/.0123"), 0700), 0);
	local_rig_write(&rig, ".stagefs/uploads/.0123/key", "junk");
	assert_int_equal(
		mkdir(local_rig_path(&rig, ".stagefs/uploads/0123"), 0700), 0);
	local_rig_write(&rig, ".stagefs/uploads/0123/key", "half");
	/* what is young may be in the making */
	local_pending_sweep(l, 60);
	assert_int_equal(
		access(local_rig_path(&rig, ".stagefs/tmp/0123"), F_OK), 0);
	assert_int_equal(access(local_rig_path(&rig, ".stagefs/uploads/.0123"),
				F_OK),
			 0);
	assert_int_equal(
		access(local_rig_path(&rig, ".stagefs/uploads/0123"), F_OK), 0);
	local_pending_sweep(l, 0);
	assert_int_equal(
		access(local_rig_path(&rig, ".stagefs/tmp/0123"), F_OK), -1);
	assert_int_equal(access(local_rig_path(&rig, ".stagefs/uploads/.0123"),
				F_OK),
			 -1);
	assert_int_equal(access(local_rig_path(&rig, ".stagefs/uploads/0123"),
				F_OK),
			 -1);
}

SUITE(local_root)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_root),
		cmocka_unit_test(notices_that_the_root_is_gone),
		cmocka_unit_test(refuses_roots),
		cmocka_unit_test(refuses_a_folder_of_somebody_else),
		cmocka_unit_test(without_xattrs),
		cmocka_unit_test(in_memory),
		cmocka_unit_test(full),
		cmocka_unit_test(read_only_disk),
		cmocka_unit_test(closed_root),
		cmocka_unit_test(mounts_below),
		cmocka_unit_test(sweeps),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_root", tests, start, stop);
}
