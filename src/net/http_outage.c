/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   answers --an attempt fails--> fails --HTTP_OUTAGE_MS--> told
 *   fails, told --an answer of any other kind--> answers
 *
 * An outage is the server's, not the lane's: of twenty stages at one server one
 * line is enough. Only lanes that have a name are watched, in an engine that
 * tells: a program that ends by its error says it itself.
 */
#include "net/http_outage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http_loop.h"

#define OUTAGES_MAX 64 /* servers that are told apart */

/* Did the server, or the way to it, fail? */
static bool outage_is_failure(const struct http_reply *r)
{
	if (r->rc)
		return http_is_transient(r->rc);
	return r->status == 500 || r->status == 502 || r->status == 503 ||
	       r->status == 504;
}

/* The URL as far as it may be shown. */
static size_t outage_origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return host - url + strcspn(host, "/?#");
}

static struct http_outage *outage_find(struct http_loop *l, const char *url,
				       size_t n)
{
	for (struct http_outage *o = l->outages; o; o = o->next)
		if (!strncmp(o->origin, url, n) && !o->origin[n])
			return o;
	return NULL;
}

static struct http_outage *outage_new(struct http_loop *l,
				      const struct http_attempts *a,
				      const char *url, size_t n)
{
	struct http_outage *o;

	if (l->n_outages == OUTAGES_MAX)
		return NULL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->origin = strndup(url, n);
	o->name = strdup(a->lane->name);
	if (!o->origin || !o->name) {
		free(o->origin);
		free(o->name);
		free(o);
		return NULL;
	}
	o->next = l->outages;
	l->outages = o;
	l->n_outages++;
	return o;
}

static void outage_count(struct http_outage *o, const struct http_reply *r)
{
	if (!o->since_ms)
		o->since_ms = clock_mono_ms();
	o->failures++;
	if (r->rc)
		snprintf(o->why, sizeof(o->why), "%s",
			 r->why ? r->why : strerror(-r->rc));
	else
		snprintf(o->why, sizeof(o->why), "status %ld", r->status);
}

static void outage_end(struct http_loop *l, struct http_outage *o)
{
	const struct log_where where = { .stage = o->name };

	if (o->since_ms && atomic_load(&o->reported))
		log_at(LOG_LEVEL_WARN, &where,
		       "%s answers again, after %lld s and %llu requests that "
		       "failed",
		       o->origin,
		       (long long)(clock_mono_ms() - o->since_ms + 500) / 1000,
		       (unsigned long long)o->failures);
	o->since_ms = 0;
	o->failures = 0;
	if (atomic_exchange(&o->reported, false))
		atomic_fetch_sub(&l->n_down, 1);
}

void http_outage_note(struct http_loop *l, struct http_attempts *a)
{
	const char *url = buf_str(&a->wire.url);
	size_t n = outage_origin_length(url);
	struct http_outage *o;

	if (!a->lane->name || !atomic_load(&l->tells_outages))
		return;
	o = outage_find(l, url, n);
	if (outage_is_failure(&a->reply)) {
		if (!o)
			o = outage_new(l, a, url, n);
		if (!o)
			return;
		outage_count(o, &a->reply);
		atomic_store(&a->lane->outage, o);
	} else if (o && a->reply.status) {
		outage_end(l, o);
	}
}

int64_t http_outage_turn(struct http_loop *l, int64_t now_ms)
{
	int64_t next_ms = -1, left_ms;

	for (struct http_outage *o = l->outages; o; o = o->next) {
		const struct log_where where = { .stage = o->name };

		if (!o->since_ms || atomic_load(&o->reported))
			continue;
		left_ms = o->since_ms + HTTP_OUTAGE_MS - now_ms;
		if (left_ms > 0) {
			if (next_ms < 0 || left_ms < next_ms)
				next_ms = left_ms;
			continue;
		}
		atomic_store(&o->reported, true);
		atomic_fetch_add(&l->n_down, 1);
		log_at(LOG_LEVEL_WARN, &where,
		       "%s does not answer: %s (what fails from now on is "
		       "counted, and said when it is back)",
		       o->origin, o->why);
	}
	return next_ms;
}

void http_outage_clear(struct http_loop *l)
{
	while (l->outages) {
		struct http_outage *o = l->outages;

		l->outages = o->next;
		free(o->origin);
		free(o->name);
		free(o);
	}
}

bool http_lane_is_down(const struct http_lane *lane)
{
	const struct http_outage *o = atomic_load(&lane->outage);

	return o && atomic_load(&o->reported);
}
