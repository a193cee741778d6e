/* SPDX-License-Identifier: Apache-2.0 */
/* PATTERN, by a table. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "client/pattern.h"

static const struct {
	const char *sentence;
	const char *pattern, *name;
	int match;
} rows[] = {
	{ "anything", ".*", "a/b.csv", 1 },
	{ "a suffix", ".*[.]csv", "a/b.csv", 1 },
	{ "a part is not the whole", "multi_page_1", "multi_page_1.csv", 0 },
	{ "a part with all around it", ".*multi_page_1.*", "x_multi_page_1.csv",
	  1 },
	{ "anchors have no group: a beginning", "a|b", "ax", 1 },
	{ "anchors have no group: an end", "a|b", "xb", 1 },
	{ "anchors have no group: neither", "a|b", "xbx", 0 },
	{ "a group", "(a|b)", "ax", 0 },
	{ "case counts", "A", "a", 0 },
	{ "unless told", "(?i)A", "a", 1 },
	{ "the end is the very end", "a", "a\n", 0 },
	{ "a dot is a character, not a byte", ".", "\xc3\xa9", 1 },
	{ "a digit of another script", "\\d", "\xd9\xa1", 1 },
	{ "a name that is no UTF-8", ".*b",
	  "\xff"
	  "b",
	  0 },
	{ "an empty name", "", "", 1 },
};

static void names_match(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct pattern *p = NULL;

		row_number(rows[i].sentence,
			   pattern_new(rows[i].pattern, &p, &why), 0);
		row_number(rows[i].sentence, pattern_match(p, rows[i].name),
			   rows[i].match);
		pattern_free(p);
		buf_clear(&why);
	}
}

static void bad_patterns_are_told(void **state)
{
	static const char *const bad[] = { "(", "[a", "a{2,1}", "*", "(?<n" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct pattern *p = NULL;

		row_number(bad[i], pattern_new(bad[i], &p, &why), -EINVAL);
		row_check(bad[i], strstr(buf_str(&why), "at byte"));
		buf_clear(&why);
	}
	pattern_free(NULL);
}

static void backtracking_has_an_end(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct pattern *p = NULL;
	char name[64];

	memset(name, 'a', sizeof(name));
	name[62] = '!';
	name[63] = '\0';
	row_number("compiled", pattern_new("(a+)+[bc]", &p, &why), 0);
	row_number("given up", pattern_match(p, name), -E2BIG);
	pattern_free(p);
	buf_clear(&why);
}

SUITE(pattern)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match),
		cmocka_unit_test(bad_patterns_are_told),
		cmocka_unit_test(backtracking_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
