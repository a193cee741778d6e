/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With the turn held the content is brought to one place: a tail that is the
 * whole of a small file stays, in memory of its size; any other goes to the
 * spill file. What parts have left, and an upload that was begun, stay as they
 * are, for the publication that is to come.
 *
 * A file that is sealed, and then changed in its middle, is changed in its
 * named file as well, before it is sealed again: a crash may leave some of
 * that, as on any disk.
 */
#include "fs/content/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/content/file_props.h"
#include "fs/content/sent.h"
#include "fs/content/spill.h"
#include "fs/content/turn.h"
#include "fs/content/upload.h"
#include "fs/content/writer.h"

#define PIECES_MAX 4096

/* A seal, and what it borrows. */
struct sealing {
	struct seal seal;
	struct extent whole;
	struct object_info base;
	char *base_key;
	struct props props;
	struct inode_view view;
	char name[SPILL_NAME_SIZE]; /* of what has its bytes; "": the seal */
};

static int seal_look(struct file *f, struct sealing *x) REQUIRES(f->turn)
{
	const struct content *c = content(f);
	struct seal *s = &x->seal;

	inode_view(f->env->tree, f->inode, &x->view);
	s->size = c->size;
	s->has_base = c->has_base;
	s->base_limit = c->base_limit;
	s->replaces = x->view.published;
	s->mtime = x->view.info.mtime;
	s->atime = x->view.atime;
	lock_take(&f->lock);
	x->base = file_locked(f)->base;
	if (file_locked(f)->base_key)
		x->base_key = strdup(file_locked(f)->base_key);
	lock_drop(&f->lock);
	if (file_props_chosen(f, &x->props, &s->props_beside)) {
		s->props = x->props.text;
		s->props_len = x->props.len;
	}
	s->base_size = x->base.size;
	s->base_etag = c->has_base ? x->base.etag : "";
	s->base_key = x->base_key ? x->base_key : "";
	return x->base_key ? 0 : -ENOMEM;
}

/* All that is local is in the tail, or there is nothing. Not once the spill
 * file has a name: a seal without it takes that away, and what is written later
 * would be there. */
static bool seal_is_small(struct file *f) REQUIRES(f->turn)
{
	const struct content *c = content(f);

	if (c->local.n || (c->spill && spill_is_named(c->spill)))
		return false;
	return !c->tail.mem ||
	       (!c->tail.part.start && c->tail.len <= SEAL_INLINE);
}

static void seal_take_small(struct file *f, struct sealing *x) REQUIRES(f->turn)
{
	const struct tail *t = &content(f)->tail;

	if (!t->mem || !t->len)
		return;
	x->whole = (struct extent){ .end = t->len };
	x->seal.extents = &x->whole;
	x->seal.n = 1;
	x->seal.bytes = t->mem;
	x->seal.len = t->len;
}

static int seal_take_spill(struct file *f, struct sealing *x, int dir,
			   const char *name) REQUIRES(f->turn)
{
	const struct content *c = content(f);
	struct spill *s;
	int rc = writer_unload_tail(f);

	if (!rc && c->local.n > PIECES_MAX)
		return -EOPNOTSUPP;
	if (!rc)
		rc = writer_need_spill(f, &s);
	if (!rc)
		rc = spill_name(s, dir, name, x->name);
	x->seal.extents = c->local.list;
	x->seal.n = c->local.n;
	return rc;
}

/* Whose bytes are another file's object: that may be removed or replaced before
 * this one is sent. */
static bool seal_is_graft(struct file *f)
{
	bool is;

	lock_take(&f->lock);
	is = file_locked(f)->grafted;
	lock_drop(&f->lock);
	return is;
}

static int seal_with_turn(struct file *f, struct sealing *x, int dir,
			  const char *name) REQUIRES(f->turn)
{
	bool small;
	int rc = 0;

	if (f->ops != &content_remote || seal_is_graft(f))
		return -EOPNOTSUPP;
	rc = upload_settle(f, 0, UINT64_MAX);
	if (rc)
		return rc;
	if (content(f)->not_retained.n || content(f)->sticky)
		return -EOPNOTSUPP;
	small = seal_is_small(f);
	if (small && content(f)->tail.mem)
		rc = writer_shrink_tail(f);
	/* Without memory it goes to the spill file. */
	if (rc == -ENOMEM) {
		small = false;
		rc = 0;
	}
	if (!rc && small)
		seal_take_small(f, x);
	else if (!rc)
		rc = seal_take_spill(f, x, dir, name);
	return rc ? rc : seal_look(f, x);
}

static void seal_set(struct file *f)
{
	LOCK_DO(&f->lock, file_locked(f)->sealed = true);
}

void file_seal_stale(struct file *f)
{
	LOCK_DO(&f->lock, file_locked(f)->sealed = false);
}

int file_seal(struct file *f, int dir, const char *name,
	      int (*each)(void *arg, const struct seal *s, const char *named),
	      void *arg)
{
	struct sealing x = { .name = "" };
	enum file_state after;
	bool over;
	int rc = turn_begin(f, FILE_PUBLISHING);

	if (rc)
		return rc;
	after = f->turn.before;
	over = LOCK_UNDER(&f->lock,
			  file_locked(f)->orphan || file_locked(f)->sealed);
	if (after == FILE_DIRTY && !over) {
		rc = seal_with_turn(f, &x, dir, name);
		if (!rc)
			rc = each(arg, &x.seal, x.name);
		free(x.base_key);
		if (!rc)
			seal_set(f);
	}
	turn_end(f, after);
	return rc;
}

/* ---- and back ---- */

/* Takes fd. */
static int seal_give_spill(struct file *f, const struct seal *s, int fd,
			   const char *name) REQUIRES(f->turn)
{
	struct spill *spill = NULL;
	struct content *c;
	int rc = spill_adopt(fd, name, &spill);

	if (rc)
		return rc;
	lock_take(&f->lock);
	c = content_edit(f);
	c->spill = spill;
	for (size_t k = 0; !rc && k < s->n; k++)
		rc = extents_add(&c->local, s->extents[k].start,
				 s->extents[k].end);
	lock_drop(&f->lock);
	return rc;
}

/* Takes fd. */
static int seal_give(struct file *f, const struct seal *s, int fd,
		     const char *name) REQUIRES(f->turn)
{
	char *key = strdup(s->base_key), *old = NULL;
	int rc = key ? 0 : -ENOMEM;

	if (fd >= 0 && rc)
		close(fd);
	else if (fd >= 0)
		rc = seal_give_spill(f, s, fd, name);
	lock_take(&f->lock);
	content_edit(f)->size = s->size;
	content_edit(f)->base_limit = s->has_base ? s->base_limit : 0;
	if (key && s->has_base) {
		old = file_locked(f)->base_key;
		file_locked(f)->base_key = key;
		key = NULL;
	}
	lock_drop(&f->lock);
	free(key);
	free(old);
	return rc;
}

/* It is as it was sealed, and the thread that sealed it may have sent it. */
static void seal_shrink(struct file *f)
{
	if (turn_begin(f, FILE_WRITING))
		return;
	if (content(f)->tail.mem)
		writer_shrink_tail(f);
	sent_maybe(f);
	seal_set(f);
	turn_end(f, FILE_DIRTY);
}

/* Takes fd. */
static int seal_fill(struct file *f, const struct seal *s, int fd,
		     const char *name)
{
	int rc = turn_begin(f, FILE_WRITING);

	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	f->ops->forget(f, NULL, NULL);
	/* What is in memory grows from nothing again. */
	rc = s->len ? 0 : seal_give(f, s, fd, name);
	if (!rc && s->props)
		rc = file_props_restore(f, s->props, s->props_len,
					s->props_beside);
	inode_touch(f->env->tree, f->inode);
	turn_end(f, FILE_DIRTY);
	if (!rc && s->len)
		rc = file_write(f, 0, s->bytes, s->len);
	seal_shrink(f);
	return rc;
}

int file_unseal(const struct file_env *env, struct inode *i,
		const struct seal *s, int fd, const char *name,
		struct file **out)
{
	struct object_info base = { .size = s->base_size };
	size_t len = strlen(s->base_etag);
	int rc;

	if (len < sizeof(base.etag))
		memcpy(base.etag, s->base_etag, len + 1);
	rc = file_open(env, i, s->has_base ? &base : NULL, out);
	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = seal_fill(*out, s, fd, name);
	if (rc)
		file_close(*out);
	return rc;
}
