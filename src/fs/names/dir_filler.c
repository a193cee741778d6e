/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/dir_filler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "stage/location.h"

void dir_filler_init(struct dir_filler *f, struct tree *t,
		     const struct dir_merge *merge,
		     int (*show)(void *arg, struct inode *i), void *arg)
{
	memset(f, 0, sizeof(*f));
	f->tree = t;
	f->merge = *merge;
	f->show = show;
	f->arg = arg;
}

void dir_filler_clear(struct dir_filler *f)
{
	free(f->held);
	f->held = NULL;
	f->n_held = f->cap_held = 0;
}

bool dir_filler_name(struct dir_filler *f, const char *bytes, size_t len,
		     char name[256])
{
	if (!location_name_visible(bytes, len)) {
		if (f)
			f->invisible++;
		return false;
	}
	memcpy(name, bytes, len);
	name[len] = '\0';
	return true;
}

static int dir_filler_hold(struct dir_filler *f, const char *name,
			   const struct object_info *info)
{
	if (ARRAY_RESERVE(f->held, f->cap_held, f->n_held + 1))
		return -ENOMEM;
	strcpy(f->held[f->n_held].name, name);
	f->held[f->n_held++].info = *info;
	return 0;
}

/* Could `held/` still come when the listing stands at `name` (less its '/')? */
static bool dir_filler_may_come(const char *held, const char *name, bool is_dir)
{
	size_t len = strlen(held);

	if (strncmp(name, held, len))
		return false;
	return name[len] ? (unsigned char)name[len] < '/' : is_dir;
}

/* Shows what was held back and is a file after all, now that the listing
 * stands at `name`; NULL: at its end. A file that `name` hides is dropped. */
static int dir_filler_release(struct dir_filler *f, const char *name,
			      bool is_dir)
{
	int rc = 0;

	while (f->n_held && !rc) {
		struct dir_filler_held *h = &f->held[f->n_held - 1];

		if (name && is_dir && !strcmp(h->name, name)) {
			f->invisible++;
			f->n_held--;
			continue;
		}
		if (name && dir_filler_may_come(h->name, name, is_dir))
			break;
		f->n_held--;
		rc = f->show(f->arg, dircache_put(f->tree, &f->merge, h->name,
						  INODE_FILE, &h->info, false));
	}
	return rc;
}

int dir_filler_file(struct dir_filler *f, const char *name,
		    const struct object_info *info)
{
	int rc = dir_filler_release(f, name, false);

	return rc ? rc : dir_filler_hold(f, name, info);
}

int dir_filler_dir(struct dir_filler *f, const char *name,
		   const struct object_info *info, struct inode **out)
{
	int rc = dir_filler_release(f, name, true);

	*out = rc ? NULL
		  : dircache_put(f->tree, &f->merge, name, INODE_DIR, info,
				 false);
	return rc;
}

void dir_filler_tell(const struct dir_filler *f, const char *key, unsigned lost)
{
	struct log_where where = { .key = key };

	if (f->invisible + lost)
		log_at(LOG_LEVEL_INFO, &where,
		       "%u keys are not shown: no path can name them",
		       f->invisible + lost);
}

int dir_filler_end(struct dir_filler *f, bool lost)
{
	int rc = dir_filler_release(f, NULL, false);

	f->merge.all_named = !lost && !f->invisible;
	if (!rc)
		dircache_end(f->tree, &f->merge);
	return rc;
}
