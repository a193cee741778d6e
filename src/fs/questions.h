/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a store that are under way, so that threads that want to know
 * the same share one request.
 */
#ifndef FS_QUESTIONS_H
#define FS_QUESTIONS_H

struct inode;
struct questions;

struct questions *questions_new(void); /* NULL: no memory */
/* No call is under way. NULL is fine. */
void questions_free(struct questions *q);

/*
 * About a name in a directory that the caller holds; "": about all of it. 1:
 * the caller is to ask, and to end the question; 0: another thread has asked
 * meanwhile, *rc is what came of it; -EINTR, -ENOMEM.
 */
int questions_begin(struct questions *q, struct inode *dir, const char *name,
		    int *rc);
void questions_end(struct questions *q, struct inode *dir, const char *name,
		   int rc);

#endif
