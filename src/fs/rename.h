/* Renaming, between the files that do it: rename.c and rename_tree.c. */
#ifndef FS_RENAME_H
#define FS_RENAME_H

#include "fs/names.h"

struct stage;

/* One rename, checked: both ends in one stage, kinds that fit. */
struct rename {
	struct fs *fs;
	struct stage *stage;
	struct inode *dir, *to_dir;
	const char *name, *to_name;
	struct inode *from; /* referenced */
	struct inode *to; /* what stands there, referenced, or NULL */
	struct buf key, to_key; /* a directory's without the '/' */
	bool no_replace;
};

/* from is a directory, to NULL or an empty one. */
int rename_tree(struct rename *r);
/* The same in a store of files. */
int rename_dir(struct rename *r);
/* There, one step for either kind; then the name in the tree. */
int rename_in_store(struct rename *r);
/* A file's content goes along with it: its base has this ETag now. */
void rename_content(struct fs *fs, struct inode *i);

#endif
