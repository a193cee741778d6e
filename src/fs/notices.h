/*
 * What the kernel is to be told of changes that it did not ask for. A queue:
 * whoever finds a change puts it there, and one thread (fuse/notify.c) takes
 * it from there, because the kernel may make that thread wait for requests of
 * its own to be answered.
 */
#ifndef FS_NOTICES_H
#define FS_NOTICES_H

#include <stdbool.h>

struct fs_notice;
struct inode;
struct notices;

struct notices *notices_new(void); /* NULL without memory */
void notices_free(struct notices *q);

/* From now on somebody listens; before, nothing is kept. */
void notices_begin(struct notices *q);
/* notices_next() returns false from now on. */
void notices_end(struct notices *q);

/* dir/name is not what it was. */
void notices_entry(struct notices *q, struct inode *dir, const char *name);
/* The attributes of i, or its bytes too, are not what they were. False when the
 * kernel will not be told: nobody listens, or too much is left to tell. */
bool notices_inode(struct notices *q, struct inode *i, bool bytes);

/*
 * Sleeps until the listener has dealt with all that was added before, so that
 * who changed something may say so to his caller; not for long, since the
 * kernel may keep the listener waiting. False when that time was too short, or
 * there is no listener.
 */
bool notices_settle(struct notices *q);

/* The next one, waited for; the one before it has been dealt with. */
bool notices_next(struct notices *q, struct fs_notice *out);

#endif
