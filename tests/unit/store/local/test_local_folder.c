/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a store plants in its folder leads a daemon of another
 * user (root) nowhere: not while it runs, nor at its start.
 *
 * Covers: store/local/local_folder.c
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "local_rig.h"
#include "store/local/local.h"
#include "store/local/local_file.h"
#include "store/local/local_pending.h"
#include "store/local/local_root.h"
#include "unit.h"

#define USER 12345
#define ID "0123456789abcdef01234567"
#define KEYS \
	"[default]\naws_access_key_id = STOLEN\n" \
	"aws_secret_access_key = secret\n"

static struct local_rig rig;

static const char *path(const char *name)
{
	return local_rig_path(&rig, name);
}

/* ---- what is planted ---- */

static const struct {
	const char *sentence;
	const char *name; /* in the folder */
	const char *target;
	bool hard;
	int start; /* of another daemon */
} rows[] = {
	{ "tmp is a symlink", "tmp", "outside/dir", false, -EUCLEAN },
	{ "uploads is a symlink", "uploads", "outside/dir", false, -EUCLEAN },
	{ "an upload is a symlink", "uploads/" ID, "outside/dir/" ID, false,
	  0 },
	{ "locks is a symlink", "locks", "outside/file", false, -EUCLEAN },
	{ "locks is a symlink to nothing", "locks", "outside/none", false,
	  -EUCLEAN },
	{ "locks is a hard link", "locks", "outside/file", true, -EUCLEAN },
	{ "keys is a symlink", "keys", "outside/file", false, 0 },
	{ "keys is a hard link", "keys", "outside/file", true, 0 },
	{ "gateway is a hard link", "gateway", "outside/file", true, 0 },
	{ "the key of an upload is a hard link", "uploads/" ID "/key",
	  "outside/file", true, 0 },
};

static void own(const char *name)
{
	if (!geteuid())
		assert_int_equal(lchown(path(name), USER, USER), 0);
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	local_rig_write(&rig, name, text);
	assert_int_equal(chmod(path(name), mode), 0);
}

/* A store of a user's, and what is none of theirs beside it. */
static void make(void)
{
	assert_int_equal(mkdir(path("outside"), 0755), 0);
	assert_int_equal(mkdir(path("outside/dir"), 0755), 0);
	assert_int_equal(mkdir(path("outside/dir/" ID), 0755), 0);
	make_file("outside/file", KEYS, 0600);
	make_file("outside/dir/file", "x", 0644);
	make_file("outside/dir/" ID "/data", "x", 0644);
	make_file("outside/dir/" ID "/key", "a", 0600);
	assert_int_equal(mkdir(path("s"), 0755), 0);
	assert_int_equal(mkdir(path("s/.stagefs"), 0700), 0);
	own("s");
	own("s/.stagefs");
}

static void plant(const char *name, const char *target, bool hard)
{
	char at[256], up[256];

	snprintf(at, sizeof(at), "s/.stagefs/%s", name);
	local_rig_wipe(path(at));
	if (strstr(name, "/key")) {
		snprintf(up, sizeof(up), "s/.stagefs/uploads/%s", ID);
		assert_int_equal(mkdir(path(up), 0700), 0);
		own(up);
		make_file("s/.stagefs/uploads/" ID "/data", "x", 0600);
		own("s/.stagefs/uploads/" ID "/data");
	}
	if (hard)
		assert_int_equal(link(path(target), path(at)), 0);
	else
		assert_int_equal(symlink(path(target), path(at)), 0);
}

/* ---- what a daemon does ---- */

static int open_store(struct store **s)
{
	const struct local_settings set = { .name = "x",
					    .root = path("s"),
					    .url_name = "storage" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = local_new(&set, s, &why);

	buf_clear(&why);
	return rc;
}

static void upload(struct store *s)
{
	struct store_upload *u;

	if (store_upload_open(s, "up", NULL, &u))
		return;
	store_upload_abort(u);
	store_upload_free(u);
}

/* All that goes through the folder, whatever it answers. */
static void use(const char *row, struct store *s)
{
	const struct store_body body = { .data = "new", .fd = -1, .len = 3 };
	char k[] = "a", id[] = ID;
	const struct store_pending p = { .key = k, .id = id };
	struct local_key key = { "" };
	struct buf address = BUF_INIT(1024);

	store_put(s, "a", &body, NULL, NULL, NULL);
	store_put(s, "a", &body, NULL, NULL, NULL);
	store_remove(s, "a");
	upload(s);
	store_pending_abort(s, &p);
	local_pending_sweep(local_of(s), 0);
	local_key(s, &key);
	row_check(row, strcmp(key.id, "STOLEN"));
	local_address(s, &address);
	row_check(row, !address.len);
	local_address_set(s, "http://127.0.0.1:1");
	buf_clear(&address);
}

/* ---- what must be as it was ---- */

static void describe(const char *name, struct buf *out)
{
	struct dirent **names;
	struct stat st;
	int n;

	assert_int_equal(lstat(path(name), &st), 0);
	buf_addf(out, "%s %o %u %lld\n", name, st.st_mode, st.st_uid,
		 S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
	if (!S_ISDIR(st.st_mode))
		return;
	n = scandir(path(name), &names, NULL, alphasort);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		char below[512];

		snprintf(below, sizeof(below), "%s/%s", name, names[i]->d_name);
		if (*names[i]->d_name != '.')
			describe(below, out);
		free(names[i]);
	}
	free(names);
}

static void leads_nowhere(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf before = BUF_INIT(65536), after = BUF_INIT(65536);
		struct store *running, *started;

		local_rig_open(&rig);
		make();
		assert_int_equal(open_store(&running), 0);
		describe("outside", &before);
		plant(rows[i].name, rows[i].target, rows[i].hard);
		row_number(rows[i].sentence, open_store(&started),
			   rows[i].start);
		store_unref(started);
		use(rows[i].sentence, running);
		describe("outside", &after);
		row_equal(rows[i].sentence, buf_str(&after), buf_str(&before));
		store_unref(running);
		local_rig_close(&rig);
		buf_clear(&before);
		buf_clear(&after);
	}
}

/* A third user's folder is not the store's, and what root makes there is. */
static void of_the_owner_alone(void **state)
{
	static const char *const names[] = { "tmp", "uploads" };
	struct store *s;
	struct stat st;

	if (geteuid())
		skip();
	local_rig_open(&rig);
	make();
	for (size_t i = 0; i < COUNT(names); i++) {
		char at[64];

		snprintf(at, sizeof(at), "s/.stagefs/%s", names[i]);
		assert_int_equal(mkdir(path(at), 0700), 0);
		assert_int_equal(chown(path(at), USER + 1, USER + 1), 0);
		row_number(at, open_store(&s), -EUCLEAN);
		assert_int_equal(rmdir(path(at)), 0);
	}
	assert_int_equal(open_store(&s), 0);
	/* locks that go while it runs come again, and are the owner's */
	assert_int_equal(unlink(path("s/.stagefs/locks")), 0);
	local_rig_put(s, "a", "1");
	assert_int_equal(stat(path("s/.stagefs/locks"), &st), 0);
	assert_int_equal(st.st_uid, USER);
	/* so do folders */
	assert_int_equal(rmdir(path("s/.stagefs/tmp")), 0);
	local_rig_put(s, "a", "2");
	assert_int_equal(stat(path("s/.stagefs/tmp"), &st), 0);
	assert_int_equal(st.st_uid, USER);
	/* one that others may write to is closed */
	assert_int_equal(chmod(path("s/.stagefs/tmp"), 0777), 0);
	local_rig_put(s, "a", "3");
	assert_int_equal(stat(path("s/.stagefs/tmp"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	store_unref(s);
	local_rig_close(&rig);
}

/* What stands by the name of a directory that was made a moment ago. */
static void only_what_was_made(void **state)
{
	const struct store_owner owner = { USER, USER, 0755 };
	struct timespec since = { 0 };
	struct statx times;
	struct stat st;
	bool made;
	int fd;

	local_rig_open(&rig);
	assert_int_equal(mkdir(path("old"), 0700), 0);
	fd = open(path(""), O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++) {
		int dir = local_file_mkdir(fd, i ? "old" : "new", &owner, true,
					   &made);

		assert_true(dir >= 0);
		assert_int_equal(made, !i);
		assert_int_equal(fstat(dir, &st), 0);
		assert_int_equal(st.st_mode & 0777, i ? 0700 : 0755);
		if (!geteuid())
			assert_int_equal(st.st_uid, i ? 0 : USER);
		close(dir);
	}
	close(fd);

	/* Of this user, but of another time, or of another user. */
	fd = open(path("old"), O_RDONLY | O_DIRECTORY);
	assert_true(local_file_is_made(fd, &since));
	assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &times), 0);
	if (times.stx_mask & STATX_BTIME) {
		since.tv_sec = times.stx_btime.tv_sec;
		since.tv_nsec = times.stx_btime.tv_nsec;
		assert_true(local_file_is_made(fd, &since));
		since.tv_nsec++;
		assert_false(local_file_is_made(fd, &since));
	}
	since = (struct timespec){ 0 };
	own("old");
	assert_int_equal(local_file_is_made(fd, &since), geteuid() != 0);
	close(fd);
	local_rig_close(&rig);
}

SUITE(local_folder)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leads_nowhere),
		cmocka_unit_test(of_the_owner_alone),
		cmocka_unit_test(only_what_was_made),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_folder", tests, NULL, NULL);
}
