/* An epoll set, level-triggered, that curl's callbacks keep. */
#include "net/http_poller.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENTS 64

static int http_poller_watch(struct http_poller *p, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (!epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &e))
		return 0;
	if (errno != ENOENT || epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e))
		return -errno;
	return 0;
}

/* What cannot be watched fails at once, by curl's own hand. */
static int http_poller_on_socket(CURL *easy, curl_socket_t fd, int what,
				 void *arg, void *mine)
{
	struct http_poller *p = arg;
	uint32_t events = 0;

	(void)easy;
	(void)mine;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	return http_poller_watch(p, fd, events) ? -1 : 0;
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
	eventfd_t count;
	int bits = 0, running;

	if (e->data.fd == p->wake) {
		(void)!eventfd_read(p->wake, &count);
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

	left_ms = left_ms < most_ms ? left_ms : most_ms;
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
