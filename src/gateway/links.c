/*
 * A list in the order of arrival under one lock, and one thread that looks
 * every half second for who is over the deadline. libmicrohttpd has a timeout
 * between two bytes only, which a slow client never meets.
 *
 * Cutting off is shutdown(2): the connection's thread wakes with an end of
 * file and libmicrohttpd closes. Until links_remove() the descriptor is still
 * the connection's own, and that is called under no lock but ours.
 */
#include "gateway/links.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/thread.h"
#include "base/wait.h"
#include "gateway/hosts.h"

#define LOOK_EVERY_MS 500
#define GRACE 12 /* the part of a look before a link has a rate */
#define FULL_EVERY_MS 50 /* between two searches for the slowest */

struct links_locked {
	struct link *first, *last;
	unsigned n; /* without those that were cut */
	uint64_t cut;
	int64_t searched_ms; /* for the slowest, last */
	bool stop;
};

struct links {
	struct lock lock;
	struct links_locked guarded_;
	pthread_cond_t changed; /* stop */
	pthread_t watcher;
	unsigned limit, patience_ms, look_ms;
	uint64_t seed; /* of hashes, so that nobody chooses them */
};

static struct links_locked *guarded(struct links *l) REQUIRES(&l->lock)
{
	return &l->guarded_;
}

static void cut_locked(struct links *l, struct link *k) REQUIRES(&l->lock)
{
	if (k->phase == LINK_CUT)
		return;
	k->phase = LINK_CUT;
	guarded(l)->n--;
	guarded(l)->cut++;
	shutdown(k->fd, SHUT_RDWR);
}

static bool may_be_cut(const struct link *k)
{
	return k->phase == LINK_IDLE || k->phase == LINK_REFUSED;
}

/* The watcher sleeps on a condition, which knows no struct lock. */
static void sleep_locked(struct links *l) REQUIRES(&l->lock) NO_THREAD_CHECK
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_EVERY_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&l->changed, &l->lock.mutex, &until);
}

/* Bytes of both ways that have arrived: where the kernel does not say, every
 * look finds more. */
static uint64_t moved_by(const struct link *k)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(k->fd, IPPROTO_TCP, TCP_INFO, &info, &n) ||
	    n < offsetof(struct tcp_info, tcpi_bytes_received) +
			    sizeof(info.tcpi_bytes_received))
		return k->moved + LINK_BYTES;
	return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

static void look_again(struct link *k, int64_t now, uint64_t moved)
{
	k->looked_ms = now;
	k->moved = moved;
}

/* What has to move during a look: by how full the house is, in eighths. */
static uint64_t least(unsigned eighths)
{
	return (uint64_t)LINK_BYTES << (eighths >= 7   ? 6
					: eighths >= 6 ? 4
					: eighths >= 4 ? 2
						       : 0);
}

static uint64_t least_now_locked(struct links *l) REQUIRES(&l->lock)
{
	return least((unsigned)(8ULL * guarded(l)->n / l->limit));
}

static bool is_late(struct link *k, int64_t now, unsigned look_ms,
		    uint64_t bytes)
{
	uint64_t before, moved;

	if (may_be_cut(k))
		return now > k->deadline_ms;
	if (k->phase != LINK_AT_WORK)
		return false;
	if (k->waiter) {
		/* It is us who keep the client waiting. */
		k->looked_ms = 0;
		return false;
	}
	if (!k->looked_ms)
		look_again(k, now, moved_by(k));
	if (now - k->looked_ms < look_ms)
		return false;
	before = k->moved;
	moved = moved_by(k);
	look_again(k, now, moved);
	return moved - before < bytes;
}

static void *watch(void *arg)
{
	struct links *l = arg;

	lock_take(&l->lock);
	while (!guarded(l)->stop) {
		int64_t now = clock_mono_ms();
		uint64_t bytes = least_now_locked(l);

		for (struct link *k = guarded(l)->first; k; k = k->next)
			if (is_late(k, now, l->look_ms, bytes))
				cut_locked(l, k);
		sleep_locked(l);
	}
	lock_drop(&l->lock);
	return NULL;
}

struct links *links_new(unsigned limit, unsigned patience_ms, unsigned look_ms)
{
	struct links *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	l->patience_ms = patience_ms;
	l->look_ms = look_ms ? look_ms : LINK_LOOK_S * 1000;
	l->limit = limit ? limit : 1;
	if (getrandom(&l->seed, sizeof(l->seed), 0) != sizeof(l->seed))
		l->seed = (uintptr_t)l;
	lock_init(&l->lock);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (thread_start(&l->watcher, "gateway-watch", watch, l)) {
		pthread_cond_destroy(&l->changed);
		lock_destroy(&l->lock);
		free(l);
		return NULL;
	}
	return l;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	lock_take(&l->lock);
	guarded(l)->stop = true;
	pthread_cond_signal(&l->changed);
	lock_drop(&l->lock);
	pthread_join(l->watcher, NULL);
	pthread_cond_destroy(&l->changed);
	lock_destroy(&l->lock);
	free(l);
}

/* Bytes in a look, so far; UINT64_MAX: it is too early to say. */
static uint64_t rate(const struct links *l, const struct link *k, int64_t now)
{
	int64_t ms = now - k->began_ms;

	if (k->phase != LINK_AT_WORK || k->waiter || ms < l->look_ms / GRACE)
		return UINT64_MAX;
	return (moved_by(k) - k->began_at) * l->look_ms / (uint64_t)ms;
}

/* The slowest, if it is too slow for a full house. */
static bool cut_slowest_locked(struct links *l) REQUIRES(&l->lock)
{
	int64_t now = clock_mono_ms();
	uint64_t bytes = least(8);
	struct link *slowest = NULL;

	/* It is a question to the kernel for each. */
	if (now - guarded(l)->searched_ms < FULL_EVERY_MS)
		return false;
	guarded(l)->searched_ms = now;
	for (struct link *k = guarded(l)->first; k; k = k->next) {
		uint64_t n = rate(l, k, now);

		if (n < bytes) {
			bytes = n;
			slowest = k;
		}
	}
	if (slowest)
		cut_locked(l, slowest);
	return slowest;
}

/* Room for one more: the longest idle one goes, else the slowest. */
static bool make_room_locked(struct links *l) REQUIRES(&l->lock)
{
	if (guarded(l)->n < l->limit)
		return true;
	for (struct link *k = guarded(l)->first; k; k = k->next) {
		if (may_be_cut(k)) {
			cut_locked(l, k);
			return true;
		}
	}
	return cut_slowest_locked(l);
}

static void append_locked(struct links *l, struct link *k) REQUIRES(&l->lock)
{
	struct links_locked *g = guarded(l);

	k->next = NULL;
	k->prev = g->last;
	if (g->last)
		g->last->next = k;
	else
		g->first = k;
	g->last = k;
}

static void unlink_locked(struct links *l, struct link *k) REQUIRES(&l->lock)
{
	struct links_locked *g = guarded(l);

	if (k->prev)
		k->prev->next = k->next;
	else
		g->first = k->next;
	if (k->next)
		k->next->prev = k->prev;
	else
		g->last = k->prev;
}

struct link *links_add(struct links *l, int fd)
{
	struct link *k = calloc(1, sizeof(*k));
	bool room;

	if (!k)
		return NULL;
	k->fd = fd;
	k->phase = LINK_IDLE;
	k->deadline_ms = clock_mono_ms() + l->patience_ms;
	lock_take(&l->lock);
	room = make_room_locked(l);
	if (room) {
		append_locked(l, k);
		guarded(l)->n++;
	}
	lock_drop(&l->lock);
	if (room)
		return k;
	free(k);
	return NULL;
}

void links_remove(struct links *l, struct link *k)
{
	if (!k)
		return;
	lock_take(&l->lock);
	unlink_locked(l, k);
	guarded(l)->n -= k->phase != LINK_CUT;
	lock_drop(&l->lock);
	free(k->target);
	free(k);
}

/* ---- shares ---- */

static uint64_t hash(const struct links *l, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t h = UINT64_C(14695981039346656037) ^ l->seed;

	while (n--)
		h = (h ^ *p++) * UINT64_C(1099511628211);
	return h | 1;
}

/* Whoever has an IPv6 address has a whole network of them. */
static uint64_t hash_peer(const struct links *l,
			  const struct sockaddr_storage *a)
{
	if (!a || address_is_loopback(a))
		return 0;
	if (a->ss_family == AF_INET)
		return hash(l, &((const struct sockaddr_in *)a)->sin_addr, 4);
	if (a->ss_family == AF_INET6) {
		const struct in6_addr *in =
			&((const struct sockaddr_in6 *)a)->sin6_addr;

		return IN6_IS_ADDR_V4MAPPED(in) ? hash(l, in->s6_addr + 12, 4)
						: hash(l, in->s6_addr, 8);
	}
	return 0;
}

static bool has_share_locked(struct links *l, const struct link *asks,
			     uint64_t object, uint64_t peer) REQUIRES(&l->lock)
{
	unsigned objects = 0, peers = 0;

	if (guarded(l)->n <= l->limit / 2)
		return false;
	for (struct link *k = guarded(l)->first; k; k = k->next) {
		if (k->phase != LINK_AT_WORK || k == asks)
			continue;
		objects += object && k->object == object;
		peers += peer && k->peer == peer;
	}
	return objects >= (l->limit + 3) / 4 || peers >= (l->limit + 1) / 2;
}

bool links_share(struct links *l, struct link *k, const char *object,
		 const struct sockaddr_storage *peer)
{
	uint64_t o = object ? hash(l, object, strlen(object)) : 0;
	uint64_t p = hash_peer(l, peer);
	bool may;

	lock_take(&l->lock);
	may = !has_share_locked(l, k, o, p);
	if (may) {
		k->object = o;
		k->peer = p;
	}
	lock_drop(&l->lock);
	return may;
}

bool links_set(struct links *l, struct link *k, enum link_phase phase)
{
	bool alive;

	lock_take(&l->lock);
	alive = k->phase != LINK_CUT;
	if (alive && k->phase != phase) {
		k->phase = phase;
		k->deadline_ms = clock_mono_ms() + l->patience_ms;
		k->looked_ms = 0;
		k->began_ms = clock_mono_ms();
		if (phase == LINK_AT_WORK)
			k->began_at = moved_by(k);
		else
			k->object = k->peer = 0;
		/* The list is in the order of waiting. */
		unlink_locked(l, k);
		append_locked(l, k);
	}
	lock_drop(&l->lock);
	return alive;
}

void links_touch(struct links *l, struct link *k)
{
	lock_take(&l->lock);
	k->deadline_ms = clock_mono_ms() + l->patience_ms;
	lock_drop(&l->lock);
}

void links_set_waiter(struct links *l, struct link *k, struct waiter *w)
{
	lock_take(&l->lock);
	k->waiter = w;
	lock_drop(&l->lock);
}

unsigned links_count(struct links *l)
{
	unsigned n;

	lock_take(&l->lock);
	n = guarded(l)->n;
	lock_drop(&l->lock);
	return n;
}

unsigned links_at_work(struct links *l)
{
	unsigned n = 0;

	lock_take(&l->lock);
	for (struct link *k = guarded(l)->first; k; k = k->next)
		n += k->phase == LINK_AT_WORK;
	lock_drop(&l->lock);
	return n;
}

uint64_t links_cut_total(struct links *l)
{
	uint64_t n;

	lock_take(&l->lock);
	n = guarded(l)->cut;
	lock_drop(&l->lock);
	return n;
}

void links_cut(struct links *l, bool all)
{
	lock_take(&l->lock);
	for (struct link *k = guarded(l)->first; k; k = k->next) {
		if (all || may_be_cut(k))
			cut_locked(l, k);
		if (all && k->waiter)
			waiter_interrupt(k->waiter);
	}
	lock_drop(&l->lock);
}
