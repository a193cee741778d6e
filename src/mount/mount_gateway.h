/*
 * From a configuration to its gateway.
 */
#ifndef MOUNT_MOUNT_GATEWAY_H
#define MOUNT_MOUNT_GATEWAY_H

#include <stdbool.h>

#include "config/config.h"

struct budget;
struct buf;
struct catalog;
struct gateway;

/* Does a mount need one: is there a stage on a local disk, or `listen`? */
bool mount_gateway_wanted(const struct config *c);

/* What the configuration does not say. Borrowed, until the gateway has ended. */
struct mount_gateway_settings {
	struct catalog *catalog;
	struct budget *budget, *writers; /* as gateway_settings has them */
	bool alone; /* `stagefs serve` */
	const int *fds; /* from a socket unit, instead of `listen` */
	unsigned n_fds;
};

/* As gateway_new(). */
int mount_gateway_start(const struct config *c,
			const struct mount_gateway_settings *with,
			struct gateway **out, struct buf *err);

#endif
