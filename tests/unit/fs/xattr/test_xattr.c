/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: which caller gets which URL, and what the store knows.
 *
 * Covers: fs/xattr/xattr_presign.c fs/xattr/xattr_stage.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "fs/xattr/fs_xattr.h"

#define D "user.presign.download"
#define U "user.presign.upload"
#define X "user.presign.expire"
#define S "user.stage."

static int no_groups(const struct fs_caller *c, gid_t *list, int max)
{
	return -EACCES;
}

static int get_as(struct mount *m, const char *path, const char *name,
		  uid_t uid, char *out, size_t size)
{
	struct fs_caller c = { uid, uid, no_groups, NULL };
	struct buf value = BUF_INIT(BUF_URL);
	int rc;
	struct inode *i = mount_find(m, path, &rc);

	*out = '\0';
	if (!i)
		return rc;
	rc = fs_xattr_get(m->fs, i, name, &c, &value);
	if (!rc)
		snprintf(out, size, "%s", buf_str(&value));
	buf_clear(&value);
	mount_forget(m, i);
	return rc;
}

static int set_as(struct mount *m, const char *path, const char *name,
		  const char *value, uid_t uid)
{
	struct fs_caller c = { uid, uid, no_groups, NULL };
	struct inode *i = mount_find(m, path, NULL);
	int rc = value ? fs_xattr_set(m->fs, i, name, value, strlen(value), 0,
				      &c)
		       : fs_xattr_remove(m->fs, i, name, &c);

	mount_forget(m, i);
	return rc;
}

static void mode(struct mount *m, const char *path, mode_t mode)
{
	struct inode *i = mount_find(m, path, NULL);
	struct stat st = { .st_mode = mode };
	double timeout;

	assert_int_equal(
		fs_setattr(m->fs, i, NULL, &st, FS_SET_MODE, &st, &timeout), 0);
	mount_forget(m, i);
}

/*
 * f 0644, shut 0600, open/ 0777 with closed 0644 and dir/ 0700 in it, dir/ with
 * file: all of user 1000. far/ is there, but the mount has not looked into it.
 */
static void fill(struct mount *m)
{
	assert_int_equal(mount_write(m, "f", "12345"), 0);
	assert_int_equal(mount_write(m, "shut", "x"), 0);
	assert_int_equal(mount_mkdir(m, "open"), 0);
	assert_int_equal(mount_write(m, "open/closed", "x"), 0);
	assert_int_equal(mount_mkdir(m, "open/dir"), 0);
	assert_int_equal(mount_mkdir(m, "dir"), 0);
	assert_int_equal(mount_write(m, "dir/file", "x"), 0);
	mode(m, "shut", 0600);
	mode(m, "open", 0777);
	mode(m, "open/dir", 0700);
	store_has(m, "p/far/x", "x");
}

static const struct {
	const char *sentence;
	const char *path, *name;
	uid_t uid;
	int result;
	const char *value; /* "^": begins with the rest; NULL: any */
} rows[] = {
	{ "a download URL", "f", D, 1000, 0,
	  "mem://store/p/f?X-Mem-Expires=3600&X-Mem-Method=GET" },
	{ "an upload URL", "f", U, 1000, 0,
	  "mem://store/p/f?X-Mem-Expires=3600&X-Mem-Method=PUT" },
	{ "its method", "f", U ".method", 1000, 0, "PUT" },
	{ "its headers", "f", U ".headers?content_type=text/csv", 1000, 0,
	  "{\"content-type\":\"text/csv\"}" },
	{ "no headers", "f", D ".headers", 1000, 0, "{}" },
	{ "the row", "f", D ".json", 1000, 0, "^{\"method\":\"GET\"," },
	{ "the command line", "f", D ".curl?expire=5", 1000, 0, "^curl " },
	{ "an expiry of its own", "f", D "?expire=5", 1000, 0,
	  "mem://store/p/f?X-Mem-Expires=5&X-Mem-Method=GET" },
	{ "one over the longest", "f", D "?expire=604801", 1000, -EINVAL },
	{ "an unknown argument", "f", D "?x=1", 1000, -EINVAL },
	{ "path= on a file", "f", D "?path=x", 1000, -EINVAL },
	{ "a directory itself", "dir", D, 1000, -EINVAL },
	{ "a name that does not exist yet", "dir", U "?path=new/name.csv", 1000,
	  0,
	  "mem://store/p/dir/new/"
	  "name.csv?X-Mem-Expires=3600&X-Mem-Method=PUT" },
	{ "from the stage", "", U "?path=a b&c", 1000, 0,
	  "mem://store/p/a%20b%26c?X-Mem-Expires=3600&X-Mem-Method=PUT" },
	{ "an argument behind a path", "", U "?path=a&expire=5", 1000,
	  -EINVAL },
	{ "... that is the name's", "", U "?literal_path=a&expire=5", 1000, 0,
	  "mem://store/p/a%26expire%3D5?X-Mem-Expires=3600&X-Mem-Method=PUT" },
	{ "a path upwards", "dir", U "?path=../f", 1000, -EINVAL },
	{ "a path through a file", "", U "?path=f/x", 1000, -ENOTDIR },
	{ "a path to a directory", "", U "?path=dir", 1000, -EISDIR },
	{ "another user may read", "f", D, 5, 0 },
	{ "and not write", "f", U, 5, -EACCES },
	{ "whatever the form", "f", U ".curl", 5, -EACCES },
	{ "nor read what is shut", "shut", D, 5, -EACCES },
	{ "root may", "shut", U, 0, 0 },
	{ "a new name where all may write", "open", U "?path=new", 5, 0 },
	{ "below a new directory there", "open", U "?path=n1/n2/new", 5, 0 },
	{ "not a file there that they may not write", "open", U "?path=closed",
	  5, -EACCES },
	{ "but read it", "open", D "?path=closed", 5, 0 },
	{ "not through a directory that they may not search", "open",
	  U "?path=dir/x", 5, -EACCES },
	{ "nor read through it", "open", D "?path=dir/x", 5, -EACCES },
	{ "not where they may not write", "dir", U "?path=new", 5, -EACCES },
	{ "nor further down", "dir", U "?path=n1/n2/new", 5, -EACCES },
	{ "not in what nobody has looked into: it may be theirs", "far",
	  U "?path=y", 5, -EACCES },
	{ "the owner may", "far", U "?path=y", 1000, 0 },
	{ "the expiry that holds", "f", X, 5, 0, "3600" },
	{ "... takes no argument", "f", X "?expire=5", 5, -EINVAL },
	{ "md5 is the ETag with its quotes", "f", S "md5", 5, 0,
	  "\"827ccb0eea8a706c4c34a16891f84e7b\"" },
	{ "and so is etag", "f", S "etag", 5, 0,
	  "\"827ccb0eea8a706c4c34a16891f84e7b\"" },
	{ "a directory has none", "dir", S "md5", 5, -ENODATA },
	{ "the place in the store", "f", S "url", 5, 0, "mem://s/p/f" },
	{ "a directory's", "dir", S "url", 5, 0, "mem://s/p/dir/" },
	{ "the path in the stage", "dir/file", S "name", 5, 0, "dir/file" },
	{ "the size", "f", S "size", 5, 0, "5" },
	{ "the time as LIST has it", "f", S "last_modified", 5, 0, "^20" },
	{ "nobody is the creator", "f", S "creator", 5, -ENODATA },
	{ "the content type", "f", S "content_type", 5, 0,
	  "binary/octet-stream" },
	{ "a version where there are none", "f", S "version_id", 5, -ENODATA },
	{ "none of ours", "f", "user.comment", 5, -ENODATA },
	{ "one of ours with a letter more", "f", D "s", 5, -ENODATA },
	{ "... with a suffix of nobody's", "f", D ".xml", 5, -ENODATA },
	{ "the kernel's own", "f", "security.selinux", 5, -EOPNOTSUPP },
	{ "access lists", "f", "system.posix_acl_access", 5, -EOPNOTSUPP },
};

static void test_get(void **state)
{
	struct mount m;
	char out[4096];

	mount_up(&m, "p/", 60, false);
	fill(&m);
	for (size_t r = 0; r < COUNT(rows); r++) {
		const char *wanted = rows[r].value;

		row_number(rows[r].sentence,
			   get_as(&m, rows[r].path, rows[r].name, rows[r].uid,
				  out, sizeof(out)),
			   rows[r].result);
		if (wanted && *wanted == '^')
			row_check(rows[r].sentence,
				  !strncmp(out, wanted + 1,
					   strlen(wanted + 1)));
		else if (wanted)
			row_equal(rows[r].sentence, out, wanted);
	}
	mount_down(&m);
}

static void test_no_requests(void **state)
{
	static const char *const ops[] = { "stat", "head", "list", "get" };
	struct mount m;
	char out[4096];
	unsigned before = 0, after = 0;

	mount_up(&m, "p/", 60, false);
	fill(&m);
	for (size_t k = 0; k < COUNT(ops); k++)
		before += memstore_calls(m.store, ops[k]);
	for (int k = 0; k < 10; k++) {
		assert_int_equal(get_as(&m, "f", U, 1000, out, sizeof(out)), 0);
		assert_int_equal(get_as(&m, "dir", U "?path=a/b/c", 1000, out,
					sizeof(out)),
				 0);
	}
	for (size_t k = 0; k < COUNT(ops); k++)
		after += memstore_calls(m.store, ops[k]);
	assert_int_equal(after, before);
	mount_down(&m);
}

/* What is not there will be as closed as a new file is. */
static void test_absent(void **state)
{
	struct fs_settings s = mount_settings;
	struct mount m;
	char out[4096];

	s.file_mode = 0600;
	mount_with(&m, "", false, &s);
	store_has(&m, "f", "x");
	assert_int_equal(mount_ls(&m, "", out, sizeof(out)), 0);
	assert_int_equal(get_as(&m, "", D "?path=none", 5, out, sizeof(out)),
			 -EACCES);
	assert_int_equal(get_as(&m, "", D "?path=no/ne", 5, out, sizeof(out)),
			 -EACCES);
	assert_int_equal(get_as(&m, "", D "?path=none", 1000, out, sizeof(out)),
			 0);
	mount_down(&m);
}

static const struct {
	const char *sentence;
	enum fs_presign presign;
	bool ro;
	int download, upload;
} allowed[] = {
	{ "both", FS_PRESIGN_BOTH, false, 0, 0 },
	{ "off", FS_PRESIGN_OFF, false, -EPERM, -EPERM },
	{ "downloads", FS_PRESIGN_DOWNLOAD, false, 0, -EPERM },
	{ "uploads", FS_PRESIGN_UPLOAD, false, -EPERM, 0 },
	{ "read-only", FS_PRESIGN_BOTH, true, 0, -EROFS },
};

static void test_settings(void **state)
{
	for (size_t r = 0; r < COUNT(allowed); r++) {
		for (int stage_ro = 0; stage_ro < 2; stage_ro++) {
			struct fs_settings s = mount_settings;
			struct mount m;
			char out[4096];

			s.presign = allowed[r].presign;
			s.ro = allowed[r].ro && !stage_ro;
			mount_with(&m, "", allowed[r].ro && stage_ro, &s);
			store_has(&m, "f", "x");
			row_number(allowed[r].sentence,
				   get_as(&m, "f", D, 1000, out, sizeof(out)),
				   allowed[r].download);
			row_number(allowed[r].sentence,
				   get_as(&m, "f", U, 1000, out, sizeof(out)),
				   allowed[r].upload);
			row_number(allowed[r].sentence,
				   get_as(&m, "", U "?path=new", 1000, out,
					  sizeof(out)),
				   allowed[r].upload);
			mount_down(&m);
		}
	}
}

static void test_expire(void **state)
{
	struct fs_settings s = mount_settings;
	struct mount m;
	char out[4096];

	s.presign_expire = 120;
	s.presign_expire_max = 900;
	mount_with(&m, "", false, &s);
	fill(&m);
	assert_int_equal(set_as(&m, "dir", X, "500", 1000), 0);
	assert_int_equal(get_as(&m, "dir/file", X, 5, out, sizeof(out)), 0);
	assert_string_equal(out, "500");
	assert_int_equal(get_as(&m, "dir", U "?path=new", 0, out, sizeof(out)),
			 0);
	assert_non_null(strstr(out, "Expires=500"));
	assert_int_equal(set_as(&m, "", X, "10m", 1000), 0);
	assert_int_equal(get_as(&m, "f", X, 5, out, sizeof(out)), 0);
	assert_string_equal(out, "600");
	assert_int_equal(set_as(&m, "dir", X, NULL, 1000), 0);
	assert_int_equal(set_as(&m, "dir", X, NULL, 1000), -ENODATA);
	assert_int_equal(get_as(&m, "dir/file", X, 5, out, sizeof(out)), 0);
	assert_string_equal(out, "600");
	assert_int_equal(set_as(&m, "", X, NULL, 1000), 0);
	assert_int_equal(get_as(&m, "f", X, 5, out, sizeof(out)), 0);
	assert_string_equal(out, "120");
	for (const char *const *bad =
		     (const char *const[]){ "0", "901", "-1", "x", "10y", "",
					    "5\n", NULL };
	     *bad; bad++)
		assert_int_equal(set_as(&m, "f", X, *bad, 1000), -EINVAL);
	assert_int_equal(get_as(&m, "f", D "?expire=901", 0, out, sizeof(out)),
			 -EINVAL);
	assert_int_equal(set_as(&m, "f", X, "5", 5), -EACCES);
	assert_int_equal(set_as(&m, "f", D, "5", 0), -EPERM);
	assert_int_equal(set_as(&m, "f", S "version_id", "5", 0), -EPERM);
	assert_int_equal(set_as(&m, "f", S "md5", "5", 0), 0);
	assert_int_equal(set_as(&m, "f", S "md5", NULL, 0), 0);
	assert_int_equal(set_as(&m, "f", D ".json", NULL, 0), -EPERM);
	assert_int_equal(set_as(&m, "f", S "none", "5", 0), -EOPNOTSUPP);
	assert_int_equal(set_as(&m, "f", S "none", NULL, 0), -ENODATA);
	assert_int_equal(set_as(&m, "f", "security.selinux", "5", 0),
			 -EOPNOTSUPP);
	mount_down(&m);
}

/* The names of a listxattr, a space behind each. */
static void list(struct mount *m, const char *path, char *out, size_t size)
{
	struct inode *i = mount_find(m, path, NULL);
	struct buf b = BUF_INIT(BUF_URL);

	assert_int_equal(fs_xattr_list(m->fs, i, &b), 0);
	assert_true(b.len < size);
	for (size_t k = 0; k < b.len; k++)
		out[k] = b.data[k] ? b.data[k] : ' ';
	out[b.len] = '\0';
	buf_clear(&b);
	mount_forget(m, i);
}

static void test_list(void **state)
{
	struct fs_settings s = mount_settings;
	struct mount m;
	char out[4096];

	mount_up(&m, "", 60, false);
	fill(&m);
	list(&m, "f", out, sizeof(out));
	assert_string_equal(out, "");
	mount_down(&m);
	s.list_xattrs = FS_LIST_STAGE;
	mount_with(&m, "", false, &s);
	fill(&m);
	list(&m, "f", out, sizeof(out));
	assert_string_equal(out, S "md5 " S "etag " S "url " S "name " S
				   "size " S "last_modified ");
	list(&m, "dir", out, sizeof(out));
	assert_string_equal(out, S "url " S "name ");
	mount_down(&m);
	s.list_xattrs = FS_LIST_URLS;
	s.presign = FS_PRESIGN_DOWNLOAD;
	mount_with(&m, "", false, &s);
	fill(&m);
	list(&m, "f", out, sizeof(out));
	assert_non_null(strstr(out, D " "));
	assert_non_null(strstr(out, D ".json "));
	assert_non_null(strstr(out, S "md5 "));
	assert_null(strstr(out, U));
	list(&m, "dir", out, sizeof(out));
	assert_string_equal(out, X " " S "url " S "name ");
	mount_down(&m);
}

/* The store's time, though the file was given another. */
static void test_times(void **state)
{
	struct mount m;
	struct stat st = { .st_mtim = { 86400, 0 } };
	struct inode *i;
	double timeout;
	char out[64];

	mount_up(&m, "", 60, false);
	fill(&m);
	i = mount_find(&m, "f", NULL);
	assert_int_equal(
		fs_setattr(m.fs, i, NULL, &st, FS_SET_MTIME, &st, &timeout), 0);
	mount_forget(&m, i);
	assert_int_equal(
		get_as(&m, "f", S "last_modified", 0, out, sizeof(out)), 0);
	assert_int_equal(strncmp(out, "20", 2), 0);
	mount_down(&m);
}

SUITE(xattr)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_no_requests),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
