/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered is a keyed hash of name, password hash and password, with
 * a key of this process: neither a password nor what could be searched for one
 * stays in memory.
 *
 * Many clients come from one address: a proxy's, or this machine's. Wrong
 * guesses of some must not keep out what is right, and yet bound what can
 * be tried:
 *
 * - What was right is known, and let in at once, until it has not been used for
 *   a day: whatever others guess, from wherever.
 * - What was wrong is known too. A client that goes on sending a password of
 *   yesterday has its answer late and costs neither a hash nor others' turns.
 * - Any other guess takes the turn of its row (the client's, and the name): one
 *   guess at a time is looked at, the next after a delay that doubles with each
 *   that was wrong, up to two seconds. Those that wait have no order. The first
 *   to look after the delay, by chance, has the turn, so that no crowd of
 *   guesses stands before the one that is right; it waits at most 16 s, and may
 *   come again. When it was right its turn did not count.
 * - On this machine a row is a user's, as the kernel tells: a proxy, or another
 *   user, is not in one with the rest.
 *
 * So from one address 43,200 guesses a day of a name are looked at: eight
 * letters and digits that were drawn by lot (2.8e12 of small ones) stand for
 * 90,000 years on average, while one of a list of the usual ones falls
 * whatever is done here. From all addresses together it is what two hashes at
 * once allow (16 MiB each). The rows are few and the oldest goes.
 *
 * The same guess, a hundred times at once, is one: a client that begins with
 * many requests waits for the first.
 */
#include "gateway/login/login_throttle.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "base/lock.h"
#include "base/number.h"
#include "base/random.h"
#include "base/waiter.h"
#include "gateway/ip.h"

#define AT_ONCE 2
#define KNOWN_MAX 256
#define RIGHT_MS (24 * 3600 * 1000LL) /* since it was used last */
#define WRONG_MAX 256
#define WRONG_MS 600000 /* then a row, and a wrong guess, is forgotten */
#define DELAY_MS 250 /* after the first, doubled by each */
#define DELAY_DOUBLINGS 3
#define WAIT_MAX_MS 16000
#define CHANCE_MS 50 /* within which one of those that wait is first */
#define REPEATED_MS 1000 /* before what was wrong is told so again */
#define SINGLE_FLIGHTS_MAX 32
#define JOIN_MS 20 /* between two looks at another's */
#define JOIN_MAX_MS 10000

/* A guess that was looked at. */
struct known {
	unsigned char key[SHA256_SIZE];
	int64_t until_ms; /* 0: free */
};

struct wrong {
	unsigned char key[SHA256_SIZE];
	unsigned times; /* 0: free */
	int64_t next_ms, last_ms;
};

/* A guess that is being looked at. */
struct single_flight {
	unsigned char key[SHA256_SIZE];
	bool busy;
};

struct login_throttle_locked {
	struct single_flight single_flights[SINGLE_FLIGHTS_MAX];
	struct known right[KNOWN_MAX], wrong_ones[KNOWN_MAX];
	struct wrong wrong[WRONG_MAX];
};

struct login_throttle {
	unsigned char secret[SHA256_SIZE];
	const char *alike;
	struct login_throttle_ops ops;
	struct budget *places;
	struct lock lock;
	struct login_throttle_locked guarded_;
};

LOCK_GUARDS(throttle_guarded, login_throttle, login_throttle_locked);

static int throttle_park(int64_t until_ms)
{
	return waiter_park(waiter_self(), until_ms);
}

struct login_throttle *login_throttle_new(const char *alike,
					  const struct login_throttle_ops *ops)
{
	static const struct login_throttle_ops real = { kdf_matches,
							clock_mono_ms,
							throttle_park };
	struct login_throttle *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	lock_init(&g->lock, LOCK_LOGIN_THROTTLE);
	g->alike = alike;
	g->ops = ops ? *ops : real;
	g->places = budget_new(AT_ONCE);
	random_bytes(g->secret, sizeof(g->secret));
	if (!g->places) {
		login_throttle_free(g);
		return NULL;
	}
	return g;
}

void login_throttle_free(struct login_throttle *g)
{
	if (!g)
		return;
	budget_free(g->places);
	lock_destroy(&g->lock);
	wipe(g, sizeof(*g));
	free(g);
}

/* ---- keys ---- */

/* Of texts that each end in a NUL, so that they cannot run together. */
static void throttle_key(const struct login_throttle *g,
			 const char *const *texts, size_t n,
			 unsigned char out[SHA256_SIZE])
{
	unsigned char key[SHA256_SIZE];

	memcpy(out, g->secret, SHA256_SIZE);
	for (size_t i = 0; i < n; i++) {
		memcpy(key, out, sizeof(key));
		hmac_sha256(key, sizeof(key), texts[i], strlen(texts[i]) + 1,
			    out);
	}
	wipe(key, sizeof(key));
}

/* Every program of this machine has all of 127.0.0.0/8. */
static void throttle_peer(const struct login_attempt *q, char out[40])
{
	unsigned char network[IP_NETWORK_SIZE] = { 0 };

	if (q->has_uid) {
		snprintf(out, 40, "user %u", (unsigned)q->uid);
		return;
	}
	if (q->peer && !ip_is_loopback(q->peer))
		ip_network(q->peer, network);
	hex_encode(network, sizeof(network), out);
}

/* ---- what is known ---- */

static struct known *throttle_find_known(struct known *list,
					 const unsigned char *key, int64_t now)
{
	struct known *found = NULL;

	for (unsigned i = 0; i < KNOWN_MAX; i++)
		if (list[i].until_ms > now &&
		    digest_equal(list[i].key, key, sizeof(list[i].key)))
			found = &list[i];
	return found;
}

/* 1 it was right, 0 wrong, -ENOENT it was not looked at. */
static int throttle_recall(struct login_throttle *g, const unsigned char *key)
{
	int64_t now = g->ops.now_ms();
	struct known *right;
	int rc = -ENOENT;

	lock_take(&g->lock);
	right = throttle_find_known(throttle_guarded(g)->right, key, now);
	if (right) {
		right->until_ms = now + RIGHT_MS;
		rc = 1;
	} else if (throttle_find_known(throttle_guarded(g)->wrong_ones, key,
				       now)) {
		rc = 0;
	}
	lock_drop(&g->lock);
	return rc;
}

static void throttle_remember(struct login_throttle *g,
			      const unsigned char *key, bool right)
{
	int64_t now = g->ops.now_ms();
	struct known *list, *oldest;

	lock_take(&g->lock);
	list = right ? throttle_guarded(g)->right
		     : throttle_guarded(g)->wrong_ones;
	oldest = list;
	for (unsigned i = 0; i < KNOWN_MAX; i++)
		if (list[i].until_ms < oldest->until_ms)
			oldest = &list[i];
	memcpy(oldest->key, key, sizeof(oldest->key));
	oldest->until_ms = now + (right ? RIGHT_MS : WRONG_MS);
	lock_drop(&g->lock);
}

/* ---- rows ---- */

static struct wrong *throttle_find_row_locked(struct login_throttle *g,
					      const unsigned char *key)
	REQUIRES(&g->lock)
{
	int64_t now = g->ops.now_ms();

	for (unsigned i = 0; i < WRONG_MAX; i++) {
		struct wrong *w = &throttle_guarded(g)->wrong[i];

		if (w->times && now - w->last_ms > WRONG_MS)
			w->times = 0;
		if (w->times && !memcmp(w->key, key, sizeof(w->key)))
			return w;
	}
	return NULL;
}

static int64_t throttle_delay_ms(const struct wrong *w)
{
	unsigned n = w->times - 1;

	return DELAY_MS << number_min(n, DELAY_DOUBLINGS);
}

/* Its row, made when there is none. */
static struct wrong *throttle_row_locked(struct login_throttle *g,
					 const unsigned char *key)
	REQUIRES(&g->lock)
{
	struct wrong *w = throttle_find_row_locked(g, key);

	if (w)
		return w;
	w = throttle_guarded(g)->wrong;
	for (unsigned i = 0; w->times && i < WRONG_MAX; i++) {
		struct wrong *other = &throttle_guarded(g)->wrong[i];

		if (!other->times || other->last_ms < w->last_ms)
			w = other;
	}
	*w = (struct wrong){ 0 };
	memcpy(w->key, key, sizeof(w->key));
	return w;
}

/* 0: it has the turn; else when the next is to be had. */
static int64_t throttle_take_turn(struct login_throttle *g,
				  const unsigned char *key)
{
	int64_t now = g->ops.now_ms(), next = 0;
	struct wrong *w;

	lock_take(&g->lock);
	w = throttle_row_locked(g, key);
	if (w->times && w->next_ms > now) {
		next = w->next_ms;
	} else {
		w->times++;
		w->last_ms = now;
		w->next_ms = now + throttle_delay_ms(w);
	}
	lock_drop(&g->lock);
	return next;
}

static int64_t throttle_by_chance(void)
{
	unsigned char byte;

	random_bytes(&byte, 1);
	return byte * CHANCE_MS / 256;
}

/* Waits until it is this one's turn. 0, -EAGAIN, -EINTR. */
static int throttle_wait_turn(struct login_throttle *g,
			      const unsigned char *key)
{
	int64_t end = g->ops.now_ms() + WAIT_MAX_MS, next;

	while ((next = throttle_take_turn(g, key))) {
		if (next > end || g->ops.now_ms() > end)
			return -EAGAIN;
		if (g->ops.park(next + throttle_by_chance()) == -EINTR)
			return -EINTR;
	}
	return 0;
}

/* A turn that was taken for what is right: the next need not wait for it. */
static void throttle_give_turn_back(struct login_throttle *g,
				    const unsigned char *key)
{
	struct wrong *w;

	lock_take(&g->lock);
	w = throttle_find_row_locked(g, key);
	if (w) {
		w->times--;
		w->next_ms = g->ops.now_ms();
	}
	lock_drop(&g->lock);
}

/* ---- the same guess twice ---- */

/* true: it is this one's to be looked at; throttle_end_flight() afterwards. */
static bool throttle_single_flight_begin(struct login_throttle *g,
					 const unsigned char *key)
{
	struct single_flight *room = NULL;
	bool busy = false;

	lock_take(&g->lock);
	for (unsigned i = 0; i < SINGLE_FLIGHTS_MAX; i++) {
		struct single_flight *f =
			&throttle_guarded(g)->single_flights[i];

		if (!f->busy)
			room = f;
		else if (!memcmp(f->key, key, sizeof(f->key)))
			busy = true;
	}
	if (!busy && room) {
		memcpy(room->key, key, sizeof(room->key));
		room->busy = true;
	}
	lock_drop(&g->lock);
	return !busy;
}

static void throttle_single_flight_end(struct login_throttle *g,
				       const unsigned char *key)
{
	lock_take(&g->lock);
	for (unsigned i = 0; i < SINGLE_FLIGHTS_MAX; i++) {
		struct single_flight *f =
			&throttle_guarded(g)->single_flights[i];

		if (f->busy && !memcmp(f->key, key, sizeof(f->key)))
			f->busy = false;
	}
	lock_drop(&g->lock);
}

/* 1, 0: it is known by now; -ENOENT: this one has begun. */
static int throttle_single_flight_join(struct login_throttle *g,
				       const unsigned char *key)
{
	int64_t until = g->ops.now_ms() + JOIN_MAX_MS;

	for (;;) {
		int64_t now = g->ops.now_ms();
		int rc = throttle_recall(g, key);

		if (rc >= 0)
			return rc;
		if (throttle_single_flight_begin(g, key)) {
			/* the one before may have ended between the two */
			rc = throttle_recall(g, key);
			if (rc >= 0)
				throttle_single_flight_end(g, key);
			return rc;
		}
		if (now > until)
			return -EAGAIN;
		if (g->ops.park(now + JOIN_MS) == -EINTR)
			return -EINTR;
	}
}

/* What is wrong again is told so late. */
static int throttle_hold_back(struct login_throttle *g)
{
	int64_t until = g->ops.now_ms() + REPEATED_MS;

	while (g->ops.now_ms() < until)
		if (g->ops.park(until) == -EINTR)
			return -EINTR;
	return 0;
}

/* ---- the check ---- */

static int throttle_hash(struct login_throttle *g,
			 const struct login_attempt *q)
{
	int rc = budget_take(g->places, 1, WAIT_FOREVER);

	if (rc)
		return rc;
	rc = g->ops.matches(q->hash ? q->hash : g->alike, q->password, q->n);
	/* Its megabytes: the allocator would keep them, for each thread. */
	malloc_trim(0);
	budget_give(g->places, 1);
	if (rc == -EINVAL) /* a hash that was refused when it was read */
		rc = 0;
	return rc > 0 && !q->hash ? 0 : rc;
}

int login_throttle_check(struct login_throttle *g,
			 const struct login_attempt *q)
{
	const char *what[] = { q->name, q->hash ? q->hash : "", q->password };
	unsigned char key[SHA256_SIZE], row[SHA256_SIZE];
	const char *client[] = { NULL, q->name };
	char peer[40];
	int rc;

	throttle_peer(q, peer);
	client[0] = peer;
	throttle_key(g, what, 3, key);
	throttle_key(g, client, 2, row);
	rc = throttle_single_flight_join(g, key);
	if (!rc)
		return throttle_hold_back(g);
	if (rc != -ENOENT)
		return rc;
	rc = throttle_wait_turn(g, row);
	if (!rc)
		rc = throttle_hash(g, q);
	if (rc > 0)
		throttle_give_turn_back(g, row);
	if (rc >= 0)
		throttle_remember(g, key, rc);
	throttle_single_flight_end(g, key);
	return rc;
}
