/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list in the order of arrival under one lock, and one thread that looks
 * every half second for those over their deadline. libmicrohttpd has a timeout
 * between two bytes only, which a slow client never meets.
 *
 * Cutting off is shutdown(2): the connection's thread wakes with an end of
 * file and libmicrohttpd closes. Until connections_remove() the descriptor is
 * still the connection's own, and that is called under no lock but ours.
 */
#include "gateway/connections.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "gateway/ip.h"

#define LOOK_EVERY_MS 500
#define GRACE 12 /* the part of a look before a connection has a rate */
#define FULL_EVERY_MS 50 /* between two searches for the slowest */

struct connections_locked {
	struct connection *first;
	unsigned n; /* without those that were cut */
	uint64_t cut;
	int64_t searched_ms; /* for the slowest, last */
};

struct connections {
	struct lock lock;
	struct connections_locked guarded_;
	struct thread_task watcher;
	unsigned limit, patience_ms, look_ms;
	uint64_t seed; /* of hashes, so that no client can choose them */
};

LOCK_GUARDS(connections_guarded, connections, connections_locked);

static void connection_cut_locked(struct connections *l, struct connection *k)
	REQUIRES(&l->lock)
{
	if (k->phase == CONNECTION_CUT)
		return;
	k->phase = CONNECTION_CUT;
	connections_guarded(l)->n--;
	connections_guarded(l)->cut++;
	shutdown(k->fd, SHUT_RDWR);
}

static bool connection_may_be_cut(const struct connection *k)
{
	return k->phase == CONNECTION_IDLE || k->phase == CONNECTION_REFUSED;
}

/* Bytes of both ways that have arrived: where the kernel does not say, every
 * look finds more. */
static uint64_t connection_moved(const struct connection *k)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(k->fd, IPPROTO_TCP, TCP_INFO, &info, &n) ||
	    n < offsetof(struct tcp_info, tcpi_bytes_received) +
			    sizeof(info.tcpi_bytes_received))
		return k->moved + CONNECTION_BYTES;
	return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

static void connection_look_again(struct connection *k, int64_t now,
				  uint64_t moved)
{
	k->looked_ms = now;
	k->moved = moved;
}

/* What has to move during a look: by how full the house is, in eighths. */
static uint64_t connections_least(unsigned eighths)
{
	return (uint64_t)CONNECTION_BYTES << (eighths >= 7   ? 6
					      : eighths >= 6 ? 4
					      : eighths >= 4 ? 2
							     : 0);
}

static uint64_t connections_least_now_locked(struct connections *l)
	REQUIRES(&l->lock)
{
	return connections_least(
		(unsigned)(8ULL * connections_guarded(l)->n / l->limit));
}

static bool connection_is_late(struct connection *k, int64_t now,
			       unsigned look_ms, uint64_t bytes)
{
	uint64_t before, moved;

	if (connection_may_be_cut(k))
		return now > k->deadline_ms;
	if (k->phase != CONNECTION_AT_WORK)
		return false;
	if (k->waiter) {
		/* The client waits for us. */
		k->looked_ms = 0;
		return false;
	}
	if (!k->looked_ms)
		connection_look_again(k, now, connection_moved(k));
	if (now - k->looked_ms < look_ms)
		return false;
	before = k->moved;
	moved = connection_moved(k);
	connection_look_again(k, now, moved);
	return moved - before < bytes;
}

static void connections_watch(void *arg)
{
	struct connections *l = arg;

	do {
		int64_t now = clock_mono_ms();
		uint64_t bytes;

		lock_take(&l->lock);
		bytes = connections_least_now_locked(l);
		for (struct connection *k = connections_guarded(l)->first; k;
		     k = k->next)
			if (connection_is_late(k, now, l->look_ms, bytes))
				connection_cut_locked(l, k);
		lock_drop(&l->lock);
	} while (thread_task_sleep(&l->watcher, LOOK_EVERY_MS));
}

struct connections *connections_new(unsigned limit, unsigned patience_ms,
				    unsigned look_ms)
{
	struct connections *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->patience_ms = patience_ms;
	l->look_ms = look_ms ? look_ms : CONNECTION_LOOK_S * 1000;
	l->limit = limit ? limit : 1;
	random_bytes(&l->seed, sizeof(l->seed));
	lock_init(&l->lock, LOCK_CONNECTIONS);
	if (thread_task_start(&l->watcher, "gateway-watch", connections_watch,
			      l)) {
		connections_free(l);
		return NULL;
	}
	return l;
}

void connections_free(struct connections *l)
{
	if (!l)
		return;
	thread_task_stop(&l->watcher);
	lock_destroy(&l->lock);
	free(l);
}

/* Bytes in a look, so far; UINT64_MAX: it is too early to say. */
static uint64_t connection_rate(const struct connections *l,
				const struct connection *k, int64_t now)
{
	int64_t ms = now - k->began_ms;

	if (k->phase != CONNECTION_AT_WORK || k->waiter ||
	    ms < l->look_ms / GRACE)
		return UINT64_MAX;
	return (connection_moved(k) - k->began_at) * l->look_ms / (uint64_t)ms;
}

/* The slowest, if it is too slow for a full house. */
static bool connections_cut_slowest_locked(struct connections *l)
	REQUIRES(&l->lock)
{
	int64_t now = clock_mono_ms();
	uint64_t bytes = connections_least(8);
	struct connection *slowest = NULL;

	/* It is a question to the kernel for each. */
	if (now - connections_guarded(l)->searched_ms < FULL_EVERY_MS)
		return false;
	connections_guarded(l)->searched_ms = now;
	for (struct connection *k = connections_guarded(l)->first; k;
	     k = k->next) {
		uint64_t n = connection_rate(l, k, now);

		if (n < bytes) {
			bytes = n;
			slowest = k;
		}
	}
	if (slowest)
		connection_cut_locked(l, slowest);
	return slowest;
}

/* Room for one more: the longest idle one goes, else the slowest. */
static bool connections_make_room_locked(struct connections *l)
	REQUIRES(&l->lock)
{
	if (connections_guarded(l)->n < l->limit)
		return true;
	for (struct connection *k = connections_guarded(l)->first; k;
	     k = k->next) {
		if (connection_may_be_cut(k)) {
			connection_cut_locked(l, k);
			return true;
		}
	}
	return connections_cut_slowest_locked(l);
}

struct connection *connections_add(struct connections *l, int fd)
{
	struct connection *k = calloc(1, sizeof(*k));
	bool room;

	if (!k)
		return NULL;
	k->fd = fd;
	k->phase = CONNECTION_IDLE;
	k->deadline_ms = clock_mono_ms() + l->patience_ms;
	lock_take(&l->lock);
	room = connections_make_room_locked(l);
	if (room) {
		DL_APPEND(connections_guarded(l)->first, k);
		connections_guarded(l)->n++;
	}
	lock_drop(&l->lock);
	if (room)
		return k;
	free(k);
	return NULL;
}

void connections_remove(struct connections *l, struct connection *k)
{
	if (!k)
		return;
	lock_take(&l->lock);
	DL_DELETE(connections_guarded(l)->first, k);
	connections_guarded(l)->n -= k->phase != CONNECTION_CUT;
	lock_drop(&l->lock);
	free(k->target);
	free(k);
}

/* ---- shares ---- */

static uint64_t connections_hash(const struct connections *l, const void *bytes,
				 size_t n)
{
	return hash_bytes(HASH_START ^ l->seed, bytes, n) | 1;
}

/* 0: of this machine, or unknown. */
static uint64_t connections_hash_peer(const struct connections *l,
				      const struct sockaddr_storage *a)
{
	unsigned char network[IP_NETWORK_SIZE];
	size_t n = a && !ip_is_loopback(a) ? ip_network(a, network) : 0;

	return n ? connections_hash(l, network, n) : 0;
}

static bool connections_has_share_locked(struct connections *l,
					 const struct connection *asks,
					 uint64_t object, uint64_t peer)
	REQUIRES(&l->lock)
{
	unsigned objects = 0, peers = 0;

	if (connections_guarded(l)->n <= l->limit / 2)
		return false;
	for (struct connection *k = connections_guarded(l)->first; k;
	     k = k->next) {
		if (k->phase != CONNECTION_AT_WORK || k == asks)
			continue;
		objects += object && k->object == object;
		peers += peer && k->peer == peer;
	}
	return objects >= (l->limit + 3) / 4 || peers >= (l->limit + 1) / 2;
}

bool connections_share(struct connections *l, struct connection *k,
		       const char *object, const struct sockaddr_storage *peer)
{
	uint64_t o = object ? connections_hash(l, object, strlen(object)) : 0;
	uint64_t p = connections_hash_peer(l, peer);
	bool may;

	lock_take(&l->lock);
	may = !connections_has_share_locked(l, k, o, p);
	if (may) {
		k->object = o;
		k->peer = p;
	}
	lock_drop(&l->lock);
	return may;
}

bool connections_set(struct connections *l, struct connection *k,
		     enum connection_phase phase)
{
	bool alive;

	lock_take(&l->lock);
	alive = k->phase != CONNECTION_CUT;
	if (alive && k->phase != phase) {
		k->phase = phase;
		k->deadline_ms = clock_mono_ms() + l->patience_ms;
		k->looked_ms = 0;
		k->began_ms = clock_mono_ms();
		if (phase == CONNECTION_AT_WORK)
			k->began_at = connection_moved(k);
		else
			k->object = k->peer = 0;
		/* The list is in the order of waiting. */
		DL_DELETE(connections_guarded(l)->first, k);
		DL_APPEND(connections_guarded(l)->first, k);
	}
	lock_drop(&l->lock);
	return alive;
}

void connections_touch(struct connections *l, struct connection *k)
{
	LOCK_DO(&l->lock, k->deadline_ms = clock_mono_ms() + l->patience_ms);
}

void connections_set_waiter(struct connections *l, struct connection *k,
			    struct waiter *w)
{
	LOCK_DO(&l->lock, k->waiter = w);
}

struct connections_counts connections_count(struct connections *l)
{
	struct connections_counts c = { 0 };

	lock_take(&l->lock);
	c.now = connections_guarded(l)->n;
	c.cut = connections_guarded(l)->cut;
	for (struct connection *k = connections_guarded(l)->first; k;
	     k = k->next)
		c.at_work += k->phase == CONNECTION_AT_WORK;
	lock_drop(&l->lock);
	return c;
}

void connections_cut(struct connections *l, bool all)
{
	lock_take(&l->lock);
	for (struct connection *k = connections_guarded(l)->first; k;
	     k = k->next) {
		if (all || connection_may_be_cut(k))
			connection_cut_locked(l, k);
		if (all && k->waiter)
			waiter_interrupt(k->waiter);
	}
	lock_drop(&l->lock);
}
