/* A stage is counted, holds its store, and copies what it is given. */
#include "unit.h"

#include "stage/stage.h"
#include "memstore.h"

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

SUITE(stage)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
