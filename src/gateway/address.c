/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address is ours, or shared with a gateway of the same stores: then that
 * one answers, and a thread tries every half second to bind what it holds. When
 * the owner has left, one of those that wait gets it and starts its server.
 * When what holds the address cannot prove itself any more (another program was
 * quicker), the default address gives way to the next free port.
 *
 * What is answered at is written to each store's `.stagefs/gateway`, so that
 * URLs name it, and it is tried first the next time: URLs live longer than
 * processes.
 */
#include "gateway/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "gateway/context.h"
#include "gateway/ip.h"
#include "gateway/listen.h"
#include "gateway/proof.h"
#include "gateway/server.h"
#include "gateway/stores.h"
#include "store/local/local.h"

#define PORTS 100 /* that are tried beside the default one */
#define TRY_EVERY_MS 500
#define ASK_EVERY 20 /* tries */

struct address_locked {
	char origin[128];
};

struct address {
	struct lock lock;
	struct address_locked guarded_;
	struct thread_task keeper;
	/* While they are another's. */
	struct listen_address shared[LISTEN_MAX];
	unsigned n_shared;
};

LOCK_GUARDS(address_guarded, address, address_locked);

/* ---- what it is called ---- */

static void address_set_origin(struct address *a, const struct buf *origin)
{
	LOCK_DO(&a->lock, snprintf(address_guarded(a)->origin,
				   sizeof(address_guarded(a)->origin), "%s",
				   buf_str(origin)));
}

void address_origin(const struct gateway *g, struct buf *out)
{
	struct address *a = g->address;

	LOCK_DO(&a->lock, buf_adds(out, address_guarded(a)->origin));
}

static int address_write_one(void *arg, const char *name, struct store *s)
{
	const struct buf *origin = arg;
	BUF_LOCAL now = BUF_INIT(BUF_MESSAGE);
	int rc = local_address(s, &now);

	if (rc || strcmp(buf_str(&now), buf_str(origin)) != 0)
		rc = local_address_set(s, buf_str(origin));
	if (rc)
		log_warn("%s: the gateway's address is not remembered: %s",
			 name, strerror(-rc));
	return 0;
}

/* The port in what was remembered, if that is of the same host; 0. */
static int address_read_one(void *arg, const char *name, struct store *s)
{
	static const char prefix[] = "http://127.0.0.1:";
	unsigned *found = arg;
	BUF_LOCAL origin = BUF_INIT(BUF_MESSAGE);
	uint64_t port = 0;

	if (!local_address(s, &origin) &&
	    text_starts_with(buf_str(&origin), prefix) &&
	    !parse_u64(buf_str(&origin) + sizeof(prefix) - 1, 65535, &port))
		*found = (unsigned)port;
	return *found ? 1 : 0;
}

/* ---- ours ---- */

static int address_serve(struct gateway *g, const int *fds, unsigned n,
			 struct buf *why)
{
	BUF_LOCAL origin = BUF_INIT(120);
	int rc;

	listen_origin(fds[0], g->certificate != NULL, &origin);
	address_set_origin(g->address, &origin);
	rc = server_new(g, fds, n, why);
	if (!rc) {
		stores_each(g, address_write_one, &origin);
		log_info("the gateway answers at %s", buf_str(&origin));
	}
	return rc;
}

static int address_open_all(struct gateway *g, const struct listen_address *at,
			    unsigned n, struct buf *why)
{
	int fds[LISTEN_MAX], rc = 0;
	unsigned opened = 0;

	for (unsigned i = 0; i < n && !rc; i++) {
		rc = listen_open(&at[i], &fds[opened]);
		if (!rc) {
			opened++;
		} else if (rc == -EADDRNOTAVAIL && n > 1) {
			rc = 0; /* localhost where there is no IPv6 */
		} else if (!why->len) {
			buf_adds(why, "listen: ");
			listen_name(&at[i], why);
			buf_addf(why, ": %s", strerror(-rc));
		}
	}
	if (!rc && !opened)
		rc = buf_fail(why, -EADDRNOTAVAIL,
			      "listen: no such address on this machine");
	if (!rc)
		return address_serve(g, fds, opened, why);
	while (opened)
		close(fds[--opened]);
	return rc;
}

/* ---- another's ---- */

static bool address_may_share(struct gateway *g,
			      const struct listen_address *at, unsigned n)
{
	bool may = !g->certificate;

	for (unsigned i = 0; may && i < n; i++)
		may = ip_is_loopback(&at[i].sa) && proof_ask(g, &at[i]);
	return may;
}

/* The default port, then the next ones; -EADDRINUSE: all are held. */
static int address_take_next(struct gateway *g,
			     const struct listen_address *first,
			     struct buf *why)
{
	struct listen_address at = *first;
	int rc = -EADDRINUSE;

	for (unsigned i = 0; i <= PORTS && rc == -EADDRINUSE; i++) {
		listen_set_port(&at, listen_port(first) + i);
		rc = address_open_all(g, &at, 1, why);
	}
	if (!rc && listen_port(&at) != listen_port(first)) {
		BUF_LOCAL held = BUF_INIT(BUF_MESSAGE);

		listen_name(first, &held);
		log_warn("%s is held by another program: the gateway answers "
			 "at port %u",
			 buf_str(&held), listen_port(&at));
	}
	return rc;
}

static void address_keep(void *arg)
{
	struct gateway *g = arg;
	struct address *a = g->address;
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	unsigned tries = 0;
	int rc = -EADDRINUSE;

	while (rc == -EADDRINUSE &&
	       thread_task_sleep(&a->keeper, TRY_EVERY_MS)) {
		buf_reset(&why);
		rc = address_open_all(g, a->shared, a->n_shared, &why);
		if (rc == -EADDRINUSE && ++tries % ASK_EVERY == 0 &&
		    g->set.any_port && !proof_ask(g, &a->shared[0]))
			rc = address_take_next(g, &a->shared[0], &why);
	}
	if (!rc)
		log_info("the gateway took over from the one that left");
	else if (rc != -EADDRINUSE)
		log_error("the gateway cannot take over: %s",
			  why.len ? buf_str(&why) : strerror(-rc));
}

static int address_share(struct gateway *g, const struct listen_address *at,
			 unsigned n)
{
	BUF_LOCAL origin = BUF_INIT(120);
	int rc;

	buf_adds(&origin, "http://");
	listen_name(at, &origin);
	address_set_origin(g->address, &origin);
	memcpy(g->address->shared, at, n * sizeof(*at));
	g->address->n_shared = n;
	rc = thread_task_start(&g->address->keeper, "gateway-address",
			       address_keep, g);
	log_info("the gateway at %s answers for this one too",
		 buf_str(&origin));
	return rc;
}

/* ---- settling ---- */

/* Ours, or shared. -EADDRINUSE: neither. */
static int address_open_or_share(struct gateway *g,
				 const struct listen_address *at, unsigned n,
				 struct buf *why)
{
	int rc = address_open_all(g, at, n, why);

	if (rc == -EADDRINUSE && address_may_share(g, at, n))
		rc = address_share(g, at, n);
	return rc;
}

static int address_settle_default(struct gateway *g, struct listen_address *at,
				  struct buf *why)
{
	struct listen_address first = *at;
	unsigned port = 0;
	int rc = -EADDRINUSE;

	stores_each(g, address_read_one, &port);
	if (port && port != listen_port(at) && !g->certificate) {
		listen_set_port(&first, port);
		rc = address_open_or_share(g, &first, 1, why);
	}
	if (rc == -EADDRINUSE)
		rc = address_open_or_share(g, at, 1, why);
	if (rc == -EADDRINUSE)
		rc = address_take_next(g, at, why);
	return rc;
}

/* Beyond loopback only alone, and then by TLS or with a word. */
static int address_check_reach(const struct gateway *g,
			       const struct listen_address *at, unsigned n,
			       struct buf *why)
{
	for (unsigned i = 0; i < n; i++) {
		if (ip_is_loopback(&at[i].sa))
			continue;
		if (g->set.alone && (g->certificate || g->set.allow_plain_http))
			continue;
		buf_adds(why, "listen: ");
		listen_name(&at[i], why);
		return buf_fail(
			why, -EINVAL, "%s",
			g->set.alone ? ": beyond this machine it takes "
				       "tls_certificate and tls_key, or "
				       "allow_plain_http = yes"
				     : ": beyond this machine `stagefs serve` "
				       "answers, in a process of its own");
	}
	return 0;
}

static int address_settle_inherited(struct gateway *g, const int *fds,
				    unsigned n, struct buf *why)
{
	struct listen_address at[LISTEN_MAX];
	int rc = n <= LISTEN_MAX ? 0 : -EINVAL;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = listen_inherited(fds[i], &at[i]);
	if (rc)
		buf_adds(why, "an inherited descriptor is no listening TCP "
			      "socket");
	if (!rc)
		rc = address_check_reach(g, at, n, why);
	return rc ? rc : address_serve(g, fds, n, why);
}

int address_settle(struct gateway *g, const int *inherited,
		   unsigned n_inherited, struct buf *why)
{
	struct listen_address at[LISTEN_MAX];
	unsigned n;
	int rc;

	g->address = calloc(1, sizeof(*g->address));
	if (!g->address)
		return -ENOMEM;
	lock_init(&g->address->lock, LOCK_ADDRESS);
	if (n_inherited)
		return address_settle_inherited(g, inherited, n_inherited, why);
	rc = listen_parse(g->set.listen, at, &n, why);
	if (!rc)
		rc = address_check_reach(g, at, n, why);
	if (rc)
		return rc;
	rc = g->set.any_port && n == 1 ? address_settle_default(g, at, why)
				       : address_open_or_share(g, at, n, why);
	/* What did not work first no longer matters. */
	if (!rc)
		buf_reset(why);
	return rc;
}

void address_leave(struct gateway *g)
{
	if (g->address)
		thread_task_stop(&g->address->keeper);
}

void address_free(struct address *a)
{
	if (!a)
		return;
	lock_destroy(&a->lock);
	free(a);
}
