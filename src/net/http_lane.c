/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: a queue for each class, first in first out, and slots. HTTP_META has
 * `connections` slots of its own; HTTP_DATA and HTTP_AHEAD share as many, and
 * read-ahead gets one only while no reader waits for data, or when it has
 * waited long itself: by then a reader may have come to it. A call that was
 * tried before goes to the head of its queue: it has waited longest.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/http_loop.h"

#define CONNECTIONS_MAX 1024
#define AHEAD_PATIENCE_MS 2000
/* This machine, and where a cloud's machines and containers ask for metadata
 * and credentials. */
#define OURS \
	"localhost,127.0.0.0/8,::1,169.254.169.254,169.254.170.2," \
	"169.254.170.23,fd00:ec2::254,fd00:ec2::23"

static int64_t http_lane_ms(unsigned seconds)
{
	return (int64_t)(seconds ? seconds : 1) * 1000;
}

static const char *http_lane_environment(const char *name, const char *other)
{
	const char *value = getenv(name);

	if (!value && other)
		value = getenv(other);
	return value && *value ? value : NULL;
}

/* What the environment says, and what no proxy can reach for us. */
static char *http_lane_no_proxy(void)
{
	const char *theirs = http_lane_environment("no_proxy", "NO_PROXY");
	struct buf list = BUF_INIT(BUF_LINE);

	if (theirs && !strcmp(theirs, "*"))
		return strdup(theirs);
	if (theirs)
		buf_addf(&list, "%s,", theirs);
	buf_adds(&list, OURS);
	return buf_detach(&list);
}

const char *http_lane_proxy(const struct http_lane *lane, const char *scheme)
{
	bool tls = !strcmp(scheme, "https");

	if (lane->proxy)
		return *lane->proxy ? "the setting `proxy`" : NULL;
	if (!strcmp(lane->no_proxy, "*"))
		return NULL;
	if (tls ? http_lane_environment("https_proxy", "HTTPS_PROXY")
		: http_lane_environment("http_proxy", NULL))
		return tls ? "https_proxy, unless no_proxy has the host"
			   : "http_proxy, unless no_proxy has the host";
	return http_lane_environment("all_proxy", "ALL_PROXY")
		       ? "all_proxy, unless no_proxy has the host"
		       : NULL;
}

struct http_lane *http_lane_new(struct http_engine *e,
				const struct http_lane_settings *s)
{
	struct http_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->loop = &e->loop;
	lane->connections = s->connections ? s->connections : 1;
	if (lane->connections > CONNECTIONS_MAX)
		lane->connections = CONNECTIONS_MAX;
	lane->connect_timeout_ms = http_lane_ms(s->connect_timeout_s);
	lane->idle_timeout_ms = http_lane_ms(s->idle_timeout_s);
	lane->deadline_ms = http_lane_ms(s->deadline_s);
	if (s->proxy && *s->proxy)
		lane->proxy =
			strdup(strcmp(s->proxy, HTTP_NO_PROXY) ? s->proxy : "");
	else
		lane->no_proxy = http_lane_no_proxy();
	if (s->ca_file && *s->ca_file)
		lane->ca_file = strdup(s->ca_file);
	if (s->name)
		lane->name = strdup(s->name);
	if (s->name)
		lane->counts = http_counts_get(&e->loop.counts, s->name);
	if ((s->name && !lane->name) || (!lane->proxy && !lane->no_proxy) ||
	    (s->ca_file && *s->ca_file && !lane->ca_file)) {
		http_lane_free(lane);
		return NULL;
	}
	return lane;
}

int64_t http_lane_deadline(const struct http_lane *lane)
{
	return lane->deadline_ms;
}

void http_lane_free(struct http_lane *lane)
{
	if (!lane)
		return;
	free(lane->proxy);
	free(lane->no_proxy);
	free(lane->ca_file);
	free(lane->name);
	free(lane);
}

void http_lane_queue(struct http_attempts *a, bool first)
{
	struct http_lane *lane = a->lane;

	a->queued_ms = clock_mono_ms();
	if (first)
		DL_PREPEND(lane->queue[a->class], a);
	else
		DL_APPEND(lane->queue[a->class], a);
	if (!lane->n_queued++)
		DL_APPEND(lane->loop->waiting, lane);
}

void http_lane_unqueue(struct http_attempts *a)
{
	struct http_lane *lane = a->lane;

	DL_DELETE(lane->queue[a->class], a);
	if (!--lane->n_queued)
		DL_DELETE(lane->loop->waiting, lane);
}

/* The older of the two goes first once read-ahead has lost its patience. */
static struct http_attempts *http_lane_next_data(struct http_attempts *data,
						 struct http_attempts *ahead)
{
	if (!data || !ahead)
		return data ? data : ahead;
	if (ahead->queued_ms < data->queued_ms &&
	    clock_mono_ms() - ahead->queued_ms > AHEAD_PATIENCE_MS)
		return ahead;
	return data;
}

struct http_attempts *http_lane_next(struct http_lane *lane)
{
	struct http_attempts *const *queue = lane->queue;
	const unsigned *running = lane->running;

	if (queue[HTTP_META] && running[HTTP_META] < lane->connections)
		return queue[HTTP_META];
	if (running[HTTP_DATA] + running[HTTP_AHEAD] >= lane->connections)
		return NULL;
	return http_lane_next_data(queue[HTTP_DATA], queue[HTTP_AHEAD]);
}
