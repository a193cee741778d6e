/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that wait to be stored when their file gets another name.
 *
 * Covers: fs/rename/rename_attr.c
 */
#include "posix_rig.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "fs/attr/attr_send.h"
#include "fs/names/inode_meta.h"
#include "fs/state.h"
#include "store/attr_meta.h"

#define KEY "p/d/f"

/* What waits when a file is renamed is in its copy; where that fails it waits
 * on. */
static void go_along_with_a_rename(void **state)
{
	static const struct {
		const char *sentence;
		unsigned flags;
		bool fails; /* the first copy */
		unsigned copies; /* that succeed */
		bool waits; /* afterwards */
	} rows[] = {
		{ "a rename", 0, false, 1, false },
		{ "one that asks for a condition", RENAME_NOREPLACE, false, 1,
		  true },
		{ "one whose copy fails is made without", 0, true, 2, true },
	};
	const struct store_attr to = { .which = STORE_SET_MODE, .mode = 0642 };
	struct store_attr a;
	struct inode *i;
	struct mount m;
	unsigned copies;

	for (size_t k = 0; k < COUNT(rows); k++) {
		posix_up(&m, 3600);
		posix_has(&m, KEY, "text", S_IFREG | 0600);
		i = mount_find(&m, "d/f", NULL);
		assert_non_null(i);
		inode_meta_set(m.fs->tree, i, &to);
		if (rows[k].fails)
			memstore_fail(m.store, "copy", 1, -EIO);
		copies = memstore_calls(m.store, "copy");
		assert_int_equal(mount_rename(&m, "d/f", "d/g", rows[k].flags),
				 0);
		row_number(rows[k].sentence,
			   memstore_calls(m.store, "copy") - copies,
			   rows[k].copies);
		row_number(rows[k].sentence, inode_meta_is_dirty(m.fs->tree, i),
			   rows[k].waits);
		assert_int_equal(attr_send(m.fs->tree, i), 0);
		posix_said(&m, "p/d/g", &a);
		row_number(rows[k].sentence, a.mode, S_IFREG | 0642);
		row_number("its owner stays", a.uid, 7);
		assert_false(store_holds(&m, KEY));
		mount_forget(&m, i);
		mount_down(&m);
	}
}

SUITE(attr_rename)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(go_along_with_a_rename),
	};

	return cmocka_run_group_tests_name("attr_rename", tests, NULL, NULL);
}
