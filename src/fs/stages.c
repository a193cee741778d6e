/*
 * The root of stages: its names are the catalog's.
 */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>

#include "stage/catalog.h"
#include "store/store_watch.h"

int stages_mkdir(struct fs *fs, const char *name, struct inode **out)
{
	struct stage *stage;
	int err = STORE_OWN(catalog_create(fs->catalog, name, NULL, &stage));

	return err ? err : stages_enter(fs, stage, out);
}

int stages_rmdir(struct fs *fs, const char *name)
{
	struct inode *i = tree_peek(fs->tree, tree_root(fs->tree), name);
	struct inode **open = NULL;
	unsigned n = 0;
	int err = 0;

	if (i)
		err = inode_file_list(fs->tree, i, &open, &n);
	for (unsigned k = 0; k < n; k++) {
		struct inode_view v;

		inode_view(fs->tree, open[k], &v);
		if (!v.published)
			err = -ENOTEMPTY;
		inode_unref(fs->tree, open[k]);
	}
	free(open);
	if (!err)
		err = STORE_OWN(catalog_drop(fs->catalog, name));
	if (err == -ENOTEMPTY && i)
		marker_empty(fs, i); /* names a key that is not shown */
	if (!err)
		tree_forget_stage(fs->tree, name);
	inode_unref(fs->tree, i);
	return err;
}
