/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a query. */
#include "unit.h"

#include <errno.h>

#include "base/query.h"

static const struct {
	const char *sentence, *raw;
	int rc;
	const char *pairs; /* name=value, a comma behind each */
} rows[] = {
	{ "none", NULL, 0, "" },
	{ "nothing", "", 0, "" },
	{ "a pair", "a=b", 0, "a=b," },
	{ "several, in their order", "b=1&a=2&b=3", 0, "b=1,a=2,b=3," },
	{ "without a value", "a&b=&c", 0, "a=,b=,c=," },
	{ "a second equals sign is the value's", "a=b=c", 0, "a=b=c," },
	{ "decoded", "%61=%2F%26", 0, "a=/&," },
	{ "a plus is a plus", "a=1+1", 0, "a=1+1," },
	{ "an empty pair", "a=1&&b=2", -EINVAL, "" },
	{ "one at the end", "a=1&", -EINVAL, "" },
	{ "without a name", "=1", -EINVAL, "" },
	{ "a broken escape", "a=%6", -EINVAL, "" },
	{ "no hex digits", "a=%zz", -EINVAL, "" },
	{ "a NUL", "a=%00", -EINVAL, "" },
};

static void test_parse(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf got = BUF_INIT(1000);
		struct query q;

		row_number(rows[i].sentence, query_parse(&q, rows[i].raw),
			   rows[i].rc);
		for (size_t k = 0; k < q.n; k++)
			buf_addf(&got, "%s=%s,", q.fields[k].name,
				 q.fields[k].value);
		row_equal(rows[i].sentence, buf_str(&got), rows[i].pairs);
		query_clear(&q);
		buf_clear(&got);
	}
}

static void test_get(void **state)
{
	struct query q;

	row_number("parsed", query_parse(&q, "X-Amz-Date=1&x=2&X=3"), 0);
	row_equal("any case", query_get(&q, "x-amz-date"), "1");
	row_equal("the first", query_get(&q, "X"), "2");
	row_check("none", !query_get(&q, "y"));
	query_clear(&q);
}

static void test_many(void **state)
{
	for (unsigned n = QUERY_FIELDS_MAX; n <= QUERY_FIELDS_MAX + 1; n++) {
		struct buf raw = BUF_INIT(10000);
		struct query q;

		for (unsigned i = 0; i < n; i++)
			buf_addf(&raw, "%sp%u=%u", i ? "&" : "", i, i);
		row_number("as many as there is room for",
			   query_parse(&q, buf_str(&raw)),
			   n > QUERY_FIELDS_MAX ? -E2BIG : 0);
		row_number("all or none", q.n, n > QUERY_FIELDS_MAX ? 0 : n);
		query_clear(&q);
		buf_clear(&raw);
	}
}

SUITE(query)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
