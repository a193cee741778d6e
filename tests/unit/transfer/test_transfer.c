/* SPDX-License-Identifier: Apache-2.0 */
/* What get and put decide: names, and where a download goes on. By tables. */
#include "unit.h"

#include "base/buf.h"
#include "base/text.h"
#include "transfer/transfer_glob.h"
#include "transfer/transfer_progress.h"
#include "transfer/transfer_state.h"

static const struct {
	const char *sentence, *pattern, *name;
	size_t matched;
} globs[] = {
	{ "a plain name", "a.csv", "a.csv", 5 },
	{ "another name", "a.csv", "b.csv", 0 },
	{ "a star", "*.csv", "a.csv", 5 },
	{ "a star for nothing", "a*.csv", "a.csv", 5 },
	{ "a star takes a dot in front", "*", ".a", 2 },
	{ "a star takes no slash", "*.csv", "d/a.csv", 0 },
	{ "components", "d/*.csv", "d/a.csv", 7 },
	{ "two stars", "*/*", "d/a", 3 },
	{ "the directory of a name", "d*", "d1/a/b", 2 },
	{ "two of its directories", "*/a", "d1/a/b", 4 },
	{ "fewer components than the pattern", "*/*/*", "d1/a", 0 },
	{ "a slash at the end", "d*/", "d1/a", 2 },
	{ "a question mark", "?.csv", "a.csv", 5 },
	{ "it is one character", "?.csv", "ab.csv", 0 },
	{ "of UTF-8", "?.csv", "\xc3\xbc.csv", 6 },
	{ "or a byte that is none", "?.csv", "\xff.csv", 5 },
	{ "a set", "[ab].csv", "b.csv", 5 },
	{ "not in the set", "[ab].csv", "c.csv", 0 },
	{ "a range", "[0-9]*", "5x", 2 },
	{ "a range of characters", "[\xc3\xa0-\xc3\xbf]", "\xc3\xbc", 2 },
	{ "not in a set", "[!ab]", "c", 1 },
	{ "the other sign for it", "[^ab]", "a", 0 },
	{ "a bracket in a set", "[]]", "]", 1 },
	{ "a hyphen at its end", "[a-]", "-", 1 },
	{ "a set without an end is a bracket", "[ab", "[ab", 3 },
	{ "a quoted star", "a\\*", "a*", 2 },
	{ "is no wildcard", "a\\*", "ab", 0 },
	{ "a quoted one in a set", "[\\]]", "]", 1 },
	{ "stars that must go back", "*a*b", "xaabxab", 7 },
	{ "nothing to match", "a", "", 0 },
	{ "a name with a new line", "*", "a\nb", 3 },
	{ "case counts", "*.CSV", "a.csv", 0 },
};

static void names_match(void **state)
{
	for (size_t i = 0; i < COUNT(globs); i++)
		row_number(globs[i].sentence,
			   transfer_glob_match(globs[i].pattern, globs[i].name),
			   globs[i].matched);
}

static void a_long_name_takes_no_age(void **state)
{
	char name[1001], pattern[201];

	memset(name, 'a', 1000);
	name[1000] = '\0';
	for (int i = 0; i < 200; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[199] = 'b';
	pattern[200] = '\0';
	assert_int_equal(transfer_glob_match(pattern, name), 0);
}

static const struct {
	const char *sentence, *pattern, *prefix;
	bool wild;
} prefixes[] = {
	{ "no wildcard", "a/b", "a/b", false },
	{ "a star", "a/b*c", "a/b", true },
	{ "a question mark", "?", "", true },
	{ "a set", "x[ab]", "x", true },
	{ "a quoted one", "a\\*b", "a*b", false },
	{ "a quoted one and another", "a\\*b*", "a*b", true },
	{ "a backslash at the end", "a\\", "a\\", false },
};

static void listed_prefixes(void **state)
{
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct buf b = BUF_INIT(100);

		transfer_glob_prefix(prefixes[i].pattern, &b);
		row_equal(prefixes[i].sentence, buf_str(&b),
			  prefixes[i].prefix);
		row_number(prefixes[i].sentence,
			   transfer_glob_is(prefixes[i].pattern),
			   prefixes[i].wild);
		buf_clear(&b);
	}
}

#define NONE TRANSFER_UNKNOWN

static const struct {
	const char *sentence;
	struct transfer_state saved;
	uint64_t part;
	struct object_info now;
	uint64_t at;
} resumes[] = {
	{ "the same object",
	  { "\"e\"", 100, 60 },
	  60,
	  { .size = 100, .etag = "\"e\"" },
	  60 },
	{ "another ETag",
	  { "\"e\"", 100, 60 },
	  60,
	  { .size = 100, .etag = "\"f\"" },
	  0 },
	{ "another size",
	  { "\"e\"", 100, 60 },
	  60,
	  { .size = 101, .etag = "\"e\"" },
	  0 },
	{ "nothing is known now",
	  { "\"e\"", 100, 60 },
	  60,
	  { .size = NONE, .etag = "" },
	  60 },
	{ "no ETag was known",
	  { "", 100, 60 },
	  60,
	  { .size = 100, .etag = "\"e\"" },
	  0 },
	{ "a part that is shorter than it said",
	  { "\"e\"", 100, 60 },
	  10,
	  { .size = 100, .etag = "\"e\"" },
	  10 },
	{ "a part that is longer has holes",
	  { "\"e\"", 100, 60 },
	  90,
	  { .size = 100, .etag = "\"e\"" },
	  60 },
	{ "more than the object has",
	  { "\"e\"", 100, 160 },
	  160,
	  { .size = 100, .etag = "\"e\"" },
	  0 },
	{ "all of it",
	  { "\"e\"", 100, 100 },
	  100,
	  { .size = 100, .etag = "\"e\"" },
	  100 },
};

static void where_a_download_goes_on(void **state)
{
	for (size_t i = 0; i < COUNT(resumes); i++)
		row_number(resumes[i].sentence,
			   transfer_state_resume(&resumes[i].saved,
						 resumes[i].part,
						 &resumes[i].now),
			   resumes[i].at);
}

static const struct {
	const char *sentence, *text;
	bool good;
} states[] = {
	{ "a whole one", "stagefs-get 1\n5 10\n\"e\"\n", true },
	{ "nothing", "", false },
	{ "another version", "stagefs-get 2\n5 10\n\"e\"\n", false },
	{ "cut after the numbers", "stagefs-get 1\n5 10\n", false },
	{ "cut in the ETag", "stagefs-get 1\n5 10\n\"e", false },
	{ "a sign", "stagefs-get 1\n-5 10\n\"e\"\n", false },
	{ "one number", "stagefs-get 1\n5\n\"e\"\n", false },
	{ "a control byte", "stagefs-get 1\n5 10\n\"\x01\"\n", false },
	{ "a number beyond all", "stagefs-get 1\n5 99999999999999999999\ne\n",
	  false },
};

static void states_are_read_back(void **state)
{
	const struct transfer_state s = { "\"0-2\"", 123, 45 };
	struct buf b = BUF_INIT(TRANSFER_STATE_MAX);
	struct transfer_state got;

	for (size_t i = 0; i < COUNT(states); i++)
		row_number(states[i].sentence,
			   transfer_state_read(states[i].text,
					       strlen(states[i].text), &got),
			   states[i].good);
	transfer_state_write(&s, &b);
	assert_true(transfer_state_read(b.data, b.len, &got));
	assert_string_equal(got.etag, s.etag);
	assert_int_equal(got.size, s.size);
	assert_int_equal(got.done, s.done);
	buf_clear(&b);
}

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"

static const struct {
	const char *sentence, *etag;
	bool md5;
	unsigned parts;
} etags[] = {
	{ "an MD5", "\"" MD5 "\"", true, 0 },
	{ "without quotes", MD5, true, 0 },
	{ "of parts", "\"" MD5 "-12\"", true, 12 },
	{ "no parts", "\"" MD5 "-0\"", false, 0 },
	{ "a number that is none", "\"" MD5 "-x\"", false, 0 },
	{ "something else", "\"0x8D\"", false, 0 },
	{ "nothing", "", false, 0 },
	{ "more behind it", "\"" MD5 "0\"", false, 0 },
};

static void what_an_etag_tells(void **state)
{
	for (size_t i = 0; i < COUNT(etags); i++) {
		unsigned parts = 0;
		char hex[33];

		row_number(etags[i].sentence,
			   transfer_state_md5(etags[i].etag, hex, &parts),
			   etags[i].md5);
		if (!etags[i].md5)
			continue;
		row_equal(etags[i].sentence, hex, MD5);
		row_number(etags[i].sentence, parts, etags[i].parts);
	}
}

#define M (1ULL << 20)

static const struct {
	const char *sentence;
	struct transfer_count c;
	unsigned width;
	const char *line;
} lines[] = {
	{ "at the start", { .found = 1 }, 79, "0/1+ files, 0 B of 0 B" },
	{ "while more are found",
	  { .found = 10,
	    .found_bytes = 5 * M,
	    .done = 3,
	    .moved = M,
	    .elapsed_ms = 1000 },
	  79,
	  "3/10+ files, 1.0 MiB of 5.0 MiB, 1.0 MiB/s" },
	{ "when all are found",
	  { .found = 10,
	    .found_bytes = 4 * M,
	    .done = 3,
	    .skipped = 1,
	    .failed = 1,
	    .moved = M,
	    .elapsed_ms = 1000,
	    .all_found = true },
	  79,
	  "5/10 files, 1.0 MiB of 4.0 MiB [##        ] 25%, "
	  "1.0 MiB/s, 0:03 left" },
	{ "at 80 columns the time and the file count more than the bar",
	  { .found = 1,
	    .found_bytes = 190 * M,
	    .moved = 24 * M,
	    .elapsed_ms = 1000,
	    .all_found = true,
	    .current = "big200" },
	  79,
	  "0/1 files, 24.0 MiB of 190.0 MiB 12%, 24.0 MiB/s, 0:06 left  "
	  "big200" },
	{ "the current file, where there is room",
	  { .found = 10,
	    .found_bytes = 4000 * M,
	    .done = 3,
	    .moved = M,
	    .elapsed_ms = 1000,
	    .all_found = true,
	    .current = "a/b.csv" },
	  119,
	  "3/10 files, 1.0 MiB of 3.9 GiB [                    ] 0%, "
	  "1.0 MiB/s, 1:06:39 left  a/b.csv" },
	{ "... or its end",
	  { .found = 10,
	    .found_bytes = 4 * M,
	    .moved = M,
	    .all_found = true,
	    .current = "a/very/long/name/of/a/fil\xc3\xa9.csv" },
	  50,
	  "0/10 files, 1.0 MiB of 4.0 MiB 25%  .../a/fil\xc3\xa9.csv" },
	{ "the bar goes first",
	  { .found = 10,
	    .found_bytes = 4 * M,
	    .moved = M,
	    .elapsed_ms = 1000,
	    .all_found = true },
	  50,
	  "0/10 files, 1.0 MiB of 4.0 MiB 25%, 1.0 MiB/s" },
	{ "then the pace",
	  { .found = 10,
	    .found_bytes = 4 * M,
	    .moved = M,
	    .elapsed_ms = 1000,
	    .all_found = true },
	  33,
	  "0/10 files, 1.0 MiB of 4.0 MiB" },
	{ "and what is left is cut",
	  { .found = 10, .found_bytes = 4 * M, .all_found = true },
	  5,
	  "0/10 " },
	{ "more than was said is all",
	  { .found = 1, .found_bytes = M, .moved = 2 * M, .all_found = true },
	  40,
	  "0/1 files, 2.0 MiB of 1.0 MiB 100%" },
};

static void lines_of_progress(void **state)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct buf b = BUF_INIT(1000);

		transfer_progress_line(&lines[i].c, lines[i].width, &b);
		row_equal(lines[i].sentence, buf_str(&b), lines[i].line);
		buf_clear(&b);
	}
}

static const struct {
	const char *sentence;
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{ "bytes", 1023, "1023 B" },
	{ "KiB", 1536, "1.5 KiB" },
	{ "MiB", 100 * M, "100.0 MiB" },
	{ "the most", UINT64_MAX, "1638.3 PiB" },
};

static void sizes_for_people(void **state)
{
	const struct transfer_count c = { .done = 1,
					  .skipped = 2,
					  .failed = 3,
					  .moved = M,
					  .elapsed_ms = 12345 };
	struct buf b = BUF_INIT(1000);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		buf_reset(&b);
		text_bytes(&b, sizes[i].bytes);
		row_equal(sizes[i].sentence, buf_str(&b), sizes[i].text);
	}
	buf_reset(&b);
	transfer_progress_sum(&c, &b);
	assert_string_equal(buf_str(&b), "1 file, 1.0 MiB in 12.3 s, "
					 "2 skipped, 3 failed");
	buf_clear(&b);
}

SUITE(transfer)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match),
		cmocka_unit_test(a_long_name_takes_no_age),
		cmocka_unit_test(listed_prefixes),
		cmocka_unit_test(where_a_download_goes_on),
		cmocka_unit_test(states_are_read_back),
		cmocka_unit_test(what_an_etag_tells),
		cmocka_unit_test(lines_of_progress),
		cmocka_unit_test(sizes_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
