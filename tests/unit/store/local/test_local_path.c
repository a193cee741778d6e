/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys a local store holds, and that no key leads out of its root.
 *
 * Covers: store/local/local_path.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/digest.h"
#include "local_rig.h"
#include "store/local/local_path.h"
#include "unit.h"

static struct local_rig rig;

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

/* ---- keys ---- */

#define NAME_255 "%255"
#define NAME_256 "%256"

static const struct {
	const char *sentence;
	const char *key;
	int rc;
} keys[] = {
	{ "a plain name", "a", 0 },
	{ "folders", "a1/b/c/d", 0 },
	{ "a folder itself", "d/", 0 },
	{ "bytes that are no UTF-8", "\xff\xfe", 0 },
	{ "white space and controls", " \t\n\x01", 0 },
	{ "what shells and URLs know", "*?[]%41+&=;'\"\\", 0 },
	{ "three dots are a name", "...", 0 },
	{ "a name that begins with two dots", "..a/.b", 0 },
	{ "255 bytes are a name", NAME_255, 0 },
	{ "255 bytes in the middle", "x/" NAME_255 "/y", 0 },
	{ "256 bytes are none", NAME_256, -ENAMETOOLONG },
	{ "256 bytes in the middle", "x/" NAME_256 "/y", -ENAMETOOLONG },
	{ "a dot", ".", -EINVAL },
	{ "two dots", "..", -EINVAL },
	{ "up and out", "../x", -EINVAL },
	{ "up in the middle", "a/../../x", -EINVAL },
	{ "up at the end", "a/..", -EINVAL },
	{ "up, as a folder", "a/../", -EINVAL },
	{ "here in the middle", "a/./x", -EINVAL },
	{ "an empty name", "a//b", -EINVAL },
	{ "from the root", "/a", -EINVAL },
	{ "two slashes at the end", "a//", -EINVAL },
	{ "nothing but a slash", "/", -EINVAL },
	{ "the store's own folder", ".stagefs", -EPERM },
	{ "the store's own folder, with a slash", ".stagefs/", -EPERM },
	{ "the signing key", ".stagefs/keys", -EPERM },
	{ "that of a store further down", "e/.stagefs/keys", -EPERM },
	{ "further down yet, as a folder", "e/f/g/.stagefs/", -EPERM },
	{ "in another case", ".StageFS/keys", -EPERM },
	{ "in another case, further down", "e/.STAGEFS/keys", -EPERM },
	{ "with a long s", "e/.\xc5\xbftagef\xc5\xbf/keys", -EPERM },
	{ "with a ligature",
	  ".\xef\xac\x86"
	  "agefs/keys",
	  -EPERM },
	{ "with what shows nothing",
	  ".st\xe2\x80\x8d"
	  "agefs\xef\xbb\xbf",
	  -EPERM },
	{ "a longer name", ".stagefs2", 0 },
	{ "a shorter name", ".stagef", 0 },
	{ "without its dot", "stagefs", 0 },
	{ "a byte that is no UTF-8", ".stagefs\xff", 0 },
	{ "a character that ends too early", ".stagefs\xe2\x80", 0 },
	{ "an accent",
	  ".stag\xc3\xa9"
	  "fs",
	  0 },
};

/* %255 and %256 stand for so many bytes. */
static void expand(const char *key, char out[STORE_KEY_MAX + 1])
{
	const char *mark = strstr(key, "%25");
	size_t before = mark ? (size_t)(mark - key) : strlen(key);
	size_t n = mark ? strtoul(mark + 1, NULL, 10) : 0;

	memcpy(out, key, before);
	memset(out + before, 'n', n);
	strcpy(out + before + n, mark ? mark + 4 : "");
}

static void holds_keys(void **state)
{
	char key[STORE_KEY_MAX + 1], text[4096];

	for (size_t i = 0; i < COUNT(keys); i++) {
		struct store_body body = { .data = "x", .fd = -1, .len = 1 };
		struct object_details d;

		expand(keys[i].key, key);
		if (key[strlen(key) - 1] == '/')
			body.len = 0;
		row_number(keys[i].sentence,
			   store_put(rig.s, key, &body, NULL, NULL, NULL),
			   keys[i].rc);
		row_number(keys[i].sentence, store_head(rig.s, key, &d),
			   keys[i].rc);
		row_number(keys[i].sentence, local_rig_get(rig.s, key, text),
			   keys[i].rc);
		row_number(keys[i].sentence, store_remove(rig.s, key),
			   keys[i].rc);
	}
}

/* Every call says the same of such a key. */
static void refuses_everywhere(void **state)
{
	static const char *const bad[] = { "../x", ".stagefs/keys", "a//b",
					   "e/.Stagefs/keys" };
	static const int errs[] = { -EINVAL, -EPERM, -EINVAL, -EPERM };
	const struct store_attr attr = { .which = STORE_SET_MODE };

	local_rig_put(rig.s, "source", "x");
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *k = bad[i];
		struct name_info name;
		struct store_upload *u;
		int fd, result;

		row_number(k, store_stat(rig.s, k, &name), errs[i]);
		row_number(k, store_open(rig.s, k, NULL, &fd, NULL), errs[i]);
		row_number(k, store_scratch(rig.s, k, &fd), errs[i]);
		row_number(k, store_upload_open(rig.s, k, NULL, &u), errs[i]);
		row_number(k, store_copy(rig.s, "source", NULL, k, NULL, NULL),
			   errs[i]);
		row_number(k, store_copy(rig.s, k, NULL, "target", NULL, NULL),
			   errs[i]);
		row_number(k, store_rename(rig.s, "source", k, false), errs[i]);
		row_number(k, store_rename(rig.s, k, "target", false), errs[i]);
		row_number(k, store_set_attr(rig.s, k, &attr, NULL), errs[i]);
		row_number(k, store_remove_many(rig.s, &k, 1, &result),
			   errs[i]);
	}
}

static void file_and_folder(void **state)
{
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	char text[4096];

	local_rig_put(rig.s, "f", "file");
	assert_int_equal(store_put(rig.s, "f/x", &body, NULL, NULL, NULL),
			 -ENOTDIR);
	assert_int_equal(local_rig_get(rig.s, "f/x", text), -ENOENT);
	assert_int_equal(store_remove(rig.s, "f/x"), 0);
	local_rig_put(rig.s, "g/x", "below");
	assert_int_equal(store_put(rig.s, "g", &body, NULL, NULL, NULL),
			 -EISDIR);
	assert_int_equal(local_rig_get(rig.s, "g", text), -ENOENT);
	/* a folder has no bytes, and is not removed by the name of a file */
	assert_int_equal(store_put(rig.s, "g/", &body, NULL, NULL, NULL),
			 -EISDIR);
	assert_int_equal(store_remove(rig.s, "g"), 0);
	assert_int_equal(local_rig_get(rig.s, "g/x", text), 0);
	assert_int_equal(local_rig_get(rig.s, "f", text), 0);
	assert_string_equal(text, "file");
}

/* ---- ways out ---- */

static char outside[64];

static void plant(const char *target, const char *name)
{
	assert_int_equal(symlink(target, local_rig_path(&rig, name)), 0);
}

static void make_outside(void)
{
	char path[96];
	FILE *f;

	strcpy(outside, "/tmp/stagefs-outside-XXXXXX");
	assert_non_null(mkdtemp(outside));
	snprintf(path, sizeof(path), "%s/secret", outside);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("secret", f);
	fclose(f);
}

/* Nothing of it is read, changed or removed. */
static void assert_no_way(const char *sentence, const char *key)
{
	const struct store_body body = { .data = "bad", .fd = -1, .len = 3 };
	const struct store_attr attr = { .which = STORE_SET_MODE };
	struct object_details d;
	char text[4096] = "";
	int fd, rc;

	row_check(sentence, store_head(rig.s, key, &d) != 0);
	row_check(sentence, local_rig_get(rig.s, key, text) != 0);
	row_check(sentence, store_open(rig.s, key, NULL, &fd, NULL) != 0);
	row_check(sentence,
		  store_copy(rig.s, key, NULL, "copied", NULL, NULL) != 0);
	row_check(sentence, store_set_attr(rig.s, key, &attr, NULL) != 0);
	row_check(sentence, store_rename(rig.s, key, "moved", false) != 0);
	rc = store_put(rig.s, key, &body, NULL, NULL, NULL);
	row_number(sentence, rc, -EACCES);
	store_remove(rig.s, key);
}

static void no_way_out(void **state)
{
	static const struct {
		const char *sentence;
		const char *key;
	} rows[] = {
		{ "a symlink to a file", "file" },
		{ "a symlink to a folder", "dir/secret" },
		{ "a new name behind a symlink", "dir/new" },
		{ "a symlink to the folder above", "up/x" },
		{ "a symlink to the key of the store", "keys" },
		{ "a symlink within the root", "within" },
		{ "a symlink to itself", "loop" },
		{ "a magic link", "proc/root/etc/passwd" },
	};
	char path[96], text[16] = "";
	FILE *f;
	char *names;

	make_outside();
	snprintf(path, sizeof(path), "%s/secret", outside);
	local_rig_put(rig.s, "good", "good");
	plant(path, "file");
	plant(outside, "dir");
	plant("..", "up");
	plant(".stagefs/keys", "keys");
	plant("good", "within");
	plant("loop", "loop");
	plant("/proc/self", "proc");
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_no_way(rows[i].sentence, rows[i].key);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "secret");
	snprintf(path, sizeof(path), "%s/new", outside);
	assert_int_equal(access(path, F_OK), -1);
	/* and none of them is listed or gone */
	names = local_rig_list(rig.s, "", 0);
	assert_null(strstr(names, "dir"));
	assert_null(strstr(names, "within"));
	assert_non_null(strstr(names, "good"));
	free(names);
	assert_int_equal(readlink(local_rig_path(&rig, "file"), path, 90) > 0,
			 1);
	local_rig_wipe(outside);
}

/* ---- special files ---- */

static void special_files(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct object_details d;
	struct name_info name;
	char text[4096];
	char *names;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifo(local_rig_path(&rig, "fifo"), 0666), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s",
		 local_rig_path(&rig, "socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	for (int i = 0; i < 2; i++) {
		const char *k = i ? "socket" : "fifo";
		const struct store_body body = { .data = "x", .len = 1 };

		/* A FIFO without a writer would block the thread that opens
		 * it. */
		alarm(10);
		row_number(k, store_head(rig.s, k, &d), -ENOENT);
		row_number(k, local_rig_get(rig.s, k, text), -ENOENT);
		row_number(k, store_open(rig.s, k, NULL, &fd, NULL), -ENOENT);
		row_number(k, store_stat(rig.s, k, &name), 0);
		row_check(k, !name.is_object && !name.is_prefix);
		row_number(k, store_put(rig.s, k, &body, NULL, NULL, NULL),
			   -EACCES);
		row_number(k, store_remove(rig.s, k), 0);
		row_check(k, !access(local_rig_path(&rig, k), F_OK));
		alarm(0);
	}
	names = local_rig_list(rig.s, "", '/');
	assert_null(strstr(names, "fifo"));
	assert_null(strstr(names, "socket"));
	free(names);
}

/* ---- folders that only keys need ---- */

static bool there(const char *name)
{
	return !access(local_rig_path(&rig, name), F_OK);
}

static void folders_go(void **state)
{
	local_rig_put(rig.s, "p/q/r/x", "1");
	local_rig_put(rig.s, "p/y", "1");
	assert_int_equal(store_remove(rig.s, "p/q/r/x"), 0);
	assert_false(there("p/q"));
	assert_true(there("p/y"));
	/* a marker stays */
	local_rig_put(rig.s, "m/", "");
	local_rig_put(rig.s, "m/n/x", "1");
	assert_int_equal(store_remove(rig.s, "m/n/x"), 0);
	assert_false(there("m/n"));
	assert_true(there("m"));
	/* so does the folder of another program */
	assert_int_equal(mkdir(local_rig_path(&rig, "theirs"), 0755), 0);
	local_rig_put(rig.s, "theirs/x", "1");
	assert_int_equal(store_remove(rig.s, "theirs/x"), 0);
	assert_true(there("theirs"));
	/* what is no object of its own is none to a HEAD */
	local_rig_put(rig.s, "i/x", "1");
	assert_int_equal(store_head(rig.s, "i/", &(struct object_details){ 0 }),
			 -ENOENT);
	assert_int_equal(store_head(rig.s, "m/", &(struct object_details){ 0 }),
			 0);
}

static void removes_folders(void **state)
{
	static const char *const keys_of[] = { "t/", "t/a", "t/u/", "t/u/b" };
	int results[COUNT(keys_of)];

	local_rig_put(rig.s, "t/", "");
	local_rig_put(rig.s, "t/a", "1");
	local_rig_put(rig.s, "t/u/", "");
	local_rig_put(rig.s, "t/u/b", "1");
	assert_int_equal(store_remove(rig.s, "t/"), -ENOTEMPTY);
	assert_int_equal(
		store_remove_many(rig.s, keys_of, COUNT(keys_of), results), 0);
	assert_false(there("t"));
	/* one by one, as a listing names them: the folders go with the last */
	local_rig_put(rig.s, "t/", "");
	local_rig_put(rig.s, "t/a", "1");
	assert_int_equal(store_remove_many(rig.s, keys_of, 1, results), 0);
	assert_true(there("t/a"));
	assert_int_equal(store_remove_many(rig.s, keys_of + 1, 1, results), 0);
	assert_false(there("t"));
}

SUITE(local_path)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_keys),
		cmocka_unit_test(refuses_everywhere),
		cmocka_unit_test(file_and_folder),
		cmocka_unit_test(no_way_out),
		cmocka_unit_test(special_files),
		cmocka_unit_test(folders_go),
		cmocka_unit_test(removes_folders),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_path", tests, start, stop);
}
