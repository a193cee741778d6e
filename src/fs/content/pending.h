/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upload ids on disk, so that the next mount aborts what a killed daemon left:
 * one small file for each upload in the state directory, named by the daemon's
 * lock. Best effort: a state directory that cannot be written is a warning.
 */
#ifndef FS_CONTENT_PENDING_H
#define FS_CONTENT_PENDING_H

struct catalog;
struct pending;
struct store;
struct store_upload;

/* dir NULL: nothing is kept. NULL without memory. Makes dir (0700). */
struct pending *pending_new(const char *dir);
void pending_free(struct pending *p);

/* Written before the first part leaves; removed when the upload has ended. The
 * record's number; 0: there is none. */
unsigned pending_add(struct pending *p, struct store_upload *u);
void pending_remove(struct pending *p, unsigned number);

/*
 * Aborts what dead daemons left: those whose lock is not held. find() names
 * the store that a record belongs to (borrowed), or NULL.
 */
void pending_recover(struct pending *p,
		     struct store *(*find)(void *arg, const char *store_name,
					   const char *location),
		     void *arg);

#endif
