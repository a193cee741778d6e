/*
 * What pending.c (our records) and pending_recover.c (those that dead daemons
 * left) share.
 */
#ifndef FS_CONTENT_PENDING_INTERNAL_H
#define FS_CONTENT_PENDING_INTERNAL_H

#include "base/lock.h"
#include "fs/content/pending.h"

#define RECORD_MAX 16384
#define NAME_SIZE 48

/* An upload of ours and the number of its record. */
struct record {
	const struct store_upload *upload;
	unsigned number;
	struct record *next;
};

struct pending_locked {
	struct record *records;
	unsigned last;
};

struct pending {
	char *path;
	int dir; /* -1: nothing is kept */
	int lock_fd;
	char name[NAME_SIZE];
	struct lock lock;
	struct pending_locked guarded_;
};

#endif
