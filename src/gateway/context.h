/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway is made of, for its files and handlers: read-only once it
 * runs, but for what has locks of its own.
 */
#ifndef GATEWAY_CONTEXT_H
#define GATEWAY_CONTEXT_H

#include "gateway/settings.h"

struct address;
struct catalog;
struct counters;
struct connections;
struct route;
struct server;
struct users;

struct gateway {
	/* With its defaults; but for `inherited`, which is not kept. */
	struct gateway_settings set;
	char *certificate, *private_key; /* PEM; NULL: plain HTTP */
	struct catalog *catalog;
	const struct route *routes; /* route.h; the last row has any path */
	struct counters *counters; /* counters.h */
	struct users *users; /* login/users.h */
	struct connections
		*connections; /* connections.h; while there is a server */
	struct server *server; /* server.h; NULL while an address is shared */
	struct address *address; /* address.h */
};

/* An object has been put: calls the observer of the settings. */
static inline void gateway_changed(const struct gateway *g, struct store *s,
				   const char *key,
				   const struct object_info *info)
{
	if (g->set.changed)
		g->set.changed(g->set.changed_arg, s, key, info);
}

#endif
