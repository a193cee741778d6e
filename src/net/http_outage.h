/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that does not answer is told once, and once more when it is back.
 * All but http_lane_is_down() is the engine thread's.
 */
#ifndef NET_HTTP_OUTAGE_H
#define NET_HTTP_OUTAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct http_attempts;
struct http_loop;

/* What a server is given to come back in silence: a retry may do. */
#define HTTP_OUTAGE_MS 2000

/* One server, from its first failure on; it lives as long as the engine. */
struct http_outage {
	char *origin; /* "https://s3.example.org:9000" */
	char *name; /* of the lane whose call failed first */
	char why[128];
	int64_t since_ms; /* 0: it answers */
	uint64_t failures; /* since then */
	_Atomic(bool) reported;
	struct http_outage *next;
};

/* An attempt has ended: has the server answered? */
void http_outage_note(struct http_loop *l, struct http_attempts *a);
/* Tells what is due. Milliseconds until the next one is; -1: none. */
int64_t http_outage_turn(struct http_loop *l, int64_t now_ms);
void http_outage_clear(struct http_loop *l);

#endif
