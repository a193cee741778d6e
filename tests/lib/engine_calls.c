/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine_calls.h"

const struct http_lane_settings probe_settings = {
	.connections = 4,
	.connect_timeout_s = 5,
	.idle_timeout_s = 5,
	.deadline_s = 20,
};

static struct probe *probe_of(struct http_call *call)
{
	return (struct probe *)call; /* its first member */
}

static int prepare(struct http_call *call, struct http_wire *w)
{
	struct probe *p = probe_of(call);
	char range[64];

	p->prepared++;
	if (p->prepare_rc &&
	    (!p->prepare_rc_at || p->prepare_rc_at == p->prepared))
		return p->prepare_rc;
	if (p->url)
		buf_adds(&w->url, p->url);
	else
		buf_addf(&w->url, "http://127.0.0.1:%u%s", p->port, p->path);
	if (p->data) {
		snprintf(range, sizeof(range), "bytes=%llu-",
			 (unsigned long long)p->data);
		return http_wire_header(w, "Range", range);
	}
	return p->header ? http_wire_header(w, p->header, p->value) : 0;
}

static int on_data(struct http_call *call, const struct http_reply *reply,
		   const void *bytes, size_t n)
{
	struct probe *p = probe_of(call);
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = p->data + i;

		p->wrong |= b[i] != ((at * 31 + (at >> 8)) & 255);
	}
	p->data += n;
	pthread_mutex_lock(&p->mutex);
	p->begun = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->mutex);
	return p->data_err;
}

static void on_done(struct http_call *call, const struct http_reply *reply)
{
	struct probe *p = probe_of(call);

	p->rc = reply->rc;
	p->status = reply->status;
	p->attempt = reply->attempt;
	snprintf(p->why, sizeof(p->why), "%s", reply->why ? reply->why : "");
	p->body = strdup(buf_str(&reply->body));
	p->body_len = reply->body.len;
	pthread_mutex_lock(&p->mutex);
	p->ended = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->mutex);
}

const struct http_call_ops probe_ops = { .prepare = prepare, .done = on_done };
const struct http_call_ops probe_data_ops = {
	.prepare = prepare,
	.data = on_data,
	.done = on_done,
};

void probe_init(struct probe *p, unsigned port, enum http_verb verb,
		const char *path)
{
	memset(p, 0, sizeof(*p));
	p->call.ops = &probe_ops;
	p->call.verb = verb;
	p->call.class = HTTP_DATA;
	p->call.reply_max = 1 << 20;
	p->port = port;
	p->path = path;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->cond, NULL);
}

void probe_clear(struct probe *p)
{
	free(p->body);
	pthread_mutex_destroy(&p->mutex);
	pthread_cond_destroy(&p->cond);
}

static void wait_for(struct probe *p, const bool *flag)
{
	pthread_mutex_lock(&p->mutex);
	while (!*flag)
		pthread_cond_wait(&p->cond, &p->mutex);
	pthread_mutex_unlock(&p->mutex);
}

void probe_wait_begun(struct probe *p)
{
	wait_for(p, &p->begun);
}

void probe_wait(struct probe *p)
{
	wait_for(p, &p->ended);
}

void probe_run(struct http_lane *on, struct probe *p)
{
	http_start(on, &p->call);
	probe_wait(p);
}

struct standin server;
struct http_engine *engine;
struct http_lane *lane;

int engine_setup_all(void **state)
{
	standin_start(&server, NULL);
	return 0;
}

int engine_teardown_all(void **state)
{
	standin_stop(&server);
	return 0;
}

int engine_setup(void **state)
{
	standin_reset(&server);
	engine = http_engine_new();
	lane = engine ? http_lane_new(engine, &probe_settings) : NULL;
	return !lane;
}

int engine_teardown(void **state)
{
	http_engine_free(engine);
	http_lane_free(lane);
	return 0;
}

/*
 * The kernel completes connections until the queue of a listener that does
 * not accept is full, and then drops what comes.
 */
void black_hole_open(struct black_hole *b)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr *addr = (struct sockaddr *)&at;
	socklen_t len = sizeof(at);

	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(b->listener, addr, len), 0);
	assert_int_equal(getsockname(b->listener, addr, &len), 0);
	assert_int_equal(listen(b->listener, 0), 0);
	b->port = ntohs(at.sin_port);
	for (size_t i = 0; i < COUNT(b->fillers); i++) {
		b->fillers[i] = socket(
			AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(b->fillers[i], addr, len);
	}
}

void black_hole_close(struct black_hole *b)
{
	for (size_t i = 0; i < COUNT(b->fillers); i++)
		close(b->fillers[i]);
	close(b->listener);
}

void wait_for_requests(long n)
{
	while (standin_stat(&server, "requests") < n)
		usleep(10000);
}
