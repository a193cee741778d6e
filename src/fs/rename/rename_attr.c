/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed attributes that wait to be stored go along with the copy that a
 * rename makes anyway: `rsync` sets them at a name that it renames at once.
 *
 * They go by the copy's own headers, which are the source's, with these. So
 * this is a way for one file in one stage, without a condition and without
 * tags; where it cannot be gone they are stored later, by themselves.
 */
#include "fs/rename/rename.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "fs/attr/attr_send.h"
#include "fs/names/inode_meta.h"
#include "stage/stage.h"

/* The headers of the copy; -ENOTSUP: it is to be made otherwise. */
static int rename_attr_props(struct rename *r, const char *etag,
			     const struct store_attr *a,
			     struct object_details *d)
{
	struct store *s = r->stage->store;
	const struct store_retype retype = {
		store_type(s, buf_str(&r->key)),
		store_type(s, buf_str(&r->to_key)),
	};
	int rc = attr_send_props(r->fs->tree, r->from, s, buf_str(&r->key), a,
				 d);

	if (!rc &&
	    (strcmp(d->info.etag, etag) || props_get(&d->props, PROP_TAGGING)))
		rc = -ENOTSUP;
	if (!rc && s->types)
		props_retype(&d->props, &retype);
	return rc;
}

static int rename_attr_send(struct rename *r, const char *etag,
			    const struct store_attr *a,
			    struct object_info *info)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	struct store_meta meta = { .content_type = NULL };
	struct store_range from = { .key = buf_str(&r->key), .etag = etag };
	int rc = d ? rename_attr_props(r, etag, a, d) : -ENOMEM;

	if (rc)
		return rc;
	meta.props = &d->props;
	from.len = d->info.size;
	return store_copy_as(r->stage->store, &from, buf_str(&r->to_key), &meta,
			     info);
}

int rename_attr_copy(struct rename *r, const struct object_info *source,
		     struct object_info *info)
{
	struct tree *t = r->fs->tree;
	struct inode_view v;
	struct store_attr a;
	int rc;

	inode_view(t, r->from, &v);
	if (r->stage != r->to_stage || r->no_replace || !*source->etag ||
	    v.dirty || v.pending || !v.policy->in_metadata ||
	    !inode_meta_is_dirty(t, r->from) ||
	    !inode_meta_take(t, r->from, &a))
		return 1;
	rc = rename_attr_send(r, source->etag, &a, info);
	info->class = source->class;
	r->attr_sent = !rc;
	if (rc)
		inode_meta_untake(t, r->from);
	return !rc || rc == -EINTR ? rc : 1;
}

void rename_attr_end(struct rename *r, bool renamed)
{
	if (r->attr_sent && renamed)
		inode_meta_stored(r->fs->tree, r->from, 0);
	else if (r->attr_sent)
		inode_meta_untake(r->fs->tree, r->from);
	r->attr_sent = false;
}
