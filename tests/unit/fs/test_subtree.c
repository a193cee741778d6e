/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traversals: how many requests they take, and that they see what is there.
 *
 * Covers: fs/stages.c fs/subtree.c fs/traversal.c
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fs_fixture.h"
#include "memstore.h"

#define ROOM (1 << 20)

/* Depth first, as find(1): every name with its path, a line each. */
static void walk(struct mount *m, const char *path, struct buf *out)
{
	char *names = malloc(ROOM), *save, *name;

	assert_non_null(names);
	assert_int_equal(mount_ls(m, path, names, ROOM), 0);
	for (name = strtok_r(names, " ", &save); name;
	     name = strtok_r(NULL, " ", &save)) {
		char below[1100];

		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "",
			 name);
		if (below[strlen(below) - 1] != '/') {
			buf_addf(out, "%s\n", below);
			continue;
		}
		below[strlen(below) - 1] = '\0';
		walk(m, below, out);
	}
	free(names);
}

static unsigned asked(struct mount *m)
{
	return memstore_calls(m->store, "list") +
	       memstore_calls(m->store, "stat") +
	       memstore_calls(m->store, "head");
}

/* A tree of dirs x subs directories with files in each; subs 0: flat. */
static void plant(struct mount *m, unsigned dirs, unsigned subs, unsigned files,
		  struct buf *want)
{
	char key[64];

	for (unsigned d = 0; d < dirs; d++)
		for (unsigned s = 0; s < (subs ? subs : 1); s++)
			for (unsigned f = 0; f < files; f++) {
				int n = snprintf(key, sizeof(key), "d%04u/", d);

				if (subs)
					n += snprintf(key + n, sizeof(key) - n,
						      "s%04u/", s);
				snprintf(key + n, sizeof(key) - n, "f%04u", f);
				store_has(m, key, "x");
				buf_addf(want, "%s\n", key);
			}
}

/* Says where they part, and not all of them. */
static void same_names(const char *sentence, const char *got, const char *want)
{
	size_t at = 0;

	while (got[at] && got[at] == want[at])
		at++;
	if (got[at] || want[at])
		fail_msg("%s: at %zu %.40s, wanted %.40s", sentence, at,
			 got + at, want + at);
}

static const struct {
	const char *sentence;
	unsigned dirs, subs, files;
	unsigned most; /* requests of a walk */
} shapes[] = {
	{ "1,000 directories of 10 files", 1000, 0, 10, 14 },
	{ "10 of 100 of 10 files", 10, 100, 10, 30 },
	{ "100 of 10 of 10 files", 100, 10, 10, 16 },
	{ "10 of 3,000 files (41 alone)", 10, 0, 3000, 60 },
	{ "3 of 3,000 of 1 file", 3, 3000, 1, 40 },
	{ "two small ones", 2, 0, 2, 3 },
	{ "one", 1, 0, 1, 2 },
};

static void walks(void **state)
{
	for (size_t r = 0; r < COUNT(shapes); r++) {
		struct buf got = BUF_INIT(ROOM), want = BUF_INIT(ROOM);
		struct mount m;
		unsigned before;

		mount_up(&m, "", 60, false);
		plant(&m, shapes[r].dirs, shapes[r].subs, shapes[r].files,
		      &want);
		walk(&m, "", &got);
		same_names(shapes[r].sentence, buf_str(&got), buf_str(&want));
		print_message("# %s: %u requests\n", shapes[r].sentence,
			      asked(&m));
		assert_in_range(asked(&m), 1, shapes[r].most);
		buf_reset(&got);
		before = asked(&m);
		walk(&m, "", &got); /* again: all of it is known */
		same_names(shapes[r].sentence, buf_str(&got), buf_str(&want));
		assert_int_equal(asked(&m), before);
		mount_down(&m);
		buf_clear(&got);
		buf_clear(&want);
	}
}

/* Directories that are listed in order, and not what is in them: at most twice
 * what each would take alone. */
static void tops_only(void **state)
{
	static const struct {
		unsigned dirs, subs, files;
		unsigned alone; /* pages of all of them */
	} rows[] = {
		{ 2, 900, 2, 2 },
		{ 5, 900, 10, 5 },
		{ 4, 2500, 1, 12 },
	};

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct buf want = BUF_INIT(4 * ROOM);
		char *names = malloc(ROOM), path[16];
		struct mount m;

		assert_non_null(names);
		mount_up(&m, "", 60, false);
		plant(&m, rows[r].dirs, rows[r].subs, rows[r].files, &want);
		assert_int_equal(mount_ls(&m, "", names, ROOM), 0);
		for (unsigned d = 0; d < rows[r].dirs; d++) {
			snprintf(path, sizeof(path), "d%04u", d);
			assert_int_equal(mount_ls(&m, path, names, ROOM), 0);
			assert_int_equal(strlen(names), rows[r].subs * 7);
		}
		assert_in_range(asked(&m), 1, 1 + 2 * rows[r].alone);
		mount_down(&m);
		buf_clear(&want);
		free(names);
	}
}

/* What is odd in a listing of one directory is as odd in one of many. */
/* A shell's pattern: the one above is listed, and then a name in each is looked
 * up; one by one they would take a request each. */
static void by_name(void **state)
{
	static const struct {
		const char *sentence;
		unsigned dirs, files;
		int step;
		unsigned looked;
		unsigned most; /* requests, beside those for the one above */
	} rows[] = {
		{ "one after the other", 1000, 10, 1, 1000, 11 },
		{ "few", 40, 10, 1, 40, 2 },
		{ "two", 2, 10, 1, 2, 2 },
		{ "some of very many", 20000, 1, 1, 6, 3 },
		{ "each tenth: no order", 500, 10, 10, 50, 50 },
		{ "backwards", 1000, 10, -1, 1000, 24 },
		{ "few backwards", 40, 10, -1, 40, 4 },
		{ "two backwards", 2, 10, -1, 2, 2 },
		{ "larger ones backwards", 60, 100, -1, 60, 30 },
		{ "large ones backwards", 20, 2500, -1, 20, 40 },
		{ "large ones", 5, 9000, 1, 5, 10 },
		{ "nothing but large ones", 20, 2500, 1, 20, 40 },
	};

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct buf want = BUF_INIT(4 * ROOM);
		char *names = malloc(ROOM), path[32];
		struct mount m;
		struct stat st;
		unsigned before;

		assert_non_null(names);
		mount_up(&m, "", 3600, false);
		plant(&m, rows[r].dirs, 0, rows[r].files, &want);
		assert_int_equal(mount_ls(&m, "", names, ROOM), 0);
		before = asked(&m);
		for (unsigned k = 0; k < rows[r].looked; k++) {
			unsigned d = rows[r].step > 0 ? k * rows[r].step
						      : rows[r].dirs - 1 - k;

			snprintf(path, sizeof(path), "d%04u/%s", d,
				 k % 2 ? "f0000" : "absent");
			assert_int_equal(mount_stat(&m, path, &st),
					 k % 2 ? 0 : -ENOENT);
		}
		print_message("# %s: %u requests for %u directories\n",
			      rows[r].sentence, asked(&m) - before,
			      rows[r].looked);
		assert_in_range(asked(&m) - before, 1, rows[r].most);
		mount_down(&m);
		buf_clear(&want);
		free(names);
	}
}

static void odd_names(void **state)
{
	static const char *const keys[] = {
		"p/a/1",
		"p/b.txt/1",
		"p/b/",
		"p/b/x",
		"p/b/x-y",
		"p/b/x.z",
		"p/b/x/under",
		"p/b//hidden",
		"p/b/./hidden",
		"p/b/y/../z",
		"p/c.d",
		"p/c/",
		"p/d/only/deep/one",
		"p/d-e",
		"p/e/last",
	};
	struct buf got = BUF_INIT(ROOM);
	struct mount m;

	mount_up(&m, "p/", 60, false);
	for (size_t k = 0; k < COUNT(keys); k++)
		store_has(&m, keys[k], "x");
	walk(&m, "", &got);
	assert_string_equal(buf_str(&got),
			    "a/1\nb.txt/1\nb/x/under\nb/x-y\nb/x.z\n"
			    "c.d\nd-e\n"
			    "d/only/deep/one\ne/last\n");
	assert_in_range(asked(&m), 1, 4);
	mount_down(&m);
	buf_clear(&got);
}

/* What this mount does meanwhile counts more than what was on its way. */
static void changes_meanwhile(void **state)
{
	struct buf got = BUF_INIT(ROOM), want = BUF_INIT(ROOM);
	char names[256];
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 6, 0, 2, &want);
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	assert_int_equal(mount_ls(&m, "d0000", names, sizeof(names)), 0);
	assert_int_equal(mount_ls(&m, "d0001", names, sizeof(names)), 0);
	/* the page that has them is here already */
	assert_int_equal(mount_unlink(&m, "d0003/f0000"), 0);
	assert_int_equal(mount_write(&m, "d0004/new", "text"), 0);
	assert_int_equal(mount_rename(&m, "d0005", "d0002/moved", 0), 0);
	assert_int_equal(mount_ls(&m, "d0002", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 f0001 moved/ ");
	assert_int_equal(mount_ls(&m, "d0003", names, sizeof(names)), 0);
	assert_string_equal(names, "f0001 ");
	assert_int_equal(mount_ls(&m, "d0004", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 f0001 new ");
	assert_int_equal(mount_ls(&m, "d0002/moved", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 f0001 ");
	assert_null(mount_find(&m, "d0005", NULL));
	mount_down(&m);
	buf_clear(&got);
	buf_clear(&want);
}

/* A page that is here already speaks of directories that this mount has put
 * others in the place of: what it says is not in these. */
static void replaced_meanwhile(void **state)
{
	struct buf want = BUF_INIT(ROOM);
	char names[256];
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 8, 0, 1, &want);
	store_has(&m, "d0005/s/t", "x");
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	assert_int_equal(mount_ls(&m, "d0000", names, sizeof(names)), 0);
	assert_int_equal(mount_ls(&m, "d0001", names, sizeof(names)), 0);
	/* a file, an empty directory, and another directory */
	assert_int_equal(mount_unlink(&m, "d0002/f0000"), 0);
	assert_int_equal(mount_rmdir(&m, "d0002"), 0);
	assert_int_equal(mount_write(&m, "d0002", "text"), 0);
	assert_int_equal(mount_unlink(&m, "d0003/f0000"), 0);
	assert_int_equal(mount_rmdir(&m, "d0003"), 0);
	assert_int_equal(mount_mkdir(&m, "d0003"), 0);
	assert_int_equal(mount_unlink(&m, "d0004/f0000"), 0);
	assert_int_equal(mount_rename(&m, "d0005", "d0004", 0), 0);
	assert_int_equal(mount_ls(&m, "d0006", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 ");
	assert_int_equal(mount_ls(&m, "d0003", names, sizeof(names)), 0);
	assert_string_equal(names, "");
	assert_int_equal(mount_ls(&m, "d0004", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 s/ ");
	assert_int_equal(mount_ls(&m, "d0004/s", names, sizeof(names)), 0);
	assert_string_equal(names, "t ");
	assert_int_equal(mount_ls(&m, "", names, sizeof(names)), 0);
	assert_string_equal(names,
			    "d0000/ d0001/ d0002 d0003/ d0004/ d0006/ d0007/ ");
	mount_down(&m);
	buf_clear(&want);
}

/* The directory above is moved amid its traversal, and another one made where
 * it was. */
static void top_moved(void **state)
{
	char names[64], key[64];
	struct mount m;

	mount_up(&m, "", 60, false);
	for (unsigned d = 0; d < 900; d++)
		for (unsigned f = 0; f < 4; f++) {
			snprintf(key, sizeof(key), "p/d%04u/f%u", d, f);
			store_has(&m, key, "x");
		}
	for (unsigned d = 0; d < 3; d++) {
		snprintf(key, sizeof(key), "p/d%04u", d);
		assert_int_equal(mount_ls(&m, "p", (char[ROOM]){ 0 }, ROOM), 0);
		assert_int_equal(mount_ls(&m, key, names, sizeof(names)), 0);
	}
	assert_int_equal(mount_rename(&m, "p", "q", 0), 0);
	store_has(&m, "p/d0700/new", "x");
	store_has(&m, "p/d0800/new", "x");
	for (unsigned d = 3; d < 900; d += d < 10 ? 1 : 10) {
		snprintf(key, sizeof(key), "q/d%04u", d);
		assert_int_equal(mount_ls(&m, key, names, sizeof(names)), 0);
		assert_string_equal(names, "f0 f1 f2 f3 ");
		snprintf(key, sizeof(key), "p/d%04u", d);
		mount_forget(&m, mount_find(&m, key, NULL));
		mount_ls(&m, key, names, sizeof(names));
	}
	for (unsigned d = 0; d < 900; d++) {
		snprintf(key, sizeof(key), "q/d%04u", d);
		assert_int_equal(mount_ls(&m, key, names, sizeof(names)), 0);
		assert_string_equal(names, "f0 f1 f2 f3 ");
	}
	mount_down(&m);
}

static int stop_after(void *arg, const char *name, const struct fs_entry *e,
		      off_t next)
{
	return --*(unsigned *)arg ? 0 : 1;
}

/* A directory is moved while it is listed: it is not complete by what was left
 * where it was. */
static void moved_amid_listing(void **state)
{
	unsigned first = 10;
	struct dir_handle *h;
	struct inode *dir;
	struct mount m;
	char key[64];

	mount_up(&m, "", 60, false);
	for (unsigned f = 0; f < 2500; f++) {
		snprintf(key, sizeof(key), "d/f%04u", f);
		store_has(&m, key, "x");
	}
	dir = mount_find(&m, "d", NULL);
	assert_int_equal(fs_dir_open(m.fs, dir, &h), 0);
	fs_dir_read(m.fs, h, 0, false, stop_after, &first);
	assert_int_equal(mount_rename(&m, "d", "e", 0), 0);
	first = 5000;
	fs_dir_read(m.fs, h, 9, false, stop_after, &first);
	for (unsigned f = 0; f < 2500; f += 100) {
		snprintf(key, sizeof(key), "e/f%04u", f);
		mount_forget(&m, mount_find(&m, key, NULL));
		assert_int_equal(mount_cat(&m, key, key, sizeof(key)), 1);
	}
	fs_dir_close(m.fs, h);
	mount_forget(&m, dir);
	mount_down(&m);
}

/* A listing that fails costs the traversal nothing but requests. */
static void failures(void **state)
{
	{
		struct buf got = BUF_INIT(ROOM), want = BUF_INIT(ROOM);
		struct mount m;
		char names[64];

		mount_up(&m, "", 60, false);
		plant(&m, 8, 0, 2, &want);
		assert_int_equal(mount_ls(&m, "d0000", names, 64), 0);
		assert_int_equal(mount_ls(&m, "", names, 64), 0);
		memstore_fail(m.store, "list", 1, -EACCES);
		assert_int_equal(mount_ls(&m, "d0001", names, 64), 0);
		assert_string_equal(names, "f0000 f0001 ");
		walk(&m, "", &got);
		same_names("after a failure", buf_str(&got), buf_str(&want));
		mount_down(&m);
		buf_clear(&got);
		buf_clear(&want);
	}
}

/* Once names have grown old: one listing for a directory that is read again,
 * and a traversal costs no more than the first did. */
static void grown_old(void **state)
{
	struct buf got = BUF_INIT(ROOM), want = BUF_INIT(ROOM);
	unsigned before, first;
	char names[64];
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 300, 0, 3, &want);
	walk(&m, "", &got);
	first = asked(&m);
	mount_grow_old(&m);
	before = asked(&m);
	assert_int_equal(mount_ls(&m, "d0007", names, sizeof(names)), 0);
	assert_string_equal(names, "f0000 f0001 f0002 ");
	assert_int_equal(asked(&m) - before, 1);
	mount_grow_old(&m);
	before = asked(&m);
	buf_reset(&got);
	walk(&m, "", &got);
	same_names("again", buf_str(&got), buf_str(&want));
	assert_in_range(asked(&m) - before, 1, first + 1);
	/* and what has gone meanwhile is gone */
	for (unsigned f = 0; f < 3; f++) {
		snprintf(names, sizeof(names), "d0007/f%04u", f);
		assert_int_equal(memstore_poke_remove(m.store, names), 0);
	}
	mount_grow_old(&m);
	assert_null(mount_find(&m, "d0007", NULL));
	mount_down(&m);
	buf_clear(&got);
	buf_clear(&want);
}

/* Nothing is believed: no listing is made for what a look-up is to find out. */
static void nothing_believed(void **state)
{
	struct mount m;
	unsigned before;

	mount_up(&m, "", 0, false);
	store_has(&m, "d/f", "x");
	mount_forget(&m, mount_find(&m, "d", NULL));
	before = asked(&m);
	mount_forget(&m, mount_find(&m, "d", NULL));
	assert_int_equal(asked(&m) - before, 1);
	mount_down(&m);
}

/* A server that lists from the start, wherever it is to begin, is met once. */
static store_list_open_fn *plain_open;
static unsigned begun; /* listings that were to begin amid */

static int open_from_start(struct store *s, const struct list_query *q,
			   struct store_list **out)
{
	struct list_query all = *q;

	begun += q->after != NULL;
	all.after = NULL;
	return plain_open(s, &all, out);
}

static void no_beginning(void **state)
{
	struct buf got = BUF_INIT(ROOM), want = BUF_INIT(ROOM);
	struct store_ops ops;
	struct mount m;

	mount_up(&m, "", 60, false);
	ops = *m.store->ops;
	plain_open = ops.list_open;
	ops.list_open = open_from_start;
	m.store->ops = &ops;
	/* a page and more in front of where it is to begin */
	plant(&m, 40, 0, 600, &want);
	begun = 0;
	walk(&m, "", &got);
	same_names("lists all", buf_str(&got), buf_str(&want));
	assert_int_equal(begun, 1);
	mount_down(&m);
	buf_clear(&got);
	buf_clear(&want);
}

struct walker {
	struct mount *m;
	struct buf got;
};

static void *walk_alone(void *arg)
{
	struct walker *w = arg;

	walk(w->m, "", &w->got);
	return NULL;
}

static void several(void **state)
{
	struct buf want = BUF_INIT(ROOM);
	struct walker walkers[4];
	pthread_t threads[4];
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 100, 5, 3, &want);
	for (size_t k = 0; k < 4; k++) {
		walkers[k] = (struct walker){ &m, BUF_INIT(ROOM) };
		pthread_create(&threads[k], NULL, walk_alone, &walkers[k]);
	}
	for (size_t k = 0; k < 4; k++) {
		pthread_join(threads[k], NULL);
		same_names("side by side", buf_str(&walkers[k].got),
			   buf_str(&want));
		buf_clear(&walkers[k].got);
	}
	assert_in_range(asked(&m), 1, 60);
	mount_down(&m);
	buf_clear(&want);
}

SUITE(subtree)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks),
		cmocka_unit_test(tops_only),
		cmocka_unit_test(by_name),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(changes_meanwhile),
		cmocka_unit_test(replaced_meanwhile),
		cmocka_unit_test(top_moved),
		cmocka_unit_test(moved_amid_listing),
		cmocka_unit_test(failures),
		cmocka_unit_test(grown_old),
		cmocka_unit_test(nothing_believed),
		cmocka_unit_test(no_beginning),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
