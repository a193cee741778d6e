/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner, mode and moves in a local store, and what a replaced object keeps.
 *
 * Covers: store/local/local_attr.c store/local/local_names.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/digest.h"
#include "local_rig.h"
#include "unit.h"

static struct local_rig rig;

static int start(void **state)
{
	umask(022);
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(local_rig_path(&rig, name), &st), 0);
	return st;
}

static int put_as(const char *key, const struct store_owner *owner,
		  struct object_info *info)
{
	const struct store_body body = { .data = "", .fd = -1, .len = 0 };
	const struct store_meta meta = { .owner = owner };

	return store_put(rig.s, key, &body, &meta, NULL, info);
}

/* ---- whose is it? ---- */

static void new_objects_have_an_owner(void **state)
{
	const struct store_owner owner = { geteuid() ? geteuid() : 1234,
					   geteuid() ? getegid() : 1235, 0640 };
	const struct store_owner folder = { owner.uid, owner.gid, 0750 };
	struct object_info info;

	assert_int_equal(put_as("who/d/x", &owner, &info), 0);
	assert_int_equal(info.mode, S_IFREG | 0640);
	assert_int_equal(info.uid, owner.uid);
	assert_int_equal(stat_of("who/d/x").st_mode, S_IFREG | 0640);
	assert_int_equal(stat_of("who/d/x").st_gid, owner.gid);
	/* the folders that it needs are the owner's, by the umask */
	assert_int_equal(stat_of("who/d").st_uid, owner.uid);
	assert_int_equal(stat_of("who").st_gid, owner.gid);
	assert_int_equal(stat_of("who").st_mode, S_IFDIR | 0755);
	assert_int_equal(put_as("who/e/", &folder, &info), 0);
	assert_int_equal(info.mode, S_IFDIR | 0750);
	assert_int_equal(stat_of("who/e").st_uid, owner.uid);
	/* without one it is the process's, by its umask */
	assert_int_equal(put_as("nobody", NULL, &info), 0);
	assert_int_equal(info.mode, S_IFREG | 0644);
	assert_int_equal(info.uid, geteuid());
}

static void replaced_objects_keep_theirs(void **state)
{
	static const struct {
		const char *sentence;
		mode_t before, after;
	} rows[] = {
		{ "a mode", 0640, 0640 },
		{ "one that only reads", 0444, 0444 },
		{ "one closed to its owner", 0, 0 },
		{ "set-id bits are not for other bytes", 06755, 0755 },
		{ "the sticky bit", 01644, 01644 },
	};
	const struct store_owner other = { 1, 1, 0777 };

	for (int privileged = 0; privileged < 2; privileged++) {
		if (!privileged)
			local_rig_unprivileged();
		for (size_t i = 0; i < COUNT(rows); i++) {
			const char *path = local_rig_path(&rig, "keep");
			struct object_info info;

			unlink(path);
			local_rig_write(&rig, "keep", "old");
			row_number(rows[i].sentence,
				   chmod(path, rows[i].before), 0);
			row_number(rows[i].sentence,
				   put_as("keep", privileged ? &other : NULL,
					  &info),
				   0);
			row_number(rows[i].sentence, info.mode,
				   S_IFREG | rows[i].after);
			row_number(rows[i].sentence, stat_of("keep").st_mode,
				   S_IFREG | rows[i].after);
			row_number(rows[i].sentence, stat_of("keep").st_uid,
				   geteuid());
			/* and its note counts */
			row_check(rows[i].sentence,
				  !strncmp(info.etag, "\"s-", 3));
		}
		local_rig_privileged();
	}
	if (geteuid())
		return;
	assert_int_equal(chown(local_rig_path(&rig, "keep"), 1234, 1235), 0);
	assert_int_equal(put_as("keep", &other, NULL), 0);
	assert_int_equal(stat_of("keep").st_uid, 1234);
	assert_int_equal(stat_of("keep").st_gid, 1235);
}

/* ---- changes ---- */

static void changes_owner_and_mode(void **state)
{
	const struct store_attr mode = { .which = STORE_SET_MODE,
					 .mode = 04711 };
	const struct store_attr both = { .which = STORE_SET_MODE |
						  STORE_SET_UID | STORE_SET_GID,
					 .mode = 04711,
					 .uid = 1234,
					 .gid = 1235 };
	struct object_info info;

	local_rig_put(rig.s, "ch/x", "1");
	assert_int_equal(store_set_attr(rig.s, "ch/x", &mode, &info), 0);
	assert_int_equal(info.mode, S_IFREG | 04711);
	assert_int_equal(store_set_attr(rig.s, "ch/", &mode, &info), 0);
	assert_int_equal(info.mode, S_IFDIR | 04711);
	assert_int_equal(store_set_attr(rig.s, "", &mode, &info), 0);
	assert_int_equal(stat_of("").st_mode & 07777, mode.mode);
	assert_int_equal(store_set_attr(rig.s, "ch", &mode, NULL), -ENOENT);
	assert_int_equal(store_set_attr(rig.s, "ch/x/", &mode, NULL), -ENOENT);
	assert_int_equal(store_set_attr(rig.s, "ch/none", &mode, NULL),
			 -ENOENT);
	/* a folder whose mode was chosen does not go by itself */
	assert_int_equal(store_remove(rig.s, "ch/x"), 0);
	assert_int_equal(stat_of("ch").st_mode, S_IFDIR | 04711);
	if (geteuid())
		return;
	/* chown clears set-id, the mode comes after it */
	local_rig_put(rig.s, "ch/x", "1");
	assert_int_equal(store_set_attr(rig.s, "ch/x", &both, &info), 0);
	assert_int_equal(info.mode, S_IFREG | 04711);
	assert_int_equal(info.uid, 1234);
	assert_int_equal(info.gid, 1235);
}

/* A file that is closed to its own owner. */
static void closed_to_its_owner(void **state)
{
	const struct store_attr closed = { .which = STORE_SET_MODE };
	const struct store_attr open = { .which = STORE_SET_MODE,
					 .mode = 0644 };
	const struct store_attr when = { .which = STORE_SET_MTIME,
					 .mtime = { 1000000000, 0 } };
	struct object_info before, info;
	char text[4096];

	local_rig_unprivileged();
	before = local_rig_put(rig.s, "shut", "1");
	assert_int_equal(store_set_attr(rig.s, "shut", &closed, NULL), 0);
	assert_int_equal(local_rig_get(rig.s, "shut", text), -EACCES);
	assert_int_equal(store_set_attr(rig.s, "shut", &when, &info), 0);
	assert_int_equal(info.mtime.tv_sec, 1000000000);
	assert_int_equal(info.mode, S_IFREG);
	assert_int_equal(store_set_attr(rig.s, "shut", &open, &info), 0);
	assert_string_equal(info.etag, before.etag);
	assert_int_equal(local_rig_get(rig.s, "shut", text), 0);
	local_rig_privileged();
}

static void attributes_of_others_stay(void **state)
{
	char value[16];

	local_rig_write(&rig, "xa", "1");
	assert_int_equal(setxattr(local_rig_path(&rig, "xa"), "user.theirs",
				  "v", 1, 0),
			 0);
	assert_int_equal(store_rename(rig.s, "xa", "xb", false), 0);
	assert_int_equal(getxattr(local_rig_path(&rig, "xb"), "user.theirs",
				  value, sizeof(value)),
			 1);
}

/* ---- moves ---- */

enum what { NOTHING, FILE_, EMPTY, FULL, LINK };

static void make(const char *name, enum what what)
{
	char below[64];

	snprintf(below, sizeof(below), "%s/x", name);
	switch (what) {
	case NOTHING:
		break;
	case FILE_:
		local_rig_write(&rig, name, name);
		break;
	case FULL:
	case EMPTY:
		assert_int_equal(mkdir(local_rig_path(&rig, name), 0755), 0);
		if (what == FULL)
			local_rig_write(&rig, below, name);
		break;
	case LINK:
		assert_int_equal(symlink("x", local_rig_path(&rig, name)), 0);
		break;
	}
}

static const struct {
	const char *sentence;
	enum what from, to;
	bool dirs, if_absent;
	int rc;
} moves[] = {
	{ "a file to a new name", FILE_, NOTHING, false, false, 0 },
	{ "a file over another", FILE_, FILE_, false, false, 0 },
	{ "a file over another, if nothing is there", FILE_, FILE_, false, true,
	  -EEXIST },
	{ "a file to a new name, if nothing is there", FILE_, NOTHING, false,
	  true, 0 },
	{ "a file over a folder", FILE_, EMPTY, false, false, -EISDIR },
	{ "a file over a symlink", FILE_, LINK, false, false, -EACCES },
	{ "nothing", NOTHING, NOTHING, false, false, -ENOENT },
	{ "a symlink", LINK, NOTHING, false, false, -ENOENT },
	{ "a folder by the name of a file", FULL, NOTHING, false, false,
	  -ENOENT },
	{ "a folder to a new name", FULL, NOTHING, true, false, 0 },
	{ "a folder over an empty one", FULL, EMPTY, true, false, 0 },
	{ "a folder over one that is not empty", FULL, FULL, true, false,
	  -ENOTEMPTY },
	{ "a folder over an empty one, if nothing is there", FULL, EMPTY, true,
	  true, -EEXIST },
	{ "a folder over a file", FULL, FILE_, true, false, -ENOTDIR },
	{ "a file by the name of a folder", FILE_, NOTHING, true, false,
	  -ENOENT },
};

static void moves_by_table(void **state)
{
	for (size_t i = 0; i < COUNT(moves); i++) {
		const char *from = moves[i].dirs ? "mv/f/" : "mv/f";
		const char *to = moves[i].dirs ? "mt/t/" : "mt/t";
		const char *row = moves[i].sentence;

		assert_int_equal(mkdir(local_rig_path(&rig, "mv"), 0755), 0);
		assert_int_equal(mkdir(local_rig_path(&rig, "mt"), 0755), 0);
		make("mv/f", moves[i].from);
		make("mt/t", moves[i].to);
		row_number(row,
			   store_rename(rig.s, from, to, moves[i].if_absent),
			   moves[i].rc);
		row_number(row, !access(local_rig_path(&rig, "mv/f"), F_OK),
			   moves[i].rc && (moves[i].from == FILE_ ||
					   moves[i].from == FULL));
		local_rig_wipe(local_rig_path(&rig, "mv"));
		local_rig_wipe(local_rig_path(&rig, "mt"));
	}
}

/* Folders are made for the new place and go from the old one. */
static void moves_folders(void **state)
{
	local_rig_put(rig.s, "old/a/x", "1");
	assert_int_equal(store_rename(rig.s, "old/a/x", "new/b/c/y", false), 0);
	assert_int_equal(access(local_rig_path(&rig, "old"), F_OK), -1);
	assert_int_equal(access(local_rig_path(&rig, "new/b/c/y"), F_OK), 0);
	/* and none is left where nothing came */
	assert_int_equal(store_rename(rig.s, "none", "never/made/z", false),
			 -ENOENT);
	assert_int_equal(access(local_rig_path(&rig, "never"), F_OK), -1);
	/* no folder moves into itself */
	assert_int_equal(store_rename(rig.s, "new/", "new/b/in/", false),
			 -EINVAL);
	assert_int_equal(access(local_rig_path(&rig, "new/b/c/y"), F_OK), 0);
	assert_int_equal(access(local_rig_path(&rig, "new/b/in"), F_OK), -1);
	/* a name is itself */
	assert_int_equal(store_rename(rig.s, "new/b/c/y", "new/b/c/y", false),
			 0);
	assert_int_equal(access(local_rig_path(&rig, "new/b/c/y"), F_OK), 0);
}

/* ---- what a reader holds ---- */

static void open_files_stay(void **state)
{
	struct object_info info;
	char bytes[16];
	int fd;

	local_rig_put(rig.s, "open", "first");
	assert_int_equal(store_open(rig.s, "open", NULL, &fd, &info), 0);
	local_rig_put(rig.s, "open", "second");
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 5);
	assert_int_equal(store_same(rig.s, fd, info.etag), 0);
	close(fd);
	assert_int_equal(store_open(rig.s, "open", info.etag, &fd, NULL),
			 -ESTALE);
	assert_int_equal(store_open(rig.s, "open", NULL, &fd, &info), 0);
	/* Another program writes into the very file. */
	local_rig_write(&rig, "open", "third!");
	assert_int_equal(store_same(rig.s, fd, info.etag), -ESTALE);
	close(fd);
	assert_int_equal(store_open(rig.s, "absent", NULL, &fd, NULL), -ENOENT);
	assert_int_equal(store_open(rig.s, "absent", "\"x\"", &fd, NULL),
			 -ESTALE);
	assert_int_equal(fd, -1);
}

SUITE(local_attr)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_objects_have_an_owner),
		cmocka_unit_test(replaced_objects_keep_theirs),
		cmocka_unit_test(changes_owner_and_mode),
		cmocka_unit_test(closed_to_its_owner),
		cmocka_unit_test(attributes_of_others_stay),
		cmocka_unit_test(moves_by_table),
		cmocka_unit_test(moves_folders),
		cmocka_unit_test(open_files_stay),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_attr", tests, start, stop);
}
