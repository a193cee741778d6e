/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Killed amid the removal or the replacement of what waits to be sent: just
 * before any change of the store, or between that and its record. Either it has
 * happened then, or what was answered before is there; and all that is left can
 * be sent.
 *
 * Covers: fs/write_back/send.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/fs.h"
#include "later_rig.h"
#include "unit.h"

#define OLD "the first line\n"
#define EDITED OLD "two\n"

static struct {
	const struct store_ops *real;
	struct store_ops ops;
	_Atomic(int) left; /* changes of the store until the kill */
	bool after; /* the one that it comes at was made */
} killed;

/* ---- the kill ---- */

static bool killed_is_it(void)
{
	return atomic_fetch_sub(&killed.left, 1) == 0;
}

/* What comes after the kill is not made; before it the daemon has an answer. */
static bool killed_over(void)
{
	return atomic_load(&killed.left) < 0;
}

#define KILLED_AT(change) \
	({ \
		int rc_ = -EIO; \
\
		if (killed_over()) { \
			/* it is dead */ \
		} else if (!killed_is_it()) { \
			rc_ = (change); \
		} else { \
			if (killed.after) \
				(change); \
			later_keep(); \
		} \
		rc_; \
	})

static int killed_copy(struct store *s, const char *from,
		       const struct object_info *known, const char *to,
		       const struct store_retype *retype,
		       const struct store_cond *cond, struct object_info *out)
{
	return KILLED_AT(
		killed.real->copy(s, from, known, to, retype, cond, out));
}

static int killed_remove(struct store *s, const char *key,
			 const struct store_cond *cond)
{
	return KILLED_AT(killed.real->remove(s, key, cond));
}

static int killed_remove_many(struct store *s, const char *const *keys,
			      unsigned n, int *results)
{
	int rc;

	for (unsigned k = 0; k < n; k++)
		results[k] = -EIO;
	rc = KILLED_AT(killed.real->remove_many(s, keys, n, results));
	for (unsigned k = 0; rc && k < n; k++)
		results[k] = rc;
	return rc;
}

static void killed_set(struct mount *m, int changes, bool after)
{
	killed.real = m->store->ops;
	killed.ops = *killed.real;
	killed.ops.copy = killed_copy;
	killed.ops.remove = killed_remove;
	killed.ops.remove_many = killed_remove_many;
	killed.after = after;
	atomic_store(&killed.left, changes);
	m->store->ops = &killed.ops;
}

/* ---- what is done ---- */

static void append(struct mount *m, const char *path, const char *text)
{
	struct handle *h;

	assert_int_equal(mount_open(m, path, O_RDWR, &h), 0);
	assert_int_equal(
		fs_file_write(m->fs, h, strlen(OLD), text, strlen(text)), 0);
	assert_int_equal(fs_file_flush(m->fs, h), 0);
	fs_release(m->fs, h);
}

static void edited(struct mount *m)
{
	store_has(m, "p/f", OLD);
	append(m, "f", "two\n");
}

static void rewritten(struct mount *m)
{
	store_has(m, "p/f", OLD);
	assert_int_equal(mount_write(m, "f", EDITED), 0);
}

static void made(struct mount *m)
{
	assert_int_equal(mount_write(m, "f", EDITED), 0);
}

static int unlinked(struct mount *m)
{
	return mount_unlink(m, "f");
}

/* The second one of a burst. */
static int unlinked_later(struct mount *m)
{
	int rc = mount_unlink(m, "other");

	rc = rc ? rc : mount_unlink(m, "f");
	mount_settle(m);
	return rc;
}

static int replaced(struct mount *m)
{
	return mount_rename(m, "other", "f", 0);
}

static const struct {
	const char *what;
	void (*before)(struct mount *m);
	int (*change)(struct mount *m);
	bool replaces; /* by `other`, which holds its name */
} rows[] = {
	{ "an edit is removed", edited, unlinked, false },
	{ "a whole version is removed", rewritten, unlinked, false },
	{ "an edit is removed in a burst", edited, unlinked_later, false },
	{ "a whole version is removed in a burst", rewritten, unlinked_later,
	  false },
	{ "an edit is replaced", edited, replaced, true },
	{ "a whole version is replaced", rewritten, replaced, true },
	{ "a new file is replaced", made, replaced, true },
};

/* ---- what is there then ---- */

static void text_of(struct mount *m, const char *path, char text[64])
{
	*text = '\0';
	if (mount_cat(m, path, text, 64) < 0)
		*text = '\0';
}

static void check_there(size_t r, const char *f, const char *other)
{
	const char *what = rows[r].what;
	bool stands = !strcmp(f, EDITED);

	if (rows[r].replaces)
		row_check(what, (stands && !strcmp(other, "other")) ||
					!strcmp(f, "other"));
	else
		row_check(what, stands || !*f);
}

static void check_all(struct mount *m, size_t r)
{
	char f[64], other[64];

	row_number(rows[r].what, later_flush(m), 0);
	row_number(rows[r].what, later_waiting(m), 0);
	text_of(m, "f", f);
	text_of(m, "other", other);
	check_there(r, f, other);
	/* ... in the store as well, which a fresh mount has it from */
	later_crash(m);
	text_of(m, "f", f);
	text_of(m, "other", other);
	check_there(r, f, other);
}

/* True: it was at its end before. */
static bool killed_at(size_t r, int changes, bool after)
{
	struct mount m;
	bool over;

	later_up(&m);
	store_has(&m, "p/other", "other");
	rows[r].before(&m);
	killed_set(&m, changes, after);
	rows[r].change(&m);
	m.store->ops = killed.real;
	over = atomic_load(&killed.left) >= 0;
	if (over)
		later_crash(&m);
	else
		later_crash_then(&m);
	check_all(&m, r);
	later_down(&m);
	return over;
}

static void killed_anywhere(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		int changes = 0;

		while (!killed_at(r, changes, true)) {
			killed_at(r, changes, false);
			row_check(rows[r].what, ++changes < 20);
		}
		row_check(rows[r].what, changes >= 1);
	}
}

/* What was not done, as the store has refused it, is not remembered. */
static void refused(void **state)
{
	struct mount m;

	later_up(&m);
	edited(&m);
	memstore_fail(m.store, "remove", 1, -EACCES);
	assert_int_equal(mount_unlink(&m, "f"), -EACCES);
	later_keep();
	store_has(&m, "p/f", "of another machine");
	later_crash_then(&m);
	assert_int_equal(later_flush(&m), -ESTALE);
	assert_int_equal(later_waiting(&m), 1);
	assert_int_equal(mount_unlink(&m, "f"), 0);
	later_down(&m);
}

/* Nor after another version of it was accepted. */
static void written_again(void **state)
{
	struct mount m;

	later_up(&m);
	edited(&m);
	killed_set(&m, 0, false);
	assert_int_equal(mount_unlink(&m, "f"), -EIO);
	m.store->ops = killed.real;
	memstore_fail(m.store, "head", 0, -ETIMEDOUT); /* not asked before */
	later_crash_then(&m);
	append(&m, "f", "three\n");
	memstore_fail(m.store, "head", 0, 0);
	store_has(&m, "p/f", "of another machine");
	later_crash(&m);
	assert_int_equal(later_flush(&m), -ESTALE);
	assert_int_equal(later_waiting(&m), 1);
	assert_int_equal(mount_unlink(&m, "f"), 0);
	later_down(&m);
}

/* While the store cannot be asked it waits. */
static void without_an_answer(void **state)
{
	struct mount m;

	later_up(&m);
	edited(&m);
	killed_set(&m, 0, true);
	assert_int_equal(mount_unlink(&m, "f"), -EIO);
	m.store->ops = killed.real;
	memstore_fail(m.store, "head", 0, -ETIMEDOUT);
	later_crash_then(&m);
	assert_int_equal(later_flush(&m), -ETIMEDOUT);
	assert_int_equal(later_waiting(&m), 1);
	later_crash(&m);
	memstore_fail(m.store, "head", 0, 0);
	assert_int_equal(later_flush(&m), 0);
	assert_int_equal(later_waiting(&m), 0);
	assert_null(mount_find(&m, "f", NULL));
	later_down(&m);
}

SUITE(write_back_ending)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(refused),
		cmocka_unit_test(written_again),
		cmocka_unit_test(without_an_answer),
	};

	return cmocka_run_group_tests(tests, later_setup, later_teardown);
}
