/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of a store on its disk, and what an open store has.
 */
#ifndef STORE_LOCAL_LOCAL_ROOT_H
#define STORE_LOCAL_LOCAL_ROOT_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/lock.h"
#include "store/local/local.h"
#include "store/local/local_folder.h"

struct local_locked {
	struct local_key key;
	struct local_stamp key_stamp; /* ino 0: never read */
	char *address; /* NULL: none */
	struct local_stamp address_stamp;
};

struct local {
	struct store base;
	char *root; /* absolute, without a '/' at its end */
	char *url_name, *public_url; /* public_url NULL: none */
	int root_fd; /* O_PATH */
	int folder_fd; /* -1: there is none, or it is closed to us */
	_Atomic int ro_rc; /* 0, or why nothing could be written last */
	struct lock lock;
	struct local_locked guarded_;
};

static inline struct local *local_of(struct store *s)
{
	return (struct local *)s;
}

LOCK_GUARDS(local_locked, local, local_locked);

int local_root_open(struct local *l, struct buf *why);
/* 0, or why nothing is written here: logged. */
int local_root_writable(struct local *l, const char *what, const char *key);

#endif
