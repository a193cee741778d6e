/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoll set, level-triggered, that curl's callbacks keep.
 *
 * curl does not watch a connection between two requests. It stays in the set,
 * though, for the next: idle. What happens to an idle one (the server closes
 * it) curl finds out when it wants to use it; we take it out of the set. That
 * is for connections alone, of which we hear when they are opened and closed:
 * a descriptor that another file gets is not taken for what it was.
 */
#include "net/http_poller.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/number.h"

#define EVENTS 64

struct http_poller_fd {
	uint32_t events; /* in the set with these; 0: it is not there */
	bool connection;
	bool idle; /* curl does not watch it */
};

/* NULL: there is no memory to know anything of it. */
static struct http_poller_fd *http_poller_fd(struct http_poller *p, int fd)
{
	if (fd < 0 || ARRAY_RESERVE(p->fds, p->n_fds, (size_t)fd + 1))
		return NULL;
	return &p->fds[fd];
}

static int http_poller_set(struct http_poller *p, int op, int fd,
			   uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	p->changes++;
	return epoll_ctl(p->epoll, op, fd, &e) ? -errno : 0;
}

static int http_poller_watch(struct http_poller *p, int fd, uint32_t events)
{
	struct http_poller_fd *known = http_poller_fd(p, fd);
	int rc = 0;

	if (!known)
		return -ENOMEM;
	if (known->events != events)
		rc = http_poller_set(
			p, known->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
			events);
	if (!rc)
		known->events = events;
	known->idle = false;
	return rc;
}

static void http_poller_leave(struct http_poller *p, int fd)
{
	struct http_poller_fd *known = http_poller_fd(p, fd);

	if (known && known->events)
		(void)http_poller_set(p, EPOLL_CTL_DEL, fd, 0);
	if (known) {
		known->events = 0;
		known->idle = false;
	}
}

/* What cannot be watched fails at once, by curl's own hand. */
static int http_poller_on_socket(CURL *easy, curl_socket_t fd, int what,
				 void *arg, void *mine)
{
	struct http_poller *p = arg;
	struct http_poller_fd *known = http_poller_fd(p, fd);
	uint32_t events = 0;

	(void)easy;
	(void)mine;
	if (what == CURL_POLL_REMOVE) {
		/* it could be written to all the time */
		if (known && known->connection && known->events == EPOLLIN)
			known->idle = true;
		else
			http_poller_leave(p, fd);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	return http_poller_watch(p, fd, events) ? -1 : 0;
}

static curl_socket_t http_poller_on_open(void *arg, curlsocktype purpose,
					 struct curl_sockaddr *at)
{
	struct http_poller *p = arg;
	int fd = socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
	struct http_poller_fd *known = http_poller_fd(p, fd);

	(void)purpose;
	if (known)
		*known = (struct http_poller_fd){ .connection = true };
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The kernel takes it out of the set. */
static int http_poller_on_close(void *arg, curl_socket_t fd)
{
	struct http_poller *p = arg;
	struct http_poller_fd *known = http_poller_fd(p, fd);

	if (known)
		memset(known, 0, sizeof(*known));
	return close(fd);
}

void http_poller_attach(struct http_poller *p, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_poller_on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, p);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
			 http_poller_on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, p);
}

static int http_poller_on_timer(CURLM *multi, long ms, void *arg)
{
	struct http_poller *p = arg;

	(void)multi;
	p->due_ms = ms < 0 ? INT64_MAX : clock_mono_ms() + ms;
	return 0;
}

int http_poller_init(struct http_poller *p, CURLM *multi)
{
	p->multi = multi;
	p->due_ms = INT64_MAX;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->epoll < 0 || p->wake < 0)
		return -errno;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
			  http_poller_on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, http_poller_on_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p);
	return http_poller_watch(p, p->wake, EPOLLIN);
}

void http_poller_clear(struct http_poller *p)
{
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->wake >= 0)
		close(p->wake);
	free(p->fds);
}

void http_poller_wake(struct http_poller *p)
{
	/* A count that is full is as good. */
	(void)!eventfd_write(p->wake, 1);
}

/* No bits: curl looks itself what has happened. */
static void http_poller_on_event(struct http_poller *p,
				 const struct epoll_event *e)
{
	const struct http_poller_fd *known = http_poller_fd(p, e->data.fd);
	eventfd_t count;
	int bits = 0, running;

	if (e->data.fd == p->wake) {
		(void)!eventfd_read(p->wake, &count);
		return;
	}
	if (known && known->idle) {
		http_poller_leave(p, e->data.fd);
		return;
	}
	if (e->events & EPOLLIN)
		bits |= CURL_CSELECT_IN;
	if (e->events & EPOLLOUT)
		bits |= CURL_CSELECT_OUT;
	curl_multi_socket_action(p->multi, e->data.fd, bits, &running);
}

static void http_poller_run_timer(struct http_poller *p)
{
	int running;

	p->due_ms = INT64_MAX;
	curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void http_poller_turn(struct http_poller *p, int64_t most_ms,
		      void (*step)(void *arg), void *arg)
{
	struct epoll_event events[EVENTS];
	int64_t left_ms =
		p->due_ms == INT64_MAX ? most_ms : p->due_ms - clock_mono_ms();
	int n;

	left_ms = number_min(left_ms, most_ms);
	n = epoll_wait(p->epoll, events, EVENTS,
		       left_ms > 0 ? (int)left_ms : 0);
	for (int i = 0; i < n; i++) {
		http_poller_on_event(p, &events[i]);
		step(arg);
	}
	if (p->due_ms <= clock_mono_ms()) {
		http_poller_run_timer(p);
		step(arg);
	}
}
