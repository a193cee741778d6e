/* SPDX-License-Identifier: Apache-2.0 */
/* How often the tree's lock is taken for one operation, and that no operation
 * holds it for a whole directory. */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "fs/names/dircache.h"
#include "fs/names/tree.h"
#include "fs/state.h"
#include "fs/xattr/fs_xattr.h"

static unsigned long taken(struct mount *m)
{
	return m->fs->tree->lock.taken;
}

static void lookup_known(struct mount *m)
{
	struct fs_entry e;

	assert_int_equal(fs_lookup(m->fs, fs_root(m->fs), "known", &e), 0);
	assert_non_null(e.inode);
}

static void lookup_absent(struct mount *m)
{
	struct fs_entry e;

	assert_int_equal(fs_lookup(m->fs, fs_root(m->fs), "absent", &e), 0);
	assert_null(e.inode);
}

static struct inode *known; /* with a lookup */

static void stat_known(struct mount *m)
{
	struct stat st;
	double timeout;

	assert_int_equal(fs_getattr(m->fs, known, NULL, &st, &timeout), 0);
}

static struct handle *created;

static void create(struct mount *m)
{
	struct fs_entry e;

	assert_int_equal(fs_file_create(m->fs, fs_root(m->fs), "absent", 0600,
					O_WRONLY | O_TRUNC, &m->caller, &e,
					&created),
			 0);
}

static void url_of(struct mount *m, const char *name)
{
	struct buf url = BUF_INIT(BUF_URL);

	assert_int_equal(fs_xattr_get(m->fs, known, name, &m->caller, &url), 0);
	assert_true(url.len > 0);
	buf_clear(&url);
}

static void download_url(struct mount *m)
{
	url_of(m, "user.presign.download");
}

static void upload_url(struct mount *m)
{
	url_of(m, "user.presign.upload");
}

static const struct {
	const char *sentence;
	void (*call)(struct mount *m);
	unsigned most;
} counts[] = {
	{ "a lookup of a name that is known", lookup_known, 1 },
	{ "a lookup of a name that is known to be absent", lookup_absent, 1 },
	{ "a stat of a name that is known", stat_known, 2 },
	{ "a URL to download", download_url, 1 },
	{ "a URL to upload", upload_url, 1 },
	{ "a create", create, 3 },
};

static void test_counts(void **state)
{
	struct mount m;
	struct stat st;

	mount_with(&m, "", false, &mount_settings);
	store_has(&m, "known", "x");
	known = mount_find(&m, "known", NULL);
	assert_int_equal(mount_stat(&m, "absent", &st), -ENOENT);
	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		unsigned long before = taken(&m);

		counts[k].call(&m);
		print_message("# %s: %lu\n", counts[k].sentence,
			      taken(&m) - before);
		row_check(counts[k].sentence,
			  taken(&m) - before <= counts[k].most);
	}
	fs_release(m.fs, created);
	mount_down(&m);
}

SUITE(locks)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
