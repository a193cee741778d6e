/*
 * A gateway's inside, for the handlers: read-only once it runs, but for what
 * has locks of its own.
 */
#ifndef GATEWAY_GATEWAY_IMPL_H
#define GATEWAY_GATEWAY_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/gateway.h"

struct server;
struct counters;

struct gateway {
	/* Copies of their own; pointers that the settings lend for
	 * gateway_new() only (inherited) are not kept. */
	struct gateway_settings set;
	struct gateway_user *users; /* set.users */
	struct catalog *catalog;
	struct server *server; /* server.h */
	struct counters *counters; /* counters.h */
};

#endif
