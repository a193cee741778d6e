/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway's life: settings, routes, address, server; and back.
 */
#include "gateway/service/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/number.h"
#include "base/text.h"
#include "gateway/address.h"
#include "gateway/counters.h"
#include "gateway/context.h"
#include "gateway/health.h"
#include "gateway/login/users.h"
#include "gateway/objects/object.h"
#include "gateway/route.h"
#include "gateway/server.h"
#include "gateway/upload/upload.h"

#define LISTEN "127.0.0.1:8000"
#define CONNECTIONS 1500
#define HEADER_TIMEOUT_S 20
#define BODY_TIMEOUT_S 60
#define PEM_MAX (1 << 20)
#define FDS_EACH 2 /* the connection's, and the file's */
#define FDS_SPARE 200
#define FDS_FEW 4 /* where there are not even as many: a quarter */

static void gateway_no_such_path(struct exchange *x)
{
	exchange_refuse(x, 404, "NoSuchPath", "there is nothing at this path");
}

static const struct exchange_handler nothing_handler = {
	.kind = "other",
	.begin = gateway_no_such_path,
};

static const struct route routes[] = {
	{ "/health", "GET HEAD", &health_handler, EXCHANGE_JSON },
	{ "/metrics", "GET HEAD", &metrics_handler, EXCHANGE_JSON },
	{ "/v1/upload_to_stage", "PUT POST", &upload_handler, EXCHANGE_JSON,
	  .no_foreign = true },
	{ "/v1/*", "GET HEAD PUT POST DELETE", &nothing_handler,
	  EXCHANGE_JSON },
	{ NULL, "GET HEAD PUT", &object_handler, EXCHANGE_XML,
	  .any_origin = true },
};

/* A connection costs descriptors; we want as many as we said, or say less. */
static void gateway_fit_descriptors(struct gateway_settings *set)
{
	rlim_t want = (rlim_t)set->connections * FDS_EACH + FDS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_cur < want) {
		limit.rlim_cur = number_min(limit.rlim_max, want);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur > 2 * FDS_SPARE && limit.rlim_cur < want)
		set->connections =
			(unsigned)((limit.rlim_cur - FDS_SPARE) / FDS_EACH);
	else if (limit.rlim_cur < want)
		set->connections = (unsigned)(limit.rlim_cur / FDS_FEW) + 1;
}

static int gateway_read_pem(const char *key, const char *path, bool closed,
			    char **out, struct buf *why)
{
	BUF_SECRET text = BUF_INIT(PEM_MAX);
	FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc = fd < 0 || fstat(fd, &st) ? -errno : io_read_all(fd, &text);

	if (!rc && closed && (st.st_mode & 027))
		rc = -EACCES;
	else
		closed = false;
	if (rc) {
		buf_addf(why, "%s: ", key);
		text_printable(why, path);
		buf_addf(
			why, ": %s",
			closed ? "the file must be closed to others (chmod 600)"
			       : strerror(-rc));
	}
	*out = rc ? NULL : buf_detach(&text);
	return rc;
}

static int gateway_read_tls(struct gateway *g, struct buf *why)
{
	const char *certificate = g->set.tls_certificate;
	const char *key = g->set.tls_key;
	int rc;

	if (!certificate && !key)
		return 0;
	if (!certificate || !key)
		return buf_fail(why, -EINVAL,
				"tls_certificate and tls_key go together");
	rc = gateway_read_pem("tls_certificate", certificate, false,
			      &g->certificate, why);
	return rc ? rc
		  : gateway_read_pem("tls_key", key, true, &g->private_key,
				     why);
}

static void gateway_take_defaults(struct gateway_settings *set)
{
	set->inherited = NULL;
	set->listen = set->listen ?: LISTEN;
	set->now_s = set->now_s ?: clock_now_s;
	set->connections = set->connections ?: CONNECTIONS;
	set->header_timeout_s = set->header_timeout_s ?: HEADER_TIMEOUT_S;
	set->body_timeout_s = set->body_timeout_s ?: BODY_TIMEOUT_S;
}

int gateway_new(const struct gateway_settings *set, struct catalog *catalog,
		struct gateway **out, struct buf *why)
{
	struct gateway *g = calloc(1, sizeof(*g));
	sigset_t all, before;
	int rc;

	if (!g)
		return -ENOMEM;
	/* Threads inherit the mask: signals are the program's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	g->set = *set;
	g->catalog = catalog;
	g->routes = routes;
	gateway_take_defaults(&g->set);
	gateway_fit_descriptors(&g->set);
	rc = gateway_read_tls(g, why);
	if (!rc) {
		g->counters = counters_new();
		rc = g->counters ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = users_new(&g->set, &g->users);
	if (!rc)
		rc = address_settle(g, set->inherited, set->n_inherited, why);
	if (rc) {
		if (!why->len)
			buf_adds(why, strerror(-rc));
		gateway_free(g);
	} else {
		*out = g;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void gateway_origin(const struct gateway *g, struct buf *out)
{
	address_origin(g, out);
}

bool gateway_stop(struct gateway *g, unsigned seconds)
{
	address_leave(g);
	return !g->server || server_stop(g->server, seconds);
}

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	address_leave(g);
	server_free(g->server);
	address_free(g->address);
	users_free(g->users);
	counters_free(g->counters);
	free(g->certificate);
	wipe_free(g->private_key);
	free(g);
}
