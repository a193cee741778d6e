/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renames that end anywhere: after any number of changes of the store nothing
 * more happens, as when the daemon is killed. What was there before is there
 * then, whole, under its old name or its new one.
 *
 * Covers: fs/rename/rename.c fs/rename/rename_dir.c
 * Covers: fs/rename/rename_exchange.c fs/rename/rename_file.c
 * Covers: fs/rename/rename_step.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const struct store_ops *real;
	struct store_ops ops;
	_Atomic(int) left; /* changes that are made yet */
} killed;

static const struct {
	const char *sentence;
	const char *keys; /* each holds its own name */
	const char *from, *to;
	unsigned flags;
	bool anywhere; /* an exchange has a third name */
} rows[] = {
	{ "a file", "a ", "a", "b", 0, false },
	{ "a file to another directory", "d/a e/b ", "d/a", "e/a", 0, false },
	{ "a tree", "d/a d/b d/s/c d/s/t/u ", "d", "e", 0, false },
	{ "two files", "a b ", "a", "b", RENAME_EXCHANGE, true },
	{ "two trees", "d/a d/b e/c e/s/t ", "d", "e", RENAME_EXCHANGE, true },
};

static bool is_dead(void)
{
	return atomic_fetch_sub(&killed.left, 1) <= 0;
}

static int killed_copy(struct store *s, const char *from,
		       const struct object_info *known, const char *to,
		       const struct store_retype *retype,
		       const struct store_cond *cond, struct object_info *out)
{
	return is_dead() ? -EIO
			 : killed.real->copy(s, from, known, to, retype, cond,
					     out);
}

static int killed_remove(struct store *s, const char *key,
			 const struct store_cond *cond)
{
	return is_dead() ? -EIO : killed.real->remove(s, key, cond);
}

static int killed_remove_many(struct store *s, const char *const *keys,
			      unsigned n, int *results)
{
	int first = 0;

	for (unsigned i = 0; i < n; i++) {
		results[i] = killed_remove(s, keys[i], NULL);
		if (!first)
			first = results[i];
	}
	return first;
}

static int killed_put(struct store *s, const char *key,
		      const struct store_body *body,
		      const struct store_meta *meta,
		      const struct store_cond *cond, struct object_info *out)
{
	return is_dead() ? -EIO
			 : killed.real->put(s, key, body, meta, cond, out);
}

/* What an object holds; "" when there is none. */
static void text_of(struct mount *m, const char *key, char text[64])
{
	size_t n = 0;
	int rc = store_get_sync(m->store, key, NULL, 0, text, 63, &n, NULL);

	text[rc ? 0 : n] = '\0';
}

static bool is_at(struct mount *m, const char *key, const char *text)
{
	char holds[64];

	text_of(m, key, holds);
	return !strcmp(holds, text);
}

static bool is_anywhere(struct mount *m, const char *all, const char *text)
{
	char *keys = strdup(all), *save, *key;
	bool is = false;

	for (key = strtok_r(keys, " ", &save); key && !is;
	     key = strtok_r(NULL, " ", &save))
		is = is_at(m, key, text);
	free(keys);
	return is;
}

static void check_key(struct mount *m, size_t r, const char *all,
		      const char *key)
{
	size_t skip = strlen(rows[r].from);
	char moved[128];

	if (rows[r].anywhere || strncmp(key, rows[r].from, skip) != 0) {
		row_check(rows[r].sentence, is_anywhere(m, all, key));
		return;
	}
	snprintf(moved, sizeof(moved), "%s%s", rows[r].to, key + skip);
	row_check(rows[r].sentence, is_at(m, key, key) || is_at(m, moved, key));
}

static void check_all(struct mount *m, size_t r)
{
	char *keys = strdup(rows[r].keys), *save, *key, all[1024];

	store_keys(m, all, sizeof(all));
	for (key = strtok_r(keys, " ", &save); key;
	     key = strtok_r(NULL, " ", &save))
		check_key(m, r, all, key);
	free(keys);
}

static void put_keys(struct mount *m, const char *keys)
{
	char *all = strdup(keys), *save, *key;

	for (key = strtok_r(all, " ", &save); key;
	     key = strtok_r(NULL, " ", &save))
		store_has(m, key, key);
	free(all);
}

/* True: it was at its end before. */
static bool kill_after(size_t r, int changes)
{
	struct mount m;
	int rc;

	mount_up(&m, "", 60, false);
	put_keys(&m, rows[r].keys);
	killed.real = m.store->ops;
	killed.ops = *killed.real;
	killed.ops.copy = killed_copy;
	killed.ops.put = killed_put;
	killed.ops.remove = killed_remove;
	killed.ops.remove_many = killed_remove_many;
	atomic_store(&killed.left, changes);
	m.store->ops = &killed.ops;
	rc = mount_rename(&m, rows[r].from, rows[r].to, rows[r].flags);
	m.store->ops = killed.real;
	check_all(&m, r);
	mount_down(&m);
	return !rc && atomic_load(&killed.left) >= 0;
}

static void test_rows(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		int changes = 0;

		while (!kill_after(r, changes))
			row_check(rows[r].sentence, ++changes < 100);
		row_check(rows[r].sentence, changes >= 2);
	}
}

SUITE(rename_killed)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("rename_killed", tests, NULL, NULL);
}
