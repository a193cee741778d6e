/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions, ranges and times of HTTP, by table.
 */
#include "unit.h"

#include "base/clock.h"
#include "gateway/objects/conditions.h"

#define ETAG "\"abc\""
#define MTIME 1369353600
#define SAME "Fri, 24 May 2013 00:00:00 GMT"
#define BEFORE "Thu, 23 May 2013 23:59:59 GMT"
#define AFTER "Fri, 24 May 2013 00:00:01 GMT"
#define SIZE 1000

static const struct {
	const char *sentence;
	struct conditions c;
	enum conditions_outcome outcome;
	uint64_t first, len; /* of CONDITIONS_PART */
} rows[] = {
	{ "nothing is asked", { 0 }, CONDITIONS_WHOLE },
	/* ranges */
	{ "the first bytes",
	  { .range = "bytes=0-99" },
	  CONDITIONS_PART,
	  0,
	  100 },
	{ "one byte", { .range = "bytes=7-7" }, CONDITIONS_PART, 7, 1 },
	{ "the last byte",
	  { .range = "bytes=999-999" },
	  CONDITIONS_PART,
	  999,
	  1 },
	{ "to the end", { .range = "bytes=990-" }, CONDITIONS_PART, 990, 10 },
	{ "past the end",
	  { .range = "bytes=990-5000" },
	  CONDITIONS_PART,
	  990,
	  10 },
	{ "all of it", { .range = "bytes=0-" }, CONDITIONS_PART, 0, 1000 },
	{ "the last ten", { .range = "bytes=-10" }, CONDITIONS_PART, 990, 10 },
	{ "the last of more than there is",
	  { .range = "bytes=-5000" },
	  CONDITIONS_PART,
	  0,
	  1000 },
	{ "the last none", { .range = "bytes=-0" }, CONDITIONS_NO_RANGE },
	{ "from behind the end",
	  { .range = "bytes=1000-" },
	  CONDITIONS_NO_RANGE },
	{ "far behind",
	  { .range = "bytes=99999999999999999999999-" },
	  CONDITIONS_NO_RANGE },
	{ "to a number without end",
	  { .range = "bytes=0-99999999999999999999999" },
	  CONDITIONS_PART,
	  0,
	  1000 },
	{ "backwards", { .range = "bytes=9-8" }, CONDITIONS_WHOLE },
	{ "two ranges", { .range = "bytes=0-1,3-4" }, CONDITIONS_WHOLE },
	{ "another unit", { .range = "lines=0-1" }, CONDITIONS_WHOLE },
	{ "no number", { .range = "bytes=a-b" }, CONDITIONS_WHOLE },
	{ "no dash", { .range = "bytes=5" }, CONDITIONS_WHOLE },
	{ "a dash alone", { .range = "bytes=-" }, CONDITIONS_WHOLE },
	{ "a sign", { .range = "bytes=+1-2" }, CONDITIONS_WHOLE },
	{ "nothing", { .range = "" }, CONDITIONS_WHOLE },
	{ "letters of any case",
	  { .range = "Bytes=0-9" },
	  CONDITIONS_PART,
	  0,
	  10 },
	/* If-Match */
	{ "it is that one", { .if_match = ETAG }, CONDITIONS_WHOLE },
	{ "it is another", { .if_match = "\"abd\"" }, CONDITIONS_FAILED },
	{ "it is one of them",
	  { .if_match = "\"x\", " ETAG },
	  CONDITIONS_WHOLE },
	{ "it is none of them",
	  { .if_match = "\"x\",\"y\"" },
	  CONDITIONS_FAILED },
	{ "it is any", { .if_match = "*" }, CONDITIONS_WHOLE },
	{ "a weak one is never the same",
	  { .if_match = "W/" ETAG },
	  CONDITIONS_FAILED },
	{ "without its quotes", { .if_match = "abc" }, CONDITIONS_WHOLE },
	{ "a comma in the quotes",
	  { .if_match = "\"a,\"abc\"\"" },
	  CONDITIONS_FAILED },
	{ "quotes that do not end",
	  { .if_match = "\"abc" },
	  CONDITIONS_FAILED },
	{ "an empty list", { .if_match = "" }, CONDITIONS_FAILED },
	/* If-None-Match */
	{ "the client has it",
	  { .if_none_match = ETAG },
	  CONDITIONS_NOT_MODIFIED },
	{ "has it, weakly",
	  { .if_none_match = "W/" ETAG },
	  CONDITIONS_NOT_MODIFIED },
	{ "has any", { .if_none_match = "*" }, CONDITIONS_NOT_MODIFIED },
	{ "has another", { .if_none_match = "\"x\"" }, CONDITIONS_WHOLE },
	{ "has another of that time",
	  { .if_none_match = "\"x\"", .if_modified_since = SAME },
	  CONDITIONS_WHOLE },
	/* times */
	{ "not modified since",
	  { .if_modified_since = SAME },
	  CONDITIONS_NOT_MODIFIED },
	{ "nor since later",
	  { .if_modified_since = AFTER },
	  CONDITIONS_NOT_MODIFIED },
	{ "modified since", { .if_modified_since = BEFORE }, CONDITIONS_WHOLE },
	{ "a time that is none",
	  { .if_modified_since = "yesterday" },
	  CONDITIONS_WHOLE },
	{ "unmodified since",
	  { .if_unmodified_since = SAME },
	  CONDITIONS_WHOLE },
	{ "unmodified since, but it was",
	  { .if_unmodified_since = BEFORE },
	  CONDITIONS_FAILED },
	{ "a time that is none, there",
	  { .if_unmodified_since = "x" },
	  CONDITIONS_WHOLE },
	{ "the ETag counts, not the time",
	  { .if_match = ETAG, .if_unmodified_since = BEFORE },
	  CONDITIONS_WHOLE },
	{ "that one, and the client has it",
	  { .if_match = ETAG, .if_none_match = ETAG },
	  CONDITIONS_NOT_MODIFIED },
	/* If-Range */
	{ "a part of what it has part of",
	  { .if_range = ETAG, .range = "bytes=5-" },
	  CONDITIONS_PART,
	  5,
	  995 },
	{ "what it has part of is gone",
	  { .if_range = "\"x\"", .range = "bytes=5-" },
	  CONDITIONS_WHOLE },
	{ "by a weak ETag",
	  { .if_range = "W/" ETAG, .range = "bytes=5-" },
	  CONDITIONS_WHOLE },
	{ "by its time",
	  { .if_range = SAME, .range = "bytes=5-" },
	  CONDITIONS_PART,
	  5,
	  995 },
	{ "by another time",
	  { .if_range = AFTER, .range = "bytes=5-" },
	  CONDITIONS_WHOLE },
	{ "without a range", { .if_range = ETAG }, CONDITIONS_WHOLE },
	{ "gone, and the range would be wrong",
	  { .if_range = "\"x\"", .range = "bytes=5000-" },
	  CONDITIONS_WHOLE },
	{ "a failed condition before a wrong range",
	  { .if_match = "\"x\"", .range = "bytes=5000-" },
	  CONDITIONS_FAILED },
	{ "a range of what it has",
	  { .if_none_match = ETAG, .range = "bytes=0-1" },
	  CONDITIONS_NOT_MODIFIED },
};

static void test_judge(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t first = 77, len = 77;
		const char *sentence = rows[i].sentence;

		row_number(sentence,
			   conditions_judge(&rows[i].c, ETAG, MTIME, SIZE,
					    &first, &len),
			   rows[i].outcome);
		if (rows[i].outcome == CONDITIONS_PART) {
			row_number(sentence, first, rows[i].first);
			row_number(sentence, len, rows[i].len);
		}
		if (rows[i].outcome == CONDITIONS_WHOLE) {
			row_number(sentence, first, 0);
			row_number(sentence, len, SIZE);
		}
	}
}

static void test_empty(void **state)
{
	static const char *const ranges[] = { "bytes=0-", "bytes=0-0",
					      "bytes=-1" };
	uint64_t first, len;

	for (size_t i = 0; i < COUNT(ranges); i++) {
		const struct conditions c = { .range = ranges[i] };

		row_number(ranges[i],
			   conditions_judge(&c, ETAG, MTIME, 0, &first, &len),
			   CONDITIONS_NO_RANGE);
	}
}

static void test_date(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
	} dates[] = {
		{ MTIME, SAME },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -5, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
	};
	char out[TIME_HTTP_SIZE];

	for (size_t i = 0; i < COUNT(dates); i++) {
		clock_http(dates[i].t, out);
		row_equal(dates[i].text, out, dates[i].text);
	}
}

SUITE(conditions)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
