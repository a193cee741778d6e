/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: two clocks, and the formats in which stores write it. Nothing here
 * depends on the locale or the time zone.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

int64_t clock_now_s(void); /* wall clock, Unix seconds */
struct timespec clock_now(void); /* wall clock */
int64_t clock_mono_ms(void); /* monotonic, for waits and expiry */
uint64_t clock_mono_us(void); /* the same clock, to measure */
int64_t clock_uptime_s(void); /* the same over a suspended machine */

static inline bool clock_is_same(const struct timespec *a,
				 const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Sizes include the NUL. A time outside the years 0 to 9999 is written as the
 * nearest one inside.
 */
#define TIME_AMZ_SIZE 17 /* 20130524T000000Z */
#define TIME_DATE_SIZE 9 /* 20130524 */
#define TIME_RFC3339_SIZE 32 /* 2013-05-24T00:00:00Z, or with .123 */
#define TIME_LIST_SIZE 48 /* 2023-06-28 04:13:15.178 +0000 */
#define TIME_HTTP_SIZE 64 /* Fri, 24 May 2013 00:00:00 GMT */

void clock_amz(int64_t t, char out[TIME_AMZ_SIZE]);
void clock_date(int64_t t, char out[TIME_DATE_SIZE]);
void clock_rfc3339(int64_t t, char out[TIME_RFC3339_SIZE]);
void clock_rfc3339_ms(struct timespec t, char out[TIME_RFC3339_SIZE]);
/* As Databend's LIST shows it: milliseconds, UTC. */
void clock_list(struct timespec t, char out[TIME_LIST_SIZE]);
/* As HTTP has it (RFC 9110): from 1970 on. */
void clock_http(int64_t t, char out[TIME_HTTP_SIZE]);

/* "2023-06-28T04:13:15.178Z" and with a numeric zone. 0 or -EINVAL. */
int clock_parse_iso8601(const char *s, struct timespec *out);
/* What clock_amz() writes. 0 or -EINVAL. */
int clock_parse_amz(const char *s, int64_t *out);
/* "Fri, 24 May 2013 00:00:00 GMT" (RFC 9110). 0 or -EINVAL. */
int clock_parse_http(const char *s, int64_t *out);
/* The digits behind a point, which it passes over; those beyond the ninth are
 * dropped. */
long clock_take_nanoseconds(const char **s);

#endif
