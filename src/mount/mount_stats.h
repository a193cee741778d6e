/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount's own traffic as Prometheus reads it: for `stagefs stats`, and in the
 * gateway's /metrics beside what that counts.
 */
#ifndef MOUNT_MOUNT_STATS_H
#define MOUNT_MOUNT_STATS_H

#include <stdint.h>

struct budget;
struct buf;
struct catalog;
struct fs;
struct http_engine;

/* Borrowed, and outlived by none. */
struct mount_stats {
	struct http_engine *engine;
	struct fs *fs;
	struct catalog *catalog;
	struct budget *uploads; /* the gateway's share; may be NULL */
	int64_t began_s; /* Unix seconds */
};

/* arg: struct mount_stats. Any thread; they block on no store. */
void mount_stats_write(void *arg, struct buf *out); /* appends it */
unsigned mount_stats_down(void *arg); /* servers that do not answer */

#endif
