/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The delay is drawn from the whole interval below a ceiling that doubles
 * ("full jitter"), so that a thousand clients that failed together do not come
 * back together. The ceiling is also what is left until the deadline, less
 * one base delay for the attempt itself: the last waits get shorter rather
 * than leave no time, but each is a base delay or the rest, lest the attempts
 * become a burst as the end comes near.
 */
#include "net/http_retry.h"

#include "base/clock.h"
#include "base/number.h"

#define RETRY_AFTER_MAX_S 86400

/* base * 2^(attempt - 1), at most the cap. */
static int64_t http_retry_ceiling(int64_t base, unsigned attempt)
{
	for (; attempt > 1 && base < HTTP_RETRY_CAP_MS; attempt--)
		base *= 2;
	return number_min(base, HTTP_RETRY_CAP_MS);
}

int64_t http_retry_delay(const struct http_retry *r)
{
	int64_t base, top, delay, low = 0, left = r->deadline_ms - r->now_ms;

	switch (r->verdict) {
	case HTTP_AGAIN:
		return r->agains < HTTP_AGAIN_MAX && left > 0 ? 0 : -1;
	case HTTP_RETRY:
		base = HTTP_RETRY_BASE_MS;
		break;
	case HTTP_SLOW:
		base = HTTP_SLOW_BASE_MS;
		break;
	default:
		return -1;
	}
	left -= base;
	if (left <= 0 || r->retry_after_ms >= left)
		return -1;
	top = http_retry_ceiling(base, r->attempt);
	if (top > left) {
		top = left;
		low = number_min(base, left);
	}
	delay = low +
		(int64_t)((uint64_t)r->random * (uint64_t)(top - low) >> 32);
	return number_max(delay, r->retry_after_ms);
}

int64_t http_retry_after(const struct http_reply *reply, int64_t now_s)
{
	BUF_LOCAL text = BUF_INIT(64);
	int64_t at, answered;
	uint64_t seconds;
	int64_t ms = 0;

	if (http_reply_number(reply, "retry-after", &seconds)) {
		if (seconds > RETRY_AFTER_MAX_S)
			seconds = RETRY_AFTER_MAX_S;
		ms = (int64_t)seconds * 1000;
	} else if (http_reply_header(reply, "retry-after", &text) &&
		   !clock_parse_http(buf_str(&text), &at)) {
		if (http_reply_header(reply, "date", &text) &&
		    !clock_parse_http(buf_str(&text), &answered))
			now_s = answered;
		if (at > now_s + RETRY_AFTER_MAX_S)
			at = now_s + RETRY_AFTER_MAX_S;
		ms = at > now_s ? (at - now_s) * 1000 : 0;
	}
	return ms;
}
