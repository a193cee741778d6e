/* SPDX-License-Identifier: Apache-2.0 */
/* What a store does is tried out, and nothing is left of it. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "memstore.h"
#include "store/store.h"
#include "store/store_probe.h"

static const struct {
	const char *sentence;
	const char *op; /* that fails; NULL: none */
	unsigned in; /* so many calls from now */
	int rc;
	const char *why;
	bool leaves; /* what cannot be removed */
} rows[] = {
	{ "all is well", NULL, 0, 0, "" },
	{ "it may not be written", "put", 0, -EACCES,
	  "cannot be written: Permission denied" },
	{ "not the second time", "put", 4, -EIO,
	  "cannot be written: Input/output error" },
	{ "it may not be listed, which is no matter", "list", 0, 0, "" },
	{ "nothing may be removed", "remove", 0, -EACCES, "cannot be removed",
	  true },
};

static unsigned objects(struct store *s)
{
	const struct list_query q = { .prefix = "" };
	struct store_list *l;
	struct list_entry e;
	unsigned n = 0;

	assert_int_equal(store_list_open(s, &q, &l), 0);
	while (store_list_next(l, &e) > 0)
		n++;
	store_list_close(l);
	return n;
}

static void stores_are_tried(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct store *s = memstore_new("s");
		struct buf says = BUF_INIT(BUF_MESSAGE);
		struct buf why = BUF_INIT(BUF_MESSAGE);

		assert_non_null(s);
		if (rows[i].op)
			memstore_fail(s, rows[i].op, rows[i].in,
				      rows[i].rc ? rows[i].rc : -EACCES);
		row_number(rows[i].sentence,
			   store_probe(s, "pre/", &says, &why), rows[i].rc);
		row_check(rows[i].sentence,
			  strstr(buf_str(&why), rows[i].why) &&
				  !*rows[i].why == !why.len);
		row_equal(rows[i].sentence, buf_str(&says), "");
		if (rows[i].op)
			memstore_fail(s, rows[i].op, 0, 0);
		row_number(rows[i].sentence, objects(s),
			   rows[i].leaves ? 2 : 0);
		buf_clear(&says);
		buf_clear(&why);
		store_unref(s);
	}
}

SUITE(store_probe)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_are_tried),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("store_probe", tests, NULL, NULL);
}
