/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again: full-jitter exponential backoff inside a deadline. Pure.
 *
 * Source: "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015):
 * delay = random(0, min(cap, base * 2^(attempt - 1))).
 */
#ifndef NET_HTTP_RETRY_H
#define NET_HTTP_RETRY_H

#include <stdint.h>

#include "net/http.h"

#define HTTP_RETRY_BASE_MS 100 /* HTTP_RETRY */
#define HTTP_SLOW_BASE_MS 500 /* HTTP_SLOW */
#define HTTP_RETRY_CAP_MS 20000
#define HTTP_AGAIN_MAX 2

struct http_retry {
	enum http_verdict verdict; /* of the attempt that just ended */
	unsigned attempt; /* its number, from 1 */
	unsigned agains; /* HTTP_AGAIN granted so far */
	int64_t now_ms;
	int64_t deadline_ms; /* on the same clock */
	int64_t retry_after_ms; /* the server's wish; 0: none */
	uint32_t random; /* 32 random bits */
};

/*
 * Milliseconds to wait before the next attempt, or -1: give up. Never
 * oversleeps the deadline, and a Retry-After beyond it gives up.
 */
int64_t http_retry_delay(const struct http_retry *r);

/*
 * The milliseconds that the answer's Retry-After asks for, a day at most; 0
 * when it asks for none. A date is held against the answer's own Date, else
 * against now_s (Unix seconds).
 */
int64_t http_retry_after(const struct http_reply *reply, int64_t now_s);

#endif
