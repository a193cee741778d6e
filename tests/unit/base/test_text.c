/* SPDX-License-Identifier: Apache-2.0 */
/* Text that crosses a border, by tables. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

#define UNCHANGED 77

enum kind { U64, SIZE, TIME, OCTAL, BOOL };

static const struct {
	const char *sentence;
	enum kind kind;
	const char *s;
	uint64_t max;
	int rc;
	uint64_t wanted;
} numbers[] = {
	{ "zero", U64, "0", 10, 0, 0 },
	{ "the maximum", U64, "10", 10, 0, 10 },
	{ "over the maximum", U64, "11", 10, -ERANGE, UNCHANGED },
	{ "the largest number", U64, "18446744073709551615", UINT64_MAX, 0,
	  UINT64_MAX },
	{ "one more", U64, "18446744073709551616", UINT64_MAX, -ERANGE,
	  UNCHANGED },
	{ "many digits", U64, "99999999999999999999999999", UINT64_MAX, -ERANGE,
	  UNCHANGED },
	{ "many digits, then a letter", U64, "99999999999999999999999999x",
	  UINT64_MAX, -EINVAL, UNCHANGED },
	{ "zeros in front", U64, "007", 10, 0, 7 },
	{ "nothing", U64, "", 10, -EINVAL, UNCHANGED },
	{ "a minus", U64, "-1", 10, -EINVAL, UNCHANGED },
	{ "a plus", U64, "+1", 10, -EINVAL, UNCHANGED },
	{ "a space in front", U64, " 1", 10, -EINVAL, UNCHANGED },
	{ "a space behind", U64, "1 ", 10, -EINVAL, UNCHANGED },
	{ "hexadecimal", U64, "0x1", 10, -EINVAL, UNCHANGED },
	{ "bytes", SIZE, "512", UINT64_MAX, 0, 512 },
	{ "K", SIZE, "2K", UINT64_MAX, 0, 2048 },
	{ "a small k", SIZE, "2k", UINT64_MAX, 0, 2048 },
	{ "MiB", SIZE, "3MiB", UINT64_MAX, 0, 3 << 20 },
	{ "G", SIZE, "1G", UINT64_MAX, 0, 1 << 30 },
	{ "T", SIZE, "1T", UINT64_MAX, 0, UINT64_C(1) << 40 },
	{ "more than 64 bits", SIZE, "16777216T", UINT64_MAX, -ERANGE,
	  UNCHANGED },
	{ "a size over its maximum", SIZE, "3K", 3071, -ERANGE, UNCHANGED },
	{ "a unit alone", SIZE, "K", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "a power of ten is none of ours", SIZE, "1KB", UINT64_MAX, -EINVAL,
	  UNCHANGED },
	{ "half a unit", SIZE, "1Ki", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "a fraction", SIZE, "1.5G", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "no size", SIZE, "", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "a negative size", SIZE, "-1K", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "an unknown unit", SIZE, "1P", UINT64_MAX, -EINVAL, UNCHANGED },
	{ "a control byte for a unit", SIZE, "1\x0b", UINT64_MAX, -EINVAL,
	  UNCHANGED },
	{ "seconds", TIME, "90", 100, 0, 90 },
	{ "seconds, said so", TIME, "90s", 100, 0, 90 },
	{ "minutes", TIME, "15m", UINT64_MAX, 0, 900 },
	{ "hours, as a capital", TIME, "1H", UINT64_MAX, 0, 3600 },
	{ "days", TIME, "7d", 604800, 0, 604800 },
	{ "weeks", TIME, "1w", 604800, 0, 604800 },
	{ "a time over its maximum", TIME, "8d", 604800, -ERANGE, UNCHANGED },
	{ "more seconds than 64 bits", TIME, "999999999999999999w", UINT64_MAX,
	  -ERANGE, UNCHANGED },
	{ "a unit of time alone", TIME, "h", 100, -EINVAL, UNCHANGED },
	{ "half an hour", TIME, "0.5h", 100, -EINVAL, UNCHANGED },
	{ "two units", TIME, "1h30m", 9000, -EINVAL, UNCHANGED },
	{ "no time", TIME, "", 100, -EINVAL, UNCHANGED },
	{ "a mode", OCTAL, "0644", 07777, 0, 0644 },
	{ "a mode without its zero", OCTAL, "755", 07777, 0, 0755 },
	{ "one digit", OCTAL, "7", 07777, 0, 7 },
	{ "a mode over its maximum", OCTAL, "7777", 0777, -ERANGE, UNCHANGED },
	{ "five digits", OCTAL, "00644", 07777, -EINVAL, UNCHANGED },
	{ "an eight", OCTAL, "0648", 07777, -EINVAL, UNCHANGED },
	{ "no mode", OCTAL, "", 07777, -EINVAL, UNCHANGED },
	{ "yes", BOOL, "Yes", 0, 0, 1 },
	{ "no", BOOL, "no", 0, 0, 0 },
	{ "true", BOOL, "TRUE", 0, 0, 1 },
	{ "false", BOOL, "false", 0, 0, 0 },
	{ "on", BOOL, "on", 0, 0, 1 },
	{ "off", BOOL, "oFF", 0, 0, 0 },
	{ "1", BOOL, "1", 0, 0, 1 },
	{ "0", BOOL, "0", 0, 0, 0 },
	{ "maybe", BOOL, "maybe", 0, -EINVAL, UNCHANGED },
	{ "an empty truth", BOOL, "", 0, -EINVAL, UNCHANGED },
};

static int parse(enum kind kind, const char *s, uint64_t max, uint64_t *out)
{
	unsigned octal = (unsigned)*out;
	bool truth = false;
	int rc;

	switch (kind) {
	case U64:
		return parse_u64(s, max, out);
	case SIZE:
		return parse_size(s, max, out);
	case TIME:
		return parse_duration(s, strlen(s), max, out);
	case OCTAL:
		rc = parse_octal(s, (unsigned)max, &octal);
		*out = octal;
		return rc;
	default:
		rc = parse_bool(s, &truth);
		if (!rc)
			*out = truth;
		return rc;
	}
}

static void test_numbers(void **state)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint64_t out = UNCHANGED;

		row_number(numbers[i].sentence,
			   parse(numbers[i].kind, numbers[i].s, numbers[i].max,
				 &out),
			   numbers[i].rc);
		row_check(numbers[i].sentence, out == numbers[i].wanted);
	}
}

static void test_u64n_stops_at_its_length(void **state)
{
	uint64_t out = 0;

	assert_int_equal(parse_u64n("1234", 2, 99, &out), 0);
	assert_int_equal(out, 12);
	assert_int_equal(parse_u64n("12\0", 3, 99, &out), -EINVAL);
}

static const struct {
	const char *sentence, *s, *path, *value;
} percent[] = {
	{ "the set that stays", "AZaz09-._~", "AZaz09-._~", "AZaz09-._~" },
	{ "a slash", "a/b//c", "a/b//c", "a%2Fb%2F%2Fc" },
	{ "space and plus", "a b+c", "a%20b%2Bc", "a%20b%2Bc" },
	{ "per cent", "100%", "100%25", "100%25" },
	{ "not ASCII", "\xc3\xa4", "%C3%A4", "%C3%A4" },
	{ "no UTF-8", "\xff\x80", "%FF%80", "%FF%80" },
	{ "control bytes", "\x01\x7f\n", "%01%7F%0A", "%01%7F%0A" },
	{ "what URLs reserve", "!*'();:@&=$,?#[]",
	  "%21%2A%27%28%29%3B%3A%40%26"
	  "%3D%24%2C%3F%23%5B%5D",
	  "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%3F%23"
	  "%5B%5D" },
	{ "nothing", "", "", "" },
};

static void test_percent(void **state)
{
	for (size_t i = 0; i < COUNT(percent); i++) {
		size_t n = strlen(percent[i].s);
		struct buf b = BUF_INIT(1000), back = BUF_INIT(1000);

		text_percent_encode(&b, percent[i].s, n, true);
		row_equal(percent[i].sentence, buf_str(&b), percent[i].path);
		buf_reset(&b);
		text_percent_encode(&b, percent[i].s, n, false);
		row_equal(percent[i].sentence, buf_str(&b), percent[i].value);
		row_number(percent[i].sentence,
			   text_percent_decode(&back, buf_str(&b), b.len), 0);
		row_equal(percent[i].sentence, buf_str(&back), percent[i].s);
		buf_clear(&b);
		buf_clear(&back);
	}
}

static const struct {
	const char *sentence, *s;
	int rc;
	const char *wanted;
} decoded[] = {
	{ "small digits", "%c3%a4", 0, "\xc3\xa4" },
	{ "a plus stays", "a+b", 0, "a+b" },
	{ "only once", "%2541", 0, "%41" },
	{ "an encoded NUL", "a%00b", -EINVAL, NULL },
	{ "no digits", "%", -EINVAL, NULL },
	{ "one digit", "a%4", -EINVAL, NULL },
	{ "no hexadecimal digit", "%4g", -EINVAL, NULL },
	{ "a sign", "%+1", -EINVAL, NULL },
};

static void test_decoded(void **state)
{
	for (size_t i = 0; i < COUNT(decoded); i++) {
		struct buf b = BUF_INIT(100);

		row_number(decoded[i].sentence,
			   text_percent_decode(&b, decoded[i].s,
					       strlen(decoded[i].s)),
			   decoded[i].rc);
		if (decoded[i].wanted)
			row_equal(decoded[i].sentence, buf_str(&b),
				  decoded[i].wanted);
		buf_clear(&b);
	}
}

static const struct {
	const char *sentence;
	void (*quote)(struct buf *out, const char *s);
	const char *s, *wanted;
} quoted[] = {
	{ "a harmless word", text_shell_quote, "a-b_c.d/e:f@g%20",
	  "a-b_c.d/e:f@g%20" },
	{ "no word", text_shell_quote, "", "''" },
	{ "a space", text_shell_quote, "a b", "'a b'" },
	{ "a quote", text_shell_quote, "it's", "'it'\\''s'" },
	{ "a URL", text_shell_quote, "http://h/?a=b&c", "'http://h/?a=b&c'" },
	{ "a tilde", text_shell_quote, "~root", "'~root'" },
	{ "a dollar", text_shell_quote, "$(x)`y`", "'$(x)`y`'" },
	{ "a line end", text_shell_quote, "a\nb", "'a\nb'" },
	{ "JSON", text_json_string, "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
	{ "JSON of control bytes", text_json_string, "\n\r\t\x01\x1f\x7f",
	  "\"\\n\\r\\t\\u0001\\u001f\\u007f\"" },
	{ "JSON of UTF-8", text_json_string,
	  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98"
	  "\x80",
	  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "JSON of a byte that is none", text_json_string,
	  "a\xff"
	  "b",
	  "\"a\xef\xbf\xbd"
	  "b\"" },
	{ "JSON of a character cut off", text_json_string, "\xe2\x82",
	  "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "JSON of an overlong slash", text_json_string, "\xc0\xaf",
	  "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "JSON of an overlong slash of three", text_json_string,
	  "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "JSON of a surrogate", text_json_string, "\xed\xa0\x80",
	  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "JSON past the last character", text_json_string, "\xf4\x90\x80\x80",
	  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a log line's word", text_printable, "a b\xc3\xa4", "a b\xc3\xa4" },
	{ "its control bytes", text_printable, "\n\r\t\x1b[0m\x7f",
	  "\\n\\r\\t\\x1b[0m\\x7f" },
	{ "its quotes", text_printable, "a\"b\\c", "a\\\"b\\\\c" },
	{ "its bytes that are none", text_printable, "\xff\x9b", "\\xff\\x9b" },
	{ "its control characters past ASCII", text_printable, "\xc2\x9b",
	  "\\xc2\\x9b" },
	{ "a sentence keeps its quotes", text_one_line, "a\"b\\c\n\x01",
	  "a\"b\\c\\n\\x01" },
};

static void test_quoted(void **state)
{
	for (size_t i = 0; i < COUNT(quoted); i++) {
		struct buf b = BUF_INIT(100);

		quoted[i].quote(&b, quoted[i].s);
		row_equal(quoted[i].sentence, buf_str(&b), quoted[i].wanted);
		buf_clear(&b);
	}
}

static const struct {
	const char *sentence, *s, *wanted;
} octal[] = {
	{ "nothing to do", "/mnt/a", "/mnt/a" },
	{ "a space", "/mnt/a\\040b", "/mnt/a b" },
	{ "a backslash before digits", "\\134040", "\\040" },
	{ "a newline at the end", "a\\012", "a\n" },
	{ "a high byte", "\\303\\274", "\xc3\xbc" },
	{ "two digits are none", "a\\04", "a\\04" },
	{ "nor is an 8", "\\048", "\\048" },
	{ "a backslash at the end", "a\\", "a\\" },
};

static void test_octal(void **state)
{
	for (size_t i = 0; i < COUNT(octal); i++) {
		char s[32];

		snprintf(s, sizeof(s), "%s", octal[i].s);
		text_unescape_octal(s);
		row_equal(octal[i].sentence, s, octal[i].wanted);
	}
}

static void test_questions(void **state)
{
	assert_false(text_has_control("a b\xc3\xa4"));
	assert_true(text_has_control("a\nb"));
	assert_true(text_has_control("a\x7f"));
	assert_true(text_is_field_value("a\tb\xc3\xa4", 5));
	assert_false(text_is_field_value("a\nb", 3));
	assert_false(text_is_field_value("a\x7f", 2));
	assert_true(text_is_field_value("a\n", 1));
	assert_int_equal(text_token_len("X-Amz_Date: x"), 10);
	assert_int_equal(text_token_len("(a)"), 0);
	assert_int_equal(text_token_len("!#$%&'*+-.^_`|~09azAZ"), 21);
	assert_true(text_starts_with("abc", "ab"));
	assert_true(text_starts_with("abc", ""));
	assert_false(text_starts_with("a", "ab"));
	assert_true(text_ends_with("abc", "bc"));
	assert_true(text_ends_with("abc", ""));
	assert_false(text_ends_with("c", "bc"));
}

static void test_words(void **state)
{
	static const struct {
		const char *sentence, *s;
		size_t n;
		const char *more;
		bool is_word;
	} rows[] = {
		{ "nothing", "", 0, "", false },
		{ "letters and digits", "aZ09", 4, "", true },
		{ "no more than n bytes", "ab/", 2, "", true },
		{ "what is allowed besides", "a-b/", 4, "/-", true },
		{ "what is not", "a-b", 3, "/", false },
		{ "a NUL", "a\0b", 3, "/", false },
		{ "a letter beyond ASCII", "\303\244", 2, "", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		row_number(rows[i].sentence,
			   text_is_word(rows[i].s, rows[i].n, rows[i].more),
			   rows[i].is_word);
}

SUITE(text)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_u64n_stops_at_its_length),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_decoded),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_octal),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
