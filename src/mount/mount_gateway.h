/*
 * From a configuration to its gateway.
 */
#ifndef MOUNT_MOUNT_GATEWAY_H
#define MOUNT_MOUNT_GATEWAY_H

#include <stdbool.h>

#include "config/config.h"

struct buf;
struct gateway;

/* Does a mount need one: is there a stage on a local disk, or `listen`? */
bool mount_gateway_wanted(const struct config *c);

/* alone: `stagefs serve`. fds: from a socket unit, instead of `listen`. As
 * gateway_new(). */
int mount_gateway_start(const struct config *c, struct catalog *catalog,
			bool alone, const int *fds, unsigned n_fds,
			struct gateway **out, struct buf *err);

#endif
