/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often the tree's lock is taken for one operation, on each kind of store,
 * and a file's for a write.
 *
 * Covers: fs/names/ask.c
 */
#include "disk.h"
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "fs/content/turn.h"
#include "fs/handle.h"
#include "fs/names/dircache.h"
#include "fs/names/tree.h"
#include "fs/state.h"
#include "fs/xattr/fs_xattr.h"

/* A mount on one kind of store. */
struct kind {
	const char *name;
	enum policy_kind policy;
	struct mount *m;
	struct disk *disk; /* NULL: the store is in memory */
	struct inode *known; /* with a lookup */
};

/* An object of another program. */
static void has(struct kind *k, const char *name, const char *text)
{
	if (k->disk)
		local_rig_write(&k->disk->rig, name, text);
	else
		store_has(k->m, name, text);
}

static const char *made; /* by the row, or to be found there */
static struct handle *h;

static void lookup(struct kind *k, const char *name)
{
	struct fs_entry e;

	assert_int_equal(fs_lookup(k->m->fs, fs_root(k->m->fs), name, &e), 0);
	assert_int_equal(!e.inode, !strcmp(name, "absent"));
}

static void lookup_known(struct kind *k)
{
	lookup(k, "known");
}

static void lookup_absent(struct kind *k)
{
	lookup(k, "absent");
}

static void stat_known(struct kind *k)
{
	struct stat st;
	double timeout;

	assert_int_equal(fs_getattr(k->m->fs, k->known, NULL, &st, &timeout),
			 0);
}

static void url_of(struct kind *k, const char *name)
{
	struct buf url = BUF_INIT(BUF_URL);

	assert_int_equal(
		fs_xattr_get(k->m->fs, k->known, name, &k->m->caller, &url), 0);
	assert_true(url.len > 0);
	buf_clear(&url);
}

static void download_url(struct kind *k)
{
	url_of(k, "user.presign.download");
}

static void upload_url(struct kind *k)
{
	url_of(k, "user.presign.upload");
}

static void create(struct kind *k, int flags)
{
	struct fs_entry e;

	assert_int_equal(fs_file_create(k->m->fs, fs_root(k->m->fs), made, 0600,
					flags | O_CREAT, &k->m->caller, &e, &h),
			 0);
}

static void create_new(struct kind *k)
{
	create(k, O_WRONLY | O_EXCL);
}

static void create_emptied(struct kind *k)
{
	create(k, O_WRONLY | O_TRUNC);
}

static void create_plain(struct kind *k)
{
	create(k, O_WRONLY);
}

static void create_to_read(struct kind *k)
{
	create(k, O_RDWR);
}

static void make_dir(struct kind *k)
{
	struct fs_entry e;

	assert_int_equal(fs_mkdir(k->m->fs, fs_root(k->m->fs), made, 0700,
				  &k->m->caller, &e),
			 0);
}

static void make_link(struct kind *k)
{
	struct fs_entry e;

	assert_int_equal(fs_symlink(k->m->fs, fs_root(k->m->fs), made, "target",
				    &k->m->caller, &e),
			 0);
}

/* What is known of `made` before. */
enum before { UNKNOWN, ABSENT, EXISTS, SEEN };

static const struct {
	const char *sentence;
	void (*call)(struct kind *k);
	unsigned most;
	enum before before;
	const char *made;
} counts[] = {
	{ "a lookup of a known name", lookup_known, 1 },
	{ "a lookup of an absent name", lookup_absent, 1 },
	{ "a stat", stat_known, 5 },
	{ "a URL to download", download_url, 1 },
	{ "a URL to upload", upload_url, 1 },
	{ "O_EXCL", create_new, 3, ABSENT, "a" },
	{ "O_EXCL, of nothing known", create_new, 3, UNKNOWN, "b" },
	{ "O_TRUNC", create_emptied, 3, ABSENT, "c" },
	{ "O_TRUNC, of nothing known", create_emptied, 3, UNKNOWN, "d" },
	{ "O_TRUNC, of a file", create_emptied, 11, EXISTS, "e" },
	{ "O_TRUNC, of a known file", create_emptied, 10, SEEN, "f" },
	{ "O_WRONLY", create_plain, 3, ABSENT, "g" },
	{ "O_WRONLY, of nothing known", create_plain, 3, UNKNOWN, "h" },
	{ "O_WRONLY, of a file", create_plain, 13, EXISTS, "i" },
	{ "O_WRONLY, of a known file", create_plain, 12, SEEN, "j" },
	{ "O_RDWR", create_to_read, 3, ABSENT, "k" },
	{ "O_RDWR, of a file", create_to_read, 13, EXISTS, "l" },
	{ "O_RDWR, of a known file", create_to_read, 12, SEEN, "m" },
	{ "mkdir", make_dir, 16, ABSENT, "n" },
	{ "mkdir, of nothing known", make_dir, 22, UNKNOWN, "o" },
	{ "symlink", make_link, 11, ABSENT, "p" },
	{ "symlink, of nothing known", make_link, 17, UNKNOWN, "q" },
};

static void prepare(struct kind *k, enum before before)
{
	struct stat st;

	if (before == ABSENT)
		assert_int_equal(mount_stat(k->m, made, &st), -ENOENT);
	if (before >= EXISTS)
		has(k, made, "x");
	if (before == SEEN)
		assert_int_equal(mount_stat(k->m, made, &st), 0);
}

static void check_counts(struct kind *k)
{
	struct stat st;

	has(k, "known", "x");
	k->known = mount_find(k->m, "known", NULL);
	assert_int_equal(mount_stat(k->m, "absent", &st), -ENOENT);
	for (size_t n = 0; n < sizeof(counts) / sizeof(*counts); n++) {
		const struct lock *l = &k->m->fs->tree->lock;
		unsigned long taken;

		if (counts[n].call == make_link && k->policy != POLICY_POSIX)
			continue;
		mount_forget_asked(k->m);
		made = counts[n].made;
		if (made)
			prepare(k, counts[n].before);
		taken = l->taken;
		counts[n].call(k);
		taken = l->taken - taken;
		if (taken > counts[n].most)
			fail_msg("%s: %s: %lu", k->name, counts[n].sentence,
				 taken);
		if (h)
			fs_release(k->m->fs, h);
		h = NULL;
	}
}

static void test_objects(void **state)
{
	struct mount m;
	struct kind k = { "objects", POLICY_OBJECTS, &m };

	mount_with(&m, "", false, &mount_settings);
	check_counts(&k);
	mount_down(&m);
}

static void test_posix(void **state)
{
	struct fs_settings set = mount_settings;
	struct store *s = memstore_new("s");
	struct mount m;
	struct kind k = { "posix", POLICY_POSIX, &m };

	s->attributes = true;
	mount_on(&m, s, "", false, &set);
	check_counts(&k);
	mount_down(&m);
}

static void test_files(void **state)
{
	struct disk d;
	struct kind k = { "files", POLICY_FILES, &d.m, &d };

	disk_up(&d, 60);
	check_counts(&k);
	disk_down(&d);
}

/* ---- a file's own ---- */

static void check_write(struct kind *k, const char *sentence, uint64_t at,
			unsigned long most)
{
	static const char page[4096];
	const struct lock *l = &h->file->lock;
	unsigned long taken = l->taken;

	assert_int_equal(fs_file_write(k->m->fs, h, at, page, sizeof(page)), 0);
	taken = l->taken - taken;
	if (taken > most)
		fail_msg("%s: a write %s: %lu", k->name, sentence, taken);
}

static void check_writes(struct kind *k)
{
	static char text[40 << 10];

	memset(text, 'x', sizeof(text) - 1);
	has(k, "old", text);
	assert_int_equal(mount_create(k->m, "new", &h), 0);
	check_write(k, "to a new file", 0, 2);
	check_write(k, "behind it", 4096, 2);
	check_write(k, "over it", 0, 2);
	check_write(k, "far behind it", 1 << 20, 3); /* zeros first */
	fs_release(k->m->fs, h);
	assert_int_equal(mount_open(k->m, "old", O_RDWR, &h), 0);
	check_write(k, "into a file", 8192, 2);
	check_write(k, "into it again", 8192, 2);
	check_write(k, "at its end", sizeof(text) - 1, 2);
	fs_release(k->m->fs, h);
	assert_int_equal(mount_open(k->m, "old", O_WRONLY | O_APPEND, &h), 0);
	check_write(k, "of an append", 0, 2);
	check_write(k, "of another append", 0, 2);
	fs_release(k->m->fs, h);
	h = NULL;
}

static void test_write_objects(void **state)
{
	struct mount m;
	struct kind k = { "objects", POLICY_OBJECTS, &m };

	mount_with(&m, "", false, &mount_settings);
	check_writes(&k);
	mount_down(&m);
}

static void test_write_files(void **state)
{
	struct disk d;
	struct kind k = { "files", POLICY_FILES, &d.m, &d };

	disk_up(&d, 60);
	check_writes(&k);
	disk_down(&d);
}

SUITE(locks)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_posix),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_write_objects),
		cmocka_unit_test(test_write_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
