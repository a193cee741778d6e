/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of names that a directory handle shows: filled from the store's
 * listing as far as a reader has come.
 */
#ifndef FS_DIRLIST_H
#define FS_DIRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fs/names/dir_filler.h"

struct fs;
struct store_list;

enum dirlist_state {
	DIRLIST_START,
	DIRLIST_LISTING,
	DIRLIST_ENDED,
	DIRLIST_FAILED
};

struct dirlist_shown {
	struct inode *inode; /* referenced */
	uint32_t as; /* hash of the name that it was given out by; 0: not yet */
};

/* One thread at a time. */
struct dirlist {
	struct fs *fs;
	struct inode *dir;
	enum dirlist_state state;
	int rc; /* FAILED */
	struct dirlist_shown *shown;
	size_t n, cap;
	struct dir_filler fill; /* LISTING */
	struct store_list *list; /* the same */
	char *prefix;
	bool any; /* something came */
	bool was_ahead; /* the listing was begun before */
};

void dirlist_init(struct dirlist *l, struct fs *fs, struct inode *dir);
void dirlist_clear(struct dirlist *l);
/* From the start again, with a new listing. */
void dirlist_rewind(struct dirlist *l);
/* Fills the row up to place `at`: 1 it is there, 0 the row is shorter, or
 * -errno. May block on the store. */
int dirlist_reach(struct dirlist *l, off_t at);
/*
 * Is there still something in a directory whose entry has grown old? Asked by
 * the listing that its reader would want next: it is complete then, unless it
 * has more than a page, and more names than it is worth (dircache_worth()). 1
 * yes, 0 no, or -errno. May block on the store.
 */
int dirlist_renew(struct fs *fs, struct inode *dir);

#endif
