/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings of a local store: key order, prefixes, and a folder of any size in
 * bounded memory.
 *
 * Covers: store/local/local_list.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "local_rig.h"
#include "store/local/local_scan.h"
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

/* ---- what is listed ---- */

static const struct {
	const char *sentence;
	const char *prefix;
	char delimiter;
	const char *want;
} rows[] = {
	{ "everything below a folder, in key order", "t/", 0,
	  "t/ z t/.z/h t/B/x t/a-b/x t/a.b t/a/ t/ab t/b. t/b/c-/x t/b/c/d/e "
	  "t/b/c/f t/c/ t/c/d/ t/z t/\xc3\xa9 " },
	{ "one folder: files and folders in one order", "t/", '/',
	  "t/ z t/.z/ t/B/ t/a-b/ t/a.b t/a/ t/ab t/b. t/b/ t/c/ t/z "
	  "t/\xc3\xa9 " },
	{ "a part of a name", "t/a", '/', "t/a-b/ t/a.b t/a/ t/ab " },
	{ "a part of a name, all below", "t/a", 0, "t/a-b/x t/a.b t/a/ t/ab " },
	{ "a part of a folder's name", "t/b/c", 0,
	  "t/b/c-/x t/b/c/d/e t/b/c/f " },
	{ "a marker is told itself", "t/c/", '/', "t/c/ t/c/d/ " },
	{ "a folder for keys only is not", "t/b/c/", '/', "t/b/c/d/ t/b/c/f " },
	{ "a whole key", "t/z", 0, "t/z " },
	{ "nothing begins like that", "t/x", 0, "" },
	{ "a folder that is not there", "u/v/w", 0, "" },
	{ "below a file", "t/z/x", 0, "" },
	{ "no key begins like that: a dot", "t/./", 0, "" },
	{ "no key begins like that: up", "../", 0, "" },
	{ "no key begins like that: a slash", "/t", 0, "" },
	{ "no key begins like that: ours", ".stagefs/", 0, "" },
};

static void lists(void **state)
{
	static const char *const keys[] = {
		"t/a-b/x", "t/a.b",    "t/a/",   "t/ab",   "t/b/c/d/e",
		"t/b/c/f", "t/b/c-/x", "t/c/",   "t/c/d/", "t/\xc3\xa9",
		"t/z",     "t/ z",     "t/.z/h", "t/B/x",  "t/b.",
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		local_rig_put(rig.s, keys[i],
			      keys[i][strlen(keys[i]) - 1] == '/' ? "" : "1");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *have = local_rig_list(rig.s, rows[i].prefix,
					    rows[i].delimiter);

		row_equal(rows[i].sentence, have, rows[i].want);
		free(have);
	}
}

/* A store may begin at any depth, and a disk may fold case. */
static void hides_folders_of_stores(void **state)
{
	char *have;

	local_rig_put(rig.s, "in/shown", "1");
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = { "in/.stagefs",
						     "in/.StageFS" };

		assert_int_equal(mkdir(local_rig_path(&rig, names[i]), 0700),
				 0);
		local_rig_write(&rig, i ? "in/.StageFS/x" : "in/.stagefs/keys",
				"1");
	}
	have = local_rig_list(rig.s, "", '/');
	assert_null(strstr(have, ".stagefs"));
	free(have);
	have = local_rig_list(rig.s, ".s", 0);
	assert_string_equal(have, "");
	free(have);
	have = local_rig_list(rig.s, "in/", 0);
	assert_string_equal(have, "in/shown ");
	free(have);
	local_rig_wipe(local_rig_path(&rig, "in"));
}

static void tells_folders(void **state)
{
	const struct list_query q = { .prefix = "own/", .delimiter = '/' };
	struct store_list *l;
	struct list_entry e;

	local_rig_put(rig.s, "own/d/x", "1");
	assert_int_equal(chmod(local_rig_path(&rig, "own/d"), 0750), 0);
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), 1);
	assert_true(e.is_prefix);
	assert_int_equal(e.info.mode, S_IFDIR | 0750);
	assert_int_equal(e.info.uid, geteuid());
	assert_int_equal(store_list_next(l, &e), 0);
	store_list_close(l);
	assert_int_equal(
		store_list_open(rig.s,
				&(struct list_query){ .prefix = "",
						      .delimiter = ',' },
				&l),
		-EINVAL);
}

/* A name that no key can have, since the whole is too long, is left out. */
static void too_deep(void **state)
{
	char name[203], path[2048] = "", *have;
	int n = 0;

	memset(name, 'd', 202);
	name[202] = '\0';
	assert_int_equal(chdir(rig.root), 0);
	for (; n < 6; n++) {
		assert_int_equal(mkdir(n ? name : "deep", 0755), 0);
		assert_int_equal(chdir(n ? name : "deep"), 0);
		n ? strcat(strcat(path, "/"), name) : strcat(path, "deep");
		close(open(n == 5 ? "too-long" : "f", O_CREAT | O_WRONLY,
			   0644));
	}
	assert_int_equal(chdir("/"), 0);
	have = local_rig_list(rig.s, "deep/", 0);
	assert_non_null(strstr(have, "/f "));
	assert_null(strstr(have, "too-long"));
	free(have);
}

/* ---- bounded memory ---- */

#define MANY 5000

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void make_many(const char *folder, char **names)
{
	int dir;

	assert_int_equal(mkdir(local_rig_path(&rig, folder), 0755), 0);
	dir = open(local_rig_path(&rig, folder), O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	for (int i = 0; i < MANY; i++) {
		/* names of all lengths, folders among them, in no order */
		unsigned k = (unsigned)i * 2654435761u;

		assert_true(asprintf(&names[i], "%x%.*s%s", k, (int)(k % 90),
				     "-----------------------------------------"
				     "-----------------------------------------"
				     "--------",
				     k % 7 ? "" : "/") > 0);
		if (k % 7)
			close(openat(dir, names[i], O_CREAT | O_WRONLY, 0644));
		else
			assert_int_equal(mkdirat(dir, names[i], 0755), 0);
	}
	close(dir);
	qsort(names, MANY, sizeof(*names), by_bytes);
}

static void scan_with(const char *folder, char **names, size_t budget)
{
	struct local_scan *s = local_scan_new("", budget);
	int dir = open(local_rig_path(&rig, folder), O_RDONLY | O_DIRECTORY);
	const char *name;

	assert_non_null(s);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(local_scan_next(s, dir, &name), 0);
		assert_string_equal(name, names[i]);
		assert_true(local_scan_held(s) <= budget + 512);
	}
	assert_int_equal(local_scan_next(s, dir, &name), 0);
	assert_string_equal(name, "");
	assert_int_equal(local_scan_next(s, dir, &name), 0);
	assert_string_equal(name, "");
	local_scan_free(s);
	close(dir);
}

static void any_budget(void **state)
{
	static const size_t budgets[] = { 2000, 10000, 100000, 1 << 20 };
	static char *names[MANY];

	make_many("many", names);
	for (size_t i = 0; i < COUNT(budgets); i++)
		scan_with("many", names, budgets[i]);
	for (int i = 0; i < MANY; i++)
		free(names[i]);
}

/* What comes and goes meanwhile: what stays is told once, in order. */
static void names_that_come_and_go(void **state)
{
	struct local_scan *s = local_scan_new("", 2000);
	char last[300] = "";
	const char *name;
	int dir, stayed = 0;

	assert_int_equal(mkdir(local_rig_path(&rig, "busy"), 0755), 0);
	dir = open(local_rig_path(&rig, "busy"), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 1000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "s%04d", i);
		close(openat(dir, text, O_CREAT | O_WRONLY, 0644));
		snprintf(text, sizeof(text), "g%04d", i);
		close(openat(dir, text, O_CREAT | O_WRONLY, 0644));
	}
	for (int i = 0;; i++) {
		char text[32];

		assert_int_equal(local_scan_next(s, dir, &name), 0);
		if (!*name)
			break;
		assert_true(strcmp(name, last) > 0);
		snprintf(last, sizeof(last), "%s", name);
		stayed += *name == 's';
		snprintf(text, sizeof(text), "g%04d", i % 1000);
		unlinkat(dir, text, 0);
		snprintf(text, sizeof(text), "n%04d", i);
		close(openat(dir, text, O_CREAT | O_WRONLY, 0644));
	}
	assert_int_equal(stayed, 1000);
	local_scan_free(s);
	close(dir);
}

/* ---- folders that cannot be read ---- */

static void unreadable(void **state)
{
	char *have;

	local_rig_put(rig.s, "ur/a", "1");
	local_rig_put(rig.s, "ur/b/c", "1");
	local_rig_put(rig.s, "ur/d", "1");
	assert_int_equal(chmod(local_rig_path(&rig, "ur/b"), 0), 0);
	local_rig_unprivileged();
	/* It is left out, as a disk's lost+found; asked for itself it is an
	 * error. */
	have = local_rig_list(rig.s, "ur/", 0);
	assert_string_equal(have, "ur/a ur/d ");
	free(have);
	have = local_rig_list(rig.s, "ur/", '/');
	assert_string_equal(have, "ur/a ur/b/ ur/d ");
	free(have);
	assert_int_equal(local_rig_list_error(rig.s, "ur/b/"), -EACCES);
	local_rig_privileged();
	assert_int_equal(chmod(local_rig_path(&rig, "ur/b"), 0755), 0);
}

SUITE(local_list)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(hides_folders_of_stores),
		cmocka_unit_test(tells_folders),
		cmocka_unit_test(too_deep),
		cmocka_unit_test(any_budget),
		cmocka_unit_test(names_that_come_and_go),
		cmocka_unit_test(unreadable),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_list", tests, start, stop);
}
