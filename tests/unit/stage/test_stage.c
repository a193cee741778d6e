/* SPDX-License-Identifier: Apache-2.0 */
/* A stage is counted, holds its store, and copies what it is given. */
#include <errno.h>

#include "base/buf.h"
#include "memstore.h"
#include "stage/stage.h"
#include "store/store.h"
#include "unit.h"

static void copies_and_counts(void **state)
{
	struct store *store = memstore_new("s");
	char name[] = "s", prefix[] = "p/";
	struct stage *s =
		stage_new(name, STAGE_EXTERNAL, store, prefix, true, 1 << 20);

	assert_non_null(s);
	name[0] = prefix[0] = 'x';
	row_equal("the name is copied", s->name, "s");
	row_equal("the prefix is copied", s->prefix, "p/");
	row_number("the kind", s->kind, STAGE_EXTERNAL);
	row_check("read-only", s->ro);
	row_number("the part size", s->part_size, 1 << 20);
	store_unref(store);
	row_check("a reference is the stage itself", stage_ref(s) == s);
	stage_unref(s);
	row_number("the store lives as long as the stage",
		   memstore_calls(s->store, "put"), 0);
	stage_unref(s);
	stage_unref(NULL);
}

static void keys(void **state)
{
	static const struct {
		const char *says, *prefix;
		size_t path; /* bytes */
		size_t room;
		int rc;
	} rows[] = {
		{ "below a prefix", "a/b/", 1, 100, 0 },
		{ "at the root", "", 3, 100, 0 },
		{ "the stage itself", "a/", 0, 100, 0 },
		{ "as long as a key may be", "a/", STORE_KEY_MAX - 2,
		  STORE_KEY_MAX, 0 },
		{ "longer than a key", "a/", STORE_KEY_MAX - 1,
		  2 * STORE_KEY_MAX, -ENAMETOOLONG },
		{ "no room for it", "a/", 10, 11, -ENAMETOOLONG },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct stage s = { .prefix = (char *)rows[i].prefix };
		struct buf key = BUF_INIT(rows[i].room);
		char path[STORE_KEY_MAX + 1] = "";

		memset(path, 'x', rows[i].path);
		row_number(rows[i].says, stage_key(&s, path, &key), rows[i].rc);
		if (!rows[i].rc) {
			row_number(rows[i].says, key.len,
				   strlen(s.prefix) + rows[i].path);
			row_check(rows[i].says,
				  !strncmp(buf_str(&key), s.prefix,
					   strlen(s.prefix)));
		}
		buf_clear(&key);
	}
}

SUITE(stage)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_and_counts),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
