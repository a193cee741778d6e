/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a configuration to its gateway.
 */
#ifndef MOUNT_MOUNT_GATEWAY_H
#define MOUNT_MOUNT_GATEWAY_H

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"
#include "gateway/settings.h"

struct budget;
struct catalog;
struct gateway;

/* Does a mount need one: is there a stage on a local disk, or `listen`? */
bool mount_gateway_wanted(const struct config *c);

struct mount_gateway {
	/* What the configuration does not say: the caller's, until the end. */
	struct catalog *catalog;
	struct budget *budget, *share; /* as gateway_settings has them */
	gateway_changed_fn *changed; /* as gateway_settings has it */
	void *changed_arg;
	void (*metrics)(void *arg, struct buf *out);
	unsigned (*down)(void *arg);
	void *metrics_arg;
	bool alone; /* `stagefs serve` */
	const int *fds; /* from a socket unit, instead of `listen` */
	unsigned n_fds;
	/* From the start on. */
	struct gateway *gateway; /* NULL: there is none */
	struct gateway_user *users;
	struct buf hosts;
};

/* As gateway_new(). The configuration outlives it. */
int mount_gateway_start(struct mount_gateway *g, const struct config *c,
			struct buf *why);
void mount_gateway_free(struct mount_gateway *g);
/* Where nothing was configured: three lines that tell a person what there is.
 * data: where the files are. */
void mount_gateway_greet(const struct mount_gateway *g, const char *data,
			 const char *mountpoint);

#endif
