/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes with the object that is about to be made. With the turn.
 */
#ifndef FS_CONTENT_FILE_PROPS_H
#define FS_CONTENT_FILE_PROPS_H

#include "fs/content/turn.h"

/* The headers of the object that is made under key; one request, when there is
 * a base of which they are not known. *out borrows from f and from the store.
 */
int file_props(struct file *f, const char *key, struct store_meta *out);
/* The same in a store of files, which keeps what there was unless others were
 * set: no request. */
void file_props_local(struct file *f, struct store_meta *out);
/* The request alone, for when there is something else to wait for. */
int file_props_learn(struct file *f);
bool file_props_known(struct file *f);
/* Those that what is yet to be stored will have, with the turn or not. False:
 * those of the store's object count. */
bool file_props_pending(struct file *f, struct props *out);
/* What is known of the next version's. True: they go beside what a new object
 * gets. */
bool file_props_current(struct file *f, struct props *out);
/* p, which is taken over, goes with the next version; beside: as above. 0 or
 * -ENOMEM. */
int file_props_give(struct file *f, struct props *p, bool beside);
/* The object of that ETag has p, which is taken over. */
void file_props_stored(struct file *f, struct props *p, const char *etag);
/* They went with it: no request is needed the next time. */
void file_props_published(struct file *f, const struct object_info *now);

/* For seal.h: those that are known or chosen, if there are some; beside: what
 * the store is set to. And back, of what the content has as its base now. */
bool file_props_chosen(struct file *f, struct props *out, bool *beside);
int file_props_restore(struct file *f, const char *text, size_t len,
		       bool beside);

#endif
