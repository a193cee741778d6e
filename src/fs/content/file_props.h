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
/* The request alone, for when there is something else to wait for. */
int file_props_learn(struct file *f);
bool file_props_known(struct file *f);
/* They went with it: no request is needed the next time. */
void file_props_published(struct file *f, const struct object_info *now);

#endif
