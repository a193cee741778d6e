/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that are asked for side by side: how many listings are begun
 * before their directory is opened, and how many in all.
 *
 * Covers: fs/dir_ahead.c fs/traversal.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/dir_ahead.h"
#include "fs/state.h"
#include "fs_fixture.h"
#include "memstore.h"

#define ROOM (1 << 20)
#define BEGUN_MAX 4096

/* Listings of one directory each, by prefix, in the order of their
 * beginning. */
static struct {
	store_list_open_fn *open;
	store_list_close_fn *close;
	char *prefixes[BEGUN_MAX];
	unsigned n, whole, is_open, most_open;
} begun;

static int counted_open(struct store *s, const struct list_query *q,
			struct store_list **out)
{
	int rc = begun.open(s, q, out);

	if (rc)
		return rc;
	begun.is_open++;
	if (begun.is_open > begun.most_open)
		begun.most_open = begun.is_open;
	if (!q->delimiter)
		begun.whole++;
	else if (begun.n < BEGUN_MAX)
		begun.prefixes[begun.n++] = strdup(q->prefix);
	return 0;
}

static void counted_close(struct store_list *l)
{
	begun.is_open--;
	begun.close(l);
}

static struct store_ops counted_ops;

static void counted_up(struct mount *m, unsigned ttl_s)
{
	memset(&begun, 0, sizeof(begun));
	mount_up(m, "", ttl_s, false);
	counted_ops = *m->store->ops;
	begun.open = counted_ops.list_open;
	begun.close = counted_ops.list_close;
	counted_ops.list_open = counted_open;
	counted_ops.list_close = counted_close;
	m->store->ops = &counted_ops;
}

static void counted_down(struct mount *m)
{
	mount_down(m);
	assert_int_equal(begun.is_open, 0);
	for (unsigned k = 0; k < begun.n; k++)
		free(begun.prefixes[k]);
}

static bool is_begun(const char *prefix)
{
	for (unsigned k = 0; k < begun.n; k++)
		if (!strcmp(begun.prefixes[k], prefix))
			return true;
	return false;
}

/* below: how many directories with a file each are in one of the last level. */
static void plant(struct mount *m, unsigned dirs, unsigned subs, unsigned below)
{
	char key[64];

	for (unsigned d = 0; d < dirs; d++)
		for (unsigned s = 0; s < (subs ? subs : 1); s++)
			for (unsigned f = 0; f < below; f++) {
				int n = snprintf(key, sizeof(key), "d%04u/", d);

				if (subs)
					n += snprintf(key + n, sizeof(key) - n,
						      "s%u/", s);
				snprintf(key + n, sizeof(key) - n, "b%04u/f",
					 f);
				store_has(m, key, "x");
			}
}

/* Lists it; true: its listing had been begun before. */
static bool list_dir(struct mount *m, const char *path, unsigned below)
{
	static char names[ROOM];
	char prefix[80];
	bool ahead;

	snprintf(prefix, sizeof(prefix), "%s/", path);
	ahead = is_begun(prefix);
	assert_int_equal(mount_ls(m, path, names, sizeof(names)), 0);
	assert_int_equal(strlen(names), below * strlen("b0000/ "));
	return ahead;
}

/* What lies below each is more than one would read at once. */
static void beside(void **state)
{
	const unsigned dirs = 64, below = 2100;
	char path[16], names[ROOM];
	unsigned ahead = 0;
	struct mount m;

	counted_up(&m, 60);
	plant(&m, dirs, 0, below);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < dirs; d++) {
		snprintf(path, sizeof(path), "d%04u", d);
		ahead += list_dir(&m, path, below);
		assert_in_range(begun.n + begun.whole, 1, 1 + 2 * (d + 1) + 2);
	}
	print_message("# %u of %u, %u listings and %u of all below, %u open\n",
		      ahead, dirs, begun.n, begun.whole, begun.most_open);
	assert_in_range(ahead, dirs * 3 / 4, dirs);
	assert_in_range(begun.n, dirs, dirs + 2);
	assert_in_range(begun.most_open, 12, 18);
	counted_down(&m);
}

/* It ends when the traversal does, in any order it was not one. */
static void stops(void **state)
{
	const unsigned dirs = 64, below = 2100;
	char path[16], names[ROOM];
	struct mount m;
	unsigned n;

	counted_up(&m, 60);
	plant(&m, dirs, 0, below);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < 6; d++) {
		snprintf(path, sizeof(path), "d%04u", d);
		list_dir(&m, path, below);
	}
	assert_in_range(begun.n + begun.whole, 7, 1 + 2 * 6 + 2);
	n = begun.n;
	list_dir(&m, "d0003", below);
	assert_int_equal(begun.n, n);
	assert_in_range(begun.is_open, 1, 16);
	dir_ahead_forget(m.fs->dir_ahead);
	assert_int_equal(begun.is_open, 0);
	counted_down(&m);

	/* backwards: each is asked for when it is opened */
	counted_up(&m, 60);
	plant(&m, 16, 0, below);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 16; d-- > 0;) {
		snprintf(path, sizeof(path), "d%04u", d);
		list_dir(&m, path, below);
	}
	assert_int_equal(begun.n, 17);
	assert_int_equal(begun.whole, 0);
	counted_down(&m);
}

/* Level by level, as a breadth-first walker goes: few in each of many. */
static void levels(void **state)
{
	const unsigned dirs = 24, subs = 2, below = 2100;
	char path[32], names[ROOM];
	unsigned ahead = 0;
	struct mount m;

	counted_up(&m, 60);
	plant(&m, dirs, subs, below);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < dirs; d++) {
		snprintf(path, sizeof(path), "d%04u", d);
		assert_int_equal(mount_ls(&m, path, names, sizeof(names)), 0);
		assert_string_equal(names, "s0/ s1/ ");
	}
	for (unsigned d = 0; d < dirs; d++)
		for (unsigned s = 0; s < subs; s++) {
			snprintf(path, sizeof(path), "d%04u/s%u", d, s);
			ahead += list_dir(&m, path, below);
		}
	print_message("# %u of %u, %u listings and %u of all below\n", ahead,
		      dirs * subs, begun.n, begun.whole);
	assert_in_range(ahead, dirs * subs * 3 / 4, dirs * subs);
	assert_in_range(begun.n + begun.whole, 1 + dirs * (1 + subs),
			1 + 2 * dirs * (1 + subs));
	counted_down(&m);
}

/* What was begun ahead is not of what this mount has changed since; a failure
 * of it is not its reader's; an old one is not believed. */
static void not_believed(void **state)
{
	const unsigned below = 2100;
	char path[16], names[ROOM];
	struct mount m;

	counted_up(&m, 1);
	plant(&m, 24, 0, below);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < 6; d++) {
		snprintf(path, sizeof(path), "d%04u", d);
		list_dir(&m, path, below);
	}
	assert_true(is_begun("d0006/"));
	assert_true(is_begun("d0007/"));
	memstore_fail(m.store, "list", 1, -EACCES);
	list_dir(&m, "d0006", below);
	assert_int_equal(mount_rename(&m, "d0007", "d0008/moved", 0), 0);
	assert_int_equal(mount_mkdir(&m, "d0007"), 0);
	list_dir(&m, "d0007", 0);
	list_dir(&m, "d0008/moved", below);
	store_has(&m, "d0009/late/f", "x");
	usleep(1100000);
	assert_int_equal(mount_ls(&m, "d0009", names, sizeof(names)), 0);
	assert_non_null(strstr(names, "late/"));
	counted_down(&m);
}

/* Two programs go through two parts of one directory: a listing each. */
static void two_parts(void **state)
{
	char key[64], path[16], names[ROOM];
	struct mount m;

	counted_up(&m, 60);
	for (unsigned d = 0; d < 600; d++)
		for (unsigned f = 0; f < 5; f++) {
			snprintf(key, sizeof(key), "d%04u/f%u", d, f);
			store_has(&m, key, "x");
		}
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < 300; d++)
		for (unsigned part = 0; part < 2; part++) {
			snprintf(path, sizeof(path), "d%04u", d + part * 300);
			assert_int_equal(
				mount_ls(&m, path, names, sizeof(names)), 0);
			assert_string_equal(names, "f0 f1 f2 f3 f4 ");
		}
	print_message("# %u listings, %u of all below, %u calls\n", begun.n,
		      begun.whole, memstore_calls(m.store, "list"));
	assert_in_range(memstore_calls(m.store, "list"), 4, 24);
	counted_down(&m);
}

SUITE(dir_ahead)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside),    cmocka_unit_test(stops),
		cmocka_unit_test(levels),    cmocka_unit_test(not_believed),
		cmocka_unit_test(two_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
