/*
 * Which directories are being gone through: those below one are opened in the
 * order of a listing, and what they cost in requests is counted.
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
/* It costs a request. */
void traversal_asked(struct traversals *t, struct inode *dir);
/* A request for all that is below this one. */
void traversal_asked_below(struct traversals *t, struct inode *top);
/*
 * Do directories of dir open in order, and would that many requests more leave
 * it at two for each that was opened anywhere below?
 */
bool traversal_affords(struct traversals *t, struct inode *dir, unsigned more);

#endif
