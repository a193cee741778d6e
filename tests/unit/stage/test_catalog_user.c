/* SPDX-License-Identifier: Apache-2.0 */
/* `~` of other users than the catalog's, and what the upload API may write. */
#include "catalog_fixture.h"

static const struct {
	const char *sentence, *user, *name;
	int rc;
	const char *prefix;
} rows[] = {
	{ "the catalog's own", "root", "~", 0, "root/stage/user/root/" },
	{ "somebody else's", "ann", "~", 0, "root/stage/user/ann/" },
	{ "a name with spaces", "a b", "~", 0, "root/stage/user/a b/" },
	{ "any stage is the same for all", "ann", "ext", 0, "data/" },
	{ "a way out", "..", "~", -EINVAL, NULL },
	{ "a way down", "a/b", "~", -EINVAL, NULL },
	{ "nobody", "", "~", -EINVAL, NULL },
};

static void each_user_has_his_own(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 0);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage *s = NULL;

		row_number(rows[i].sentence,
			   catalog_get_as(c, rows[i].user, rows[i].name, &s),
			   rows[i].rc);
		if (rows[i].rc)
			continue;
		row_equal(rows[i].sentence, s->prefix, rows[i].prefix);
		row_equal(rows[i].sentence, s->name, rows[i].name);
		stage_unref(s);
	}
	catalog_free(c);
}

static bool upload_api(struct catalog *c, const char *name)
{
	struct stage *s = NULL;
	bool open;

	row_number(name, catalog_get_as(c, "ann", name, &s), 0);
	open = s->upload_api;
	stage_unref(s);
	return open;
}

static void the_upload_api_goes_with_the_connection(void **state)
{
	struct conn conn = storage_conn;
	struct catalog *c = open_catalog(&conn, 0);

	poke("root/stage/internal/in/file");
	row_check("~ is closed", !upload_api(c, "~"));
	row_check("an internal one is", !upload_api(c, "in"));
	catalog_free(c);
	conn.upload_api = true;
	c = open_catalog(&conn, 0);
	poke("root/stage/internal/in/file");
	row_check("~ is open with [storage]", upload_api(c, "~"));
	row_check("an internal one is", upload_api(c, "in"));
	row_check("an external one is not", !upload_api(c, "ext"));
	catalog_free(c);
}

SUITE(catalog_user)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_user_has_his_own),
		cmocka_unit_test(the_upload_api_goes_with_the_connection),
	};

	return cmocka_run_group_tests_name("catalog users", tests, NULL, NULL);
}
