/*
 * What is remembered is a keyed hash of name, password hash and password, with
 * a key of this process: neither a password nor what could be searched for one
 * stays in memory.
 *
 * Whoever guesses has a row (address and name), and in it the time when the
 * next guess may be looked at. A guess counts as wrong until it was right: it
 * takes that time and moves it on, so that a hundred at once get through one
 * after the other. The rows are few and the oldest goes. Over all of them stand
 * the two places at the hash.
 *
 * The same guess, a hundred times at once, is one: a client that begins with
 * many requests waits for the first.
 */
#include "gateway/guesses.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "base/lock.h"
#include "base/wait.h"
#include "gateway/hosts.h"

#define AT_ONCE 2
#define RIGHT_MAX 64
#define RIGHT_MS 60000
#define WRONG_MAX 256
#define WRONG_MS 600000 /* then a row is forgotten */
#define DELAY_MS 250 /* after the first, doubled by each */
#define DELAY_DOUBLINGS 5
#define WAIT_MAX_MS 8000
#define FLIGHTS_MAX 32
#define JOIN_MS 20 /* between two looks at another's */
#define JOIN_MAX_MS 10000

struct right {
	unsigned char key[SHA256_SIZE];
	int64_t until_ms; /* 0: free */
};

struct wrong {
	unsigned char key[SHA256_SIZE];
	unsigned times; /* 0: free */
	int64_t next_ms, last_ms;
};

/* A guess that is being looked at. */
struct flight {
	unsigned char key[SHA256_SIZE];
	bool busy;
};

struct guesses_locked {
	struct flight flights[FLIGHTS_MAX];
	struct right right[RIGHT_MAX];
	struct wrong wrong[WRONG_MAX];
};

struct guesses {
	unsigned char secret[SHA256_SIZE];
	const char *alike;
	struct guesses_ops ops;
	struct budget *places;
	struct lock lock;
	struct guesses_locked guarded_;
};

static struct guesses_locked *guarded(struct guesses *g) REQUIRES(&g->lock)
{
	return &g->guarded_;
}

struct guesses *guesses_new(const char *alike, const struct guesses_ops *ops)
{
	static const struct guesses_ops real = { kdf_matches, clock_mono_ms };
	struct guesses *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	lock_init(&g->lock);
	g->alike = alike;
	g->ops = ops ? *ops : real;
	g->places = budget_new(AT_ONCE);
	if (!g->places || getrandom(g->secret, sizeof(g->secret), 0) !=
				  (ssize_t)sizeof(g->secret)) {
		guesses_free(g);
		return NULL;
	}
	return g;
}

void guesses_free(struct guesses *g)
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
static void key_of(const struct guesses *g, const char *const *texts, size_t n,
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

/* Whoever has an IPv6 address has a whole network of them, and every program
 * of this machine all of 127.0.0.0/8. */
static void name_peer(const struct sockaddr_storage *a, char out[40])
{
	unsigned char bytes[8] = { 0 };

	if (a && a->ss_family == AF_INET)
		memcpy(bytes, &((const struct sockaddr_in *)a)->sin_addr, 4);
	else if (a && a->ss_family == AF_INET6) {
		const struct in6_addr *in =
			&((const struct sockaddr_in6 *)a)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in))
			memcpy(bytes, in->s6_addr + 12, 4);
		else
			memcpy(bytes, in->s6_addr, 8);
	}
	if (a && address_is_loopback(a))
		memset(bytes, 0, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), out);
}

/* ---- who was right ---- */

static bool was_right(struct guesses *g, const unsigned char *key)
{
	int64_t now = g->ops.now_ms();
	bool found = false;

	lock_take(&g->lock);
	for (unsigned i = 0; i < RIGHT_MAX; i++) {
		const struct right *r = &guarded(g)->right[i];

		if (r->until_ms > now &&
		    digest_equal(r->key, key, sizeof(r->key)))
			found = true;
	}
	lock_drop(&g->lock);
	return found;
}

static void remember(struct guesses *g, const unsigned char *key)
{
	struct right *oldest;

	lock_take(&g->lock);
	oldest = guarded(g)->right;
	for (unsigned i = 0; i < RIGHT_MAX; i++)
		if (guarded(g)->right[i].until_ms < oldest->until_ms)
			oldest = &guarded(g)->right[i];
	memcpy(oldest->key, key, sizeof(oldest->key));
	oldest->until_ms = g->ops.now_ms() + RIGHT_MS;
	lock_drop(&g->lock);
}

/* ---- who was wrong ---- */

static struct wrong *find_locked(struct guesses *g, const unsigned char *key)
	REQUIRES(&g->lock)
{
	int64_t now = g->ops.now_ms();

	for (unsigned i = 0; i < WRONG_MAX; i++) {
		struct wrong *w = &guarded(g)->wrong[i];

		if (w->times && now - w->last_ms > WRONG_MS)
			w->times = 0;
		if (w->times && !memcmp(w->key, key, sizeof(w->key)))
			return w;
	}
	return NULL;
}

static int64_t delay_ms(const struct wrong *w)
{
	unsigned n = w->times - 1;

	return DELAY_MS << (n < DELAY_DOUBLINGS ? n : DELAY_DOUBLINGS);
}

/* Its row, made when there is none. */
static struct wrong *row_locked(struct guesses *g, const unsigned char *key)
	REQUIRES(&g->lock)
{
	struct wrong *w = find_locked(g, key);

	if (w)
		return w;
	w = guarded(g)->wrong;
	for (unsigned i = 0; w->times && i < WRONG_MAX; i++) {
		struct wrong *other = &guarded(g)->wrong[i];

		if (!other->times || other->last_ms < w->last_ms)
			w = other;
	}
	*w = (struct wrong){ 0 };
	memcpy(w->key, key, sizeof(w->key));
	return w;
}

/* Waits until it is this one's turn. 0, -EAGAIN, -EINTR. */
static int wait_turn(struct guesses *g, const unsigned char *key)
{
	int64_t now = g->ops.now_ms(), until = now;
	struct wrong *w;
	int rc = 0;

	lock_take(&g->lock);
	w = row_locked(g, key);
	if (w->times && w->next_ms - now > WAIT_MAX_MS) {
		rc = -EAGAIN;
	} else {
		if (w->times && w->next_ms > now)
			until = w->next_ms;
		w->times++;
		w->last_ms = now;
		w->next_ms = until + delay_ms(w);
	}
	lock_drop(&g->lock);
	while (!rc && g->ops.now_ms() < until) {
		rc = waiter_park(waiter_self(), until);
		if (rc == -ETIMEDOUT)
			rc = 0;
	}
	return rc;
}

static void forgive(struct guesses *g, const unsigned char *key)
{
	struct wrong *w;

	lock_take(&g->lock);
	w = find_locked(g, key);
	if (w)
		w->times = 0;
	lock_drop(&g->lock);
}

/* ---- the same guess twice ---- */

/* true: it is this one's to be looked at; end_flight() afterwards. */
static bool begin_flight(struct guesses *g, const unsigned char *key)
{
	struct flight *room = NULL;
	bool busy = false;

	lock_take(&g->lock);
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *f = &guarded(g)->flights[i];

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

static void end_flight(struct guesses *g, const unsigned char *key)
{
	lock_take(&g->lock);
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *f = &guarded(g)->flights[i];

		if (f->busy && !memcmp(f->key, key, sizeof(f->key)))
			f->busy = false;
	}
	lock_drop(&g->lock);
}

/* 1: another one was right meanwhile; 0: this one has begun. */
static int join(struct guesses *g, const unsigned char *key)
{
	int64_t until = clock_mono_ms() + JOIN_MAX_MS;

	for (;;) {
		int64_t now = clock_mono_ms();
		int rc;

		if (was_right(g, key))
			return 1;
		if (begin_flight(g, key))
			return 0;
		if (now > until)
			return -EAGAIN;
		rc = waiter_park(waiter_self(), now + JOIN_MS);
		if (rc == -EINTR)
			return rc;
	}
}

/* ---- the check ---- */

static int work(struct guesses *g, const struct guess *q)
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

int guesses_check(struct guesses *g, const struct guess *q)
{
	const char *right[] = { q->name, q->hash ? q->hash : "", q->password };
	unsigned char right_key[SHA256_SIZE], wrong_key[SHA256_SIZE];
	const char *wrong[] = { NULL, q->name };
	char peer[40];
	int rc;

	name_peer(q->peer, peer);
	wrong[0] = peer;
	key_of(g, right, 3, right_key);
	key_of(g, wrong, 2, wrong_key);
	rc = join(g, right_key);
	if (rc)
		return rc;
	rc = wait_turn(g, wrong_key);
	rc = rc ? rc : work(g, q);
	if (rc > 0) {
		remember(g, right_key);
		forgive(g, wrong_key);
	}
	end_flight(g, right_key);
	return rc;
}
