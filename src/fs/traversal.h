/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories are being gone through: those below one are opened in the
 * order of a listing, by one program or by several that are at other places,
 * and what they cost in requests is counted.
 */
#ifndef FS_TRAVERSAL_H
#define FS_TRAVERSAL_H

#include <stdbool.h>

struct fs;
struct inode;
struct traversals;

struct traversals *traversals_new(struct fs *fs); /* NULL: no memory */
void traversals_free(struct traversals *t); /* NULL is fine */

/* The directory is opened, whether it has to be asked for or not. */
void traversal_opened(struct traversals *t, struct inode *dir);
enum traversal_entry {
	TRAVERSAL_NO_ENTRY,
	TRAVERSAL_ENTRY, /* the first name in it; it is as opened */
	TRAVERSAL_IN_ORDER, /* ... and the one behind another in a listing */
	TRAVERSAL_BACKWARDS, /* ... before another: bash's patterns do that */
};
/* A name in it is to be asked for, of which it is not known what is there: a
 * shell's pattern goes through directories so, after it has listed the one
 * above. */
enum traversal_entry traversal_entered(struct traversals *t, struct inode *dir);
/* Where a listing begins that goes through directories which are entered
 * backwards, and through dir: referenced. */
struct inode *traversal_begins(struct traversals *t, struct inode *dir);
/* It costs a request. */
void traversal_asked(struct traversals *t, struct inode *dir);
/* A request for all that is below this one, from that name in it on. */
void traversal_asked_below(struct traversals *t, struct inode *top,
			   const char *name);
/*
 * Do directories of dir open in order, and would that many requests more leave
 * it at two for each that was opened anywhere below? Asked for one that goes on
 * from that name.
 */
bool traversal_affords(struct traversals *t, struct inode *dir,
		       const char *name, unsigned more);
/* The same for one that would begin: not again soon where others have ended
 * without being of use (traversal_whole()). */
bool traversal_affords_whole(struct traversals *t, struct inode *dir,
			     const char *name);
/* A listing of all that is below has come through a directory, or has been
 * given up. */
void traversal_whole(struct traversals *t, struct inode *top, const char *name,
		     bool useful);
/* How many requests may be made for directories behind this one, which has been
 * opened, and beside it or beside the one above: 0 where directories do not
 * open in order, or a listing of all that is below them is of use. */
unsigned traversal_room(struct traversals *t, struct inode *dir);

#endif
