/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar is computed here and not by gmtime(3), which follows TZ where
 * that names a zone with leap seconds, nor by strptime(3), which follows the
 * locale.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DAY 86400
#define DAYS_TO_1970 719528 /* from 0000-01-01 */
#define TIME_MIN (-(int64_t)DAYS_TO_1970 * DAY)
#define TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

static const char days_of_week[] = "MonTueWedThuFriSatSun";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

int64_t clock_now_s(void)
{
	return clock_now().tv_sec;
}

struct timespec clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

int64_t clock_mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int64_t clock_uptime_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

static bool clock_is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int clock_days_in_month(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30,
				     31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && clock_is_leap(year));
}

/* Days from 0000-01-01 to the first of January of a year from 0 on. */
static int64_t clock_days_to_year(int year)
{
	int before = year - 1;

	if (!year)
		return 0;
	return (int64_t)year * 365 + before / 4 - before / 100 + before / 400 +
	       1;
}

static int64_t clock_civil_to_unix(const struct civil *c)
{
	int64_t days = clock_days_to_year(c->year) - DAYS_TO_1970 + c->day - 1;

	for (int month = 1; month < c->month; month++)
		days += clock_days_in_month(c->year, month);
	return days * DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

static struct civil clock_civil_from_unix(int64_t t)
{
	struct civil c = { .month = 1 };
	int64_t days;
	int rest;

	if (t < TIME_MIN)
		t = TIME_MIN;
	if (t > TIME_MAX)
		t = TIME_MAX;
	t -= TIME_MIN;
	days = t / DAY;
	rest = t % DAY;
	c.hour = rest / 3600;
	c.minute = rest / 60 % 60;
	c.second = rest % 60;
	c.year = days / 366;
	while (days >= clock_days_to_year(c.year + 1))
		c.year++;
	days -= clock_days_to_year(c.year);
	while (days >= clock_days_in_month(c.year, c.month))
		days -= clock_days_in_month(c.year, c.month++);
	c.day = days + 1;
	return c;
}

/* Every format takes as many of the seven numbers as it shows. */
static void clock_print(char *out, size_t size, const char *fmt, int64_t t,
			long ns)
{
	struct civil c = clock_civil_from_unix(t);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, size, fmt, c.year, c.month, c.day, c.hour, c.minute,
		 c.second, ns / 1000000);
#pragma GCC diagnostic pop
}

static char *clock_put_digits(char *out, int value, int n)
{
	for (int i = n; i--; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + n;
}

/* These two are part of every signature, so printf() is too slow. */
void clock_amz(int64_t t, char out[TIME_AMZ_SIZE])
{
	struct civil c = clock_civil_from_unix(t);

	out = clock_put_digits(out, c.year, 4);
	out = clock_put_digits(out, c.month, 2);
	out = clock_put_digits(out, c.day, 2);
	*out++ = 'T';
	out = clock_put_digits(out, c.hour, 2);
	out = clock_put_digits(out, c.minute, 2);
	out = clock_put_digits(out, c.second, 2);
	*out++ = 'Z';
	*out = '\0';
}

void clock_date(int64_t t, char out[TIME_DATE_SIZE])
{
	char whole[TIME_AMZ_SIZE];

	clock_amz(t, whole);
	memcpy(out, whole, TIME_DATE_SIZE - 1);
	out[TIME_DATE_SIZE - 1] = '\0';
}

void clock_rfc3339(int64_t t, char out[TIME_RFC3339_SIZE])
{
	clock_print(out, TIME_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", t,
		    0);
}

void clock_rfc3339_ms(struct timespec t, char out[TIME_RFC3339_SIZE])
{
	clock_print(out, TIME_RFC3339_SIZE,
		    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", t.tv_sec,
		    t.tv_nsec);
}

void clock_list(struct timespec t, char out[TIME_LIST_SIZE])
{
	clock_print(out, TIME_LIST_SIZE,
		    "%04d-%02d-%02d %02d:%02d:%02d.%03ld +0000", t.tv_sec,
		    t.tv_nsec);
}

void clock_http(int64_t t, char out[TIME_HTTP_SIZE])
{
	struct civil c = clock_civil_from_unix(t < 0 ? 0 : t);
	/* The first day of the year 0 was a Saturday. */
	int64_t day = clock_civil_to_unix(&c) / DAY + DAYS_TO_1970 + 5;

	snprintf(out, TIME_HTTP_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		 days_of_week + day % 7 * 3, c.day, months + (c.month - 1) * 3,
		 c.year, c.hour, c.minute, c.second);
}

static bool clock_take(const char **s, const char *literal)
{
	size_t n = strlen(literal);

	if (strncmp(*s, literal, n))
		return false;
	*s += n;
	return true;
}

/* Exactly n digits, with a value of min to max. */
static bool clock_number(const char **s, int n, int min, int max, int *out)
{
	int value = 0;

	for (; n; n--, (*s)++) {
		if (!text_is_digit(**s))
			return false;
		value = value * 10 + (**s - '0');
	}
	*out = value;
	return value >= min && value <= max;
}

/* A name of three letters out of a row of them; *out counts from 1. */
static bool clock_word(const char **s, const char *names, int *out)
{
	for (int i = 0; names[i * 3]; i++) {
		if (!strncmp(*s, names + (size_t)i * 3, 3)) {
			*s += 3;
			*out = i + 1;
			return true;
		}
	}
	return false;
}

static bool clock_time_of_day(const char **s, struct civil *c)
{
	return clock_number(s, 2, 0, 23, &c->hour) && clock_take(s, ":") &&
	       clock_number(s, 2, 0, 59, &c->minute) && clock_take(s, ":") &&
	       clock_number(s, 2, 0, 60, &c->second);
}

long clock_take_nanoseconds(const char **s)
{
	long unit = 100000000, ns = 0;

	for (; text_is_digit(**s); (*s)++, unit /= 10)
		ns += unit * (**s - '0');
	return ns;
}

/* ".178". Nothing is a fraction too. */
static bool clock_fraction(const char **s, long *ns)
{
	*ns = 0;
	if (!clock_take(s, "."))
		return true;
	if (!text_is_digit(**s))
		return false;
	*ns = clock_take_nanoseconds(s);
	return true;
}

static bool clock_zone(const char **s, int *offset_s)
{
	int sign, hours, minutes;

	*offset_s = 0;
	if (clock_take(s, "Z") || clock_take(s, "z"))
		return true;
	if (clock_take(s, "+"))
		sign = 1;
	else if (clock_take(s, "-"))
		sign = -1;
	else
		return false;
	if (!clock_number(s, 2, 0, 23, &hours))
		return false;
	clock_take(s, ":");
	if (!clock_number(s, 2, 0, 59, &minutes))
		return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

int clock_parse_iso8601(const char *s, struct timespec *out)
{
	struct civil c;
	int offset_s;
	long ns;

	if (!clock_number(&s, 4, 0, 9999, &c.year) || !clock_take(&s, "-") ||
	    !clock_number(&s, 2, 1, 12, &c.month) || !clock_take(&s, "-") ||
	    !clock_number(&s, 2, 1, clock_days_in_month(c.year, c.month),
			  &c.day) ||
	    !(clock_take(&s, "T") || clock_take(&s, "t")) ||
	    !clock_time_of_day(&s, &c) || !clock_fraction(&s, &ns) ||
	    !clock_zone(&s, &offset_s) || *s)
		return -EINVAL;
	out->tv_sec = clock_civil_to_unix(&c) - offset_s;
	out->tv_nsec = ns;
	return 0;
}

int clock_parse_amz(const char *s, int64_t *out)
{
	struct civil c;

	if (!clock_number(&s, 4, 0, 9999, &c.year) ||
	    !clock_number(&s, 2, 1, 12, &c.month) ||
	    !clock_number(&s, 2, 1, clock_days_in_month(c.year, c.month),
			  &c.day) ||
	    !clock_take(&s, "T") || !clock_number(&s, 2, 0, 23, &c.hour) ||
	    !clock_number(&s, 2, 0, 59, &c.minute) ||
	    !clock_number(&s, 2, 0, 59, &c.second) || !clock_take(&s, "Z") ||
	    *s)
		return -EINVAL;
	*out = clock_civil_to_unix(&c);
	return 0;
}

int clock_parse_http(const char *s, int64_t *out)
{
	struct civil c;
	int day_of_week;

	if (!clock_word(&s, days_of_week, &day_of_week) ||
	    !clock_take(&s, ", ") || !clock_number(&s, 2, 1, 31, &c.day) ||
	    !clock_take(&s, " ") || !clock_word(&s, months, &c.month) ||
	    !clock_take(&s, " ") || !clock_number(&s, 4, 0, 9999, &c.year) ||
	    !clock_take(&s, " ") || !clock_time_of_day(&s, &c) ||
	    !clock_take(&s, " GMT") || *s ||
	    c.day > clock_days_in_month(c.year, c.month))
		return -EINVAL;
	*out = clock_civil_to_unix(&c);
	return 0;
}
