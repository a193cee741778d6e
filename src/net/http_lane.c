/*
 * A lane: a queue for each class, first in first out, and slots. HTTP_META has
 * `connections` slots of its own; HTTP_DATA and HTTP_AHEAD share as many, and
 * read-ahead gets one only while nobody waits for data. A call that was tried
 * before goes to the head of its queue: it has waited longest.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "net/http_loop.h"

#define CONNECTIONS_MAX 1024

static int64_t ms(unsigned seconds)
{
	return (int64_t)(seconds ? seconds : 1) * 1000;
}

struct http_lane *http_lane_new(struct http_engine *e,
				const struct http_lane_settings *s)
{
	struct http_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->engine = e;
	lane->loop = engine_loop(e);
	lane->connections = s->connections ? s->connections : 1;
	if (lane->connections > CONNECTIONS_MAX)
		lane->connections = CONNECTIONS_MAX;
	lane->connect_timeout_ms = ms(s->connect_timeout_s);
	lane->idle_timeout_ms = ms(s->idle_timeout_s);
	lane->deadline_ms = ms(s->deadline_s);
	if (s->proxy && *s->proxy)
		lane->proxy = strdup(s->proxy);
	if (s->ca_file && *s->ca_file)
		lane->ca_file = strdup(s->ca_file);
	if ((s->proxy && *s->proxy && !lane->proxy) ||
	    (s->ca_file && *s->ca_file && !lane->ca_file)) {
		http_lane_free(lane);
		return NULL;
	}
	return lane;
}

void http_lane_free(struct http_lane *lane)
{
	if (!lane)
		return;
	free(lane->proxy);
	free(lane->ca_file);
	free(lane);
}

void lane_queue(struct http_attempts *a, bool first)
{
	struct http_lane *lane = a->lane;

	if (first)
		DL_PREPEND(lane->queue[a->class], a);
	else
		DL_APPEND(lane->queue[a->class], a);
	if (!lane->n_queued++)
		DL_APPEND(lane->loop->waiting, lane);
}

void lane_unqueue(struct http_attempts *a)
{
	struct http_lane *lane = a->lane;

	DL_DELETE(lane->queue[a->class], a);
	if (!--lane->n_queued)
		DL_DELETE(lane->loop->waiting, lane);
}

struct http_attempts *lane_next(struct http_lane *lane)
{
	struct http_attempts *const *queue = lane->queue;
	const unsigned *running = lane->running;

	if (queue[HTTP_META] && running[HTTP_META] < lane->connections)
		return queue[HTTP_META];
	if (running[HTTP_DATA] + running[HTTP_AHEAD] >= lane->connections)
		return NULL;
	return queue[HTTP_DATA] ? queue[HTTP_DATA] : queue[HTTP_AHEAD];
}
