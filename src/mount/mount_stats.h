/*
 * A mount's own traffic as Prometheus reads it: for `stagefs stats`, and in the
 * gateway's /metrics beside what that counts.
 */
#ifndef MOUNT_MOUNT_STATS_H
#define MOUNT_MOUNT_STATS_H

#include <stdint.h>

struct budget;
struct buf;
struct fs;
struct http_engine;

/* Borrowed, and outlived by none. */
struct mount_stats {
	struct http_engine *engine;
	struct fs *fs;
	struct budget *uploads; /* the gateway's share; may be NULL */
	int64_t began_s; /* Unix seconds */
};

/* Appends it. Any thread; blocks on nothing. */
void mount_stats_write(const struct mount_stats *s, struct buf *out);
/* Appends what the gateway tells by itself, where there is one. */
void mount_stats_write_memory(struct budget *b, struct buf *out);

#endif
