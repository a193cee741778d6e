/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration that is read again while its mount runs.
 */
#ifndef MOUNT_MOUNT_RELOAD_H
#define MOUNT_MOUNT_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "config/config.h"

struct catalog;
struct fs;

struct mount_reload_locked {
	bool busy; /* a thread is at it */
	uint64_t stamp; /* of the files that keys are in */
};

/* -o as it is now, ours. */
struct mount_reload_settings {
	char **list;
	unsigned n;
	size_t cap;
};

struct mount_reload {
	/* The caller's, until the end. `first` is what the mount began with. */
	struct config_request request; /* its file is absolute, or NULL */
	const struct config *first;
	struct catalog *catalog;
	struct fs *fs; /* NULL: there is no mount */
	/* Ours. */
	struct config now; /* the last; empty: `first` */
	struct mount_reload_settings settings; /* the request's, after a
						  remount has replaced some */
	uint64_t ttl; /* metadata_ttl, and log_level: as they are */
	int level;
	struct lock lock;
	struct mount_reload_locked guarded_;
};

/* After the caller's part was filled. */
void mount_reload_init(struct mount_reload *r);
void mount_reload_clear(struct mount_reload *r);

/* Can that setting change while the mount runs? name: not terminated. */
bool mount_reload_changes(const char *name, size_t len);

/*
 * Reads it and changes what can be changed: the log, which is opened anew,
 * metadata_ttl, keys and stages. settings: `name=value`, parted by tabs, which
 * replace those of -o from now on ("": none). said: a line for each change, and
 * for each setting that only another mount will have. All are in the log too.
 * 0, or -errno with why set, which is in the log too, and nothing has
 * changed; -EBUSY: another thread is at it. Any thread; reads files.
 */
int mount_reload(struct mount_reload *r, const char *settings, struct buf *said,
		 struct buf *why);

/* Now and then: have the files changed that keys are in? Then the keys are read
 * again, and they alone. */
void mount_reload_look(struct mount_reload *r);

#endif
