/* SPDX-License-Identifier: Apache-2.0 */
/* Times are written and read the same in every locale and time zone. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

static const struct {
	const char *sentence;
	int64_t t;
	const char *rfc3339;
} written[] = {
	{ "the epoch", 0, "1970-01-01T00:00:00Z" },
	{ "the second before it", -1, "1969-12-31T23:59:59Z" },
	{ "AWS' example", 1369353600, "2013-05-24T00:00:00Z" },
	{ "a leap day", 951827696, "2000-02-29T12:34:56Z" },
	{ "the day after a leap day", 951868800, "2000-03-01T00:00:00Z" },
	{ "no leap day in 1900", -2203891200, "1900-03-01T00:00:00Z" },
	{ "the end of a leap year", 1735689599, "2024-12-31T23:59:59Z" },
	{ "past 2038", 4102444800, "2100-01-01T00:00:00Z" },
	{ "no leap day in 2100", 4107542400, "2100-03-01T00:00:00Z" },
	{ "the last second of year 9999", 253402300799,
	  "9999-12-31T23:59:59Z" },
	{ "beyond the last year", INT64_MAX, "9999-12-31T23:59:59Z" },
	{ "the year 0", -62167219200, "0000-01-01T00:00:00Z" },
	{ "year 0 is a leap year", -62162121600, "0000-02-29T00:00:00Z" },
	{ "year 1", -62135596800, "0001-01-01T00:00:00Z" },
	{ "before the first year", INT64_MIN, "0000-01-01T00:00:00Z" },
};

static void test_written(void **state)
{
	for (size_t i = 0; i < COUNT(written); i++) {
		char out[TIME_RFC3339_SIZE];

		clock_rfc3339(written[i].t, out);
		row_equal(written[i].sentence, out, written[i].rfc3339);
	}
}

static void test_formats(void **state)
{
	struct timespec t = { 1687925595, 178999999 };
	char amz[TIME_AMZ_SIZE], date[TIME_DATE_SIZE], list[TIME_LIST_SIZE];
	char rfc3339[TIME_RFC3339_SIZE];

	clock_amz(1369353600, amz);
	assert_string_equal(amz, "20130524T000000Z");
	clock_date(1369353600, date);
	assert_string_equal(date, "20130524");
	clock_list(t, list);
	assert_string_equal(list, "2023-06-28 04:13:15.178 +0000");
	clock_rfc3339_ms(t, rfc3339);
	assert_string_equal(rfc3339, "2023-06-28T04:13:15.178Z");
}

static const struct {
	const char *sentence, *s;
	int rc;
	int64_t t;
	long ns;
} iso8601[] = {
	{ "as S3 lists it", "2023-06-28T04:13:15.178Z", 0, 1687925595,
	  178000000 },
	{ "without a fraction", "2013-05-24T00:00:00Z", 0, 1369353600, 0 },
	{ "nine digits", "2013-05-24T00:00:00.123456789Z", 0, 1369353600,
	  123456789 },
	{ "more digits than we keep", "2013-05-24T00:00:00.1234567899Z", 0,
	  1369353600, 123456789 },
	{ "a zone east of Greenwich", "2013-05-24T02:00:00+02:00", 0,
	  1369353600, 0 },
	{ "a zone west of it, without a colon", "2013-05-23T18:30:00-0530", 0,
	  1369353600, 0 },
	{ "small letters", "2013-05-24t00:00:00z", 0, 1369353600, 0 },
	{ "a leap second", "2016-12-31T23:59:60Z", 0, 1483228800, 0 },
	{ "the leap day", "2000-02-29T00:00:00Z", 0, 951782400, 0 },
	{ "no leap day", "1900-02-29T00:00:00Z", -EINVAL, 0, 0 },
	{ "nothing", "", -EINVAL, 0, 0 },
	{ "a date alone", "2013-05-24", -EINVAL, 0, 0 },
	{ "no zone", "2013-05-24T00:00:00", -EINVAL, 0, 0 },
	{ "an empty fraction", "2013-05-24T00:00:00.Z", -EINVAL, 0, 0 },
	{ "month 13", "2013-13-24T00:00:00Z", -EINVAL, 0, 0 },
	{ "month 0", "2013-00-24T00:00:00Z", -EINVAL, 0, 0 },
	{ "day 0", "2013-05-00T00:00:00Z", -EINVAL, 0, 0 },
	{ "day 31 of June", "2013-06-31T00:00:00Z", -EINVAL, 0, 0 },
	{ "hour 24", "2013-05-24T24:00:00Z", -EINVAL, 0, 0 },
	{ "minute 60", "2013-05-24T00:60:00Z", -EINVAL, 0, 0 },
	{ "something behind it", "2013-05-24T00:00:00Zx", -EINVAL, 0, 0 },
	{ "a sign in a number", "2013-+5-24T00:00:00Z", -EINVAL, 0, 0 },
	{ "three digits of a year", "013-05-24T00:00:00Z", -EINVAL, 0, 0 },
};

static void test_iso8601(void **state)
{
	for (size_t i = 0; i < COUNT(iso8601); i++) {
		struct timespec t = { 0, 0 };

		row_number(iso8601[i].sentence,
			   clock_parse_iso8601(iso8601[i].s, &t),
			   iso8601[i].rc);
		row_number(iso8601[i].sentence, t.tv_sec, iso8601[i].t);
		row_number(iso8601[i].sentence, t.tv_nsec, iso8601[i].ns);
	}
}

static const struct {
	const char *sentence, *s;
	int rc;
	int64_t t;
} http[] = {
	{ "as a server writes it", "Fri, 24 May 2013 00:00:00 GMT", 0,
	  1369353600 },
	{ "the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", 0, 0 },
	{ "December", "Wed, 31 Dec 2025 23:59:59 GMT", 0, 1767225599 },
	{ "no name of a day", "24 May 2013 00:00:00 GMT", -EINVAL, 0 },
	{ "a month that is none", "Fri, 24 Mai 2013 00:00:00 GMT", -EINVAL, 0 },
	{ "another zone", "Fri, 24 May 2013 00:00:00 CET", -EINVAL, 0 },
	{ "the day after February", "Fri, 30 Feb 2013 00:00:00 GMT", -EINVAL,
	  0 },
	{ "cut off", "Fri, 24 May 2013 00:00", -EINVAL, 0 },
	{ "something behind it", "Fri, 24 May 2013 00:00:00 GMT ", -EINVAL, 0 },
	{ "nothing", "", -EINVAL, 0 },
};

static const struct {
	const char *sentence, *s;
	int64_t t;
	int rc;
} amz[] = {
	{ "a moment", "20130524T000000Z", 1369353600, 0 },
	{ "a leap day", "20240229T235959Z", 1709251199, 0 },
	{ "before 1970", "19691231T235959Z", -1, 0 },
	{ "no leap day", "20230229T000000Z", 0, -EINVAL },
	{ "a month that is none", "20131324T000000Z", 0, -EINVAL },
	{ "an hour that is none", "20130524T240000Z", 0, -EINVAL },
	{ "a leap second", "20161231T235960Z", 0, -EINVAL },
	{ "too short", "20130524T00000Z", 0, -EINVAL },
	{ "something behind it", "20130524T000000Zx", 0, -EINVAL },
	{ "a space in it", "2013 524T000000Z", 0, -EINVAL },
	{ "no Z", "20130524T000000", 0, -EINVAL },
};

static void test_amz(void **state)
{
	for (size_t i = 0; i < COUNT(amz); i++) {
		char again[TIME_AMZ_SIZE];
		int64_t t = 0;

		row_number(amz[i].sentence, clock_parse_amz(amz[i].s, &t),
			   amz[i].rc);
		row_number(amz[i].sentence, t, amz[i].t);
		if (amz[i].rc)
			continue;
		clock_amz(t, again);
		row_equal(amz[i].sentence, again, amz[i].s);
	}
}

/* Over 400 years: what is written is read again. */
static void test_http_again(void **state)
{
	for (int64_t day = 0; day < 146097; day += 5) {
		char text[TIME_HTTP_SIZE];
		int64_t t = -1;

		clock_http(day * 86400 + 3661, text);
		row_number(text, clock_parse_http(text, &t), 0);
		row_number(text, t, day * 86400 + 3661);
	}
}

static void test_http(void **state)
{
	for (size_t i = 0; i < COUNT(http); i++) {
		int64_t t = 0;

		row_number(http[i].sentence, clock_parse_http(http[i].s, &t),
			   http[i].rc);
		row_number(http[i].sentence, t, http[i].t);
	}
}

/* Every day of 800 years: reading undoes writing. */
static void test_round_trip(void **state)
{
	for (int64_t t = -6857222400; t < 18000000000; t += 86400 + 1) {
		char out[TIME_RFC3339_SIZE];
		struct timespec back;

		clock_rfc3339(t, out);
		assert_int_equal(clock_parse_iso8601(out, &back), 0);
		assert_true(back.tv_sec == t);
	}
}

static void test_now(void **state)
{
	int64_t mono = clock_mono_ms();
	time_t wall = time(NULL);

	assert_true(clock_now_s() >= wall && clock_now_s() <= wall + 5);
	assert_true(clock_mono_ms() >= mono);
}

SUITE(clock)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_iso8601),
		cmocka_unit_test(test_amz),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_again),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_now),
	};

	setenv("TZ", "America/St_Johns", 1);
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
