/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/attr/attr_send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/content/file.h"
#include "fs/names/inode_meta.h"
#include "stage/stage.h"
#include "store/attr_meta.h"

/* The ETag of an object that was uploaded in parts changes with the copy. */
static void send_moved(struct tree *t, struct inode *i,
		       const struct object_info *now)
{
	FILE_LOCAL *f = inode_file_get(t, i);

	inode_etag_copied(t, i, now);
	if (!f)
		return;
	file_moved(f, now);
}

/* A directory that keys alone imply. */
static int send_marker(struct tree *t, struct inode *i, struct store *s,
		       const char *key, const struct store_attr *a)
{
	static const struct store_body nothing = { .data = "", .fd = -1 };
	static const struct store_cond absent = { .if_absent = true };
	struct attr_meta m;
	struct store_meta meta = { .content_type = PROP_TYPE_DIR };
	int rc;

	attr_meta_write(a, &m);
	meta.headers = m.fields;
	meta.n_headers = m.n;
	rc = store_put(s, key, &nothing, &meta, &absent, NULL);
	if (!rc)
		inode_set_marker(t, i, true);
	return rc;
}

int attr_send_props(struct tree *t, struct inode *i, struct store *s,
		    const char *key, const struct store_attr *a,
		    struct object_details *d)
{
	struct inode_view v;
	int rc = 0;

	inode_view(t, i, &v);
	if (v.kind == INODE_DIR ||
	    (a->which & ATTR_META_ALL) != ATTR_META_ALL ||
	    !store_props_known(s, key, v.info.etag, inode_meta_age_ms(t, i), d))
		rc = store_props(s, key, d);
	return rc ? rc : attr_meta_set(&d->props, a);
}

static int send_once(struct tree *t, struct inode *i, struct store *s,
		     const char *key, bool is_dir, const struct store_attr *a)
{
	struct object_details *d = malloc(sizeof(*d));
	struct object_info now;
	int rc = d ? attr_send_props(t, i, s, key, a, d) : -ENOMEM;

	if (rc == -ENOENT && is_dir) {
		rc = send_marker(t, i, s, key, a);
	} else if (!rc) {
		rc = store_set_props(s, key, d, &now);
		if (!rc && !is_dir)
			send_moved(t, i, &now);
	}
	free(d);
	return rc;
}

/* Another machine may put something there between the two requests. */
static int send_at(struct tree *t, struct inode *i, struct store *s,
		   const char *key, bool is_dir, const struct store_attr *a)
{
	int rc = send_once(t, i, s, key, is_dir, a);

	return rc == -ESTALE ? send_once(t, i, s, key, is_dir, a) : rc;
}

int attr_send_claimed(struct tree *t, struct inode *i, const char *key)
{
	STAGE_LOCAL *stage = inode_stage(t, i);
	struct store_attr a;
	struct inode_view v;
	int rc;

	inode_view(t, i, &v);
	if (!stage || v.dirty || !inode_meta_take(t, i, &a))
		return 0;
	rc = send_at(t, i, stage->store, key, v.kind == INODE_DIR, &a);
	if (rc && v.pending)
		inode_meta_untake(t, i);
	else
		inode_meta_stored(t, i, rc);
	return rc;
}

int attr_send(struct tree *t, struct inode *i)
{
	BUF_LOCAL key = BUF_INIT(STORE_KEY_MAX + 1);
	int rc = claims_publish_begin(t, i, &key);

	if (!rc) {
		rc = attr_send_claimed(t, i, buf_str(&key));
		claims_publish_end(t, i);
	} else if (rc == -ENOENT) {
		rc = 0;
	}
	return rc;
}
