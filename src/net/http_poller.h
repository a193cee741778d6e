/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine's thread sleeps on: the sockets and the timer of a curl multi
 * handle, and an event that other threads raise.
 *
 * curl is told of one socket after another (curl_multi_socket_action()), and
 * what has ended is taken from it after each: a transfer that is complete
 * does not wait for the bytes of all others to be read.
 */
#ifndef NET_HTTP_POLLER_H
#define NET_HTTP_POLLER_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

struct http_poller_fd;

/* The engine thread's, but for http_poller_wake(). */
struct http_poller {
	CURLM *multi;
	int epoll;
	int wake; /* an eventfd */
	int64_t due_ms; /* curl's timer */
	struct http_poller_fd *fds; /* by descriptor */
	size_t n_fds;
	_Atomic(uint64_t) changes; /* of the epoll set, so far */
};

/* 0 or -errno. What clear() does may follow in any case. */
int http_poller_init(struct http_poller *p, CURLM *multi);
/* After the multi handle's end. */
void http_poller_clear(struct http_poller *p);
/* A handle's connections are known by it, and cost less while they are idle. */
void http_poller_attach(struct http_poller *p, CURL *easy);
/* Ends the sleep under way, or the next. Any thread. */
void http_poller_wake(struct http_poller *p);
/* Sleeps, at most so long, and lets curl work; step() follows each piece. */
void http_poller_turn(struct http_poller *p, int64_t most_ms,
		      void (*step)(void *arg), void *arg);

#endif
