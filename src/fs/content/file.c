/*
 * An open file's content: its making and its end, and its moves.
 *
 * The base is one object for as long as it is not published anew by ourselves:
 * when another machine replaces it, the name gets another inode, with content of
 * its own (tree_refresh()), and this one reads -ESTALE once the store does not have
 * the old bytes any more.
 */
#include "fs/content/file_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/cache/block.h"
#include "fs/content/file_fd.h"
#include "stage/stage.h"

static void file_free(struct file *f)
{
	struct file_locked *g = &f->guarded_; /* nobody else has it any more */

	if (g->source)
		block_source_drop(g->source);
	block_source_unref(g->source);
	file_spill_unref(g->spill);
	file_fd_unref(g->base_fd);
	file_fd_unref(g->scratch);
	file_fd_unref(g->numbered);
	extents_clear(&g->ours);
	extents_clear(&g->lost);
	free(g->slots);
	free(g->props);
	free(g->base_key);
	stage_unref(f->stage);
	inode_unref(f->env->tree, f->inode);
	lock_destroy(&f->lock);
	free(f);
}

static int file_new(const struct file_env *env, struct inode *i,
		    const struct object_info *base, struct file **out)
{
	struct file *f = calloc(1, sizeof(*f));
	struct file_locked *g;
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	int err = 0;

	if (!f)
		return -ENOMEM;
	lock_init(&f->lock);
	f->env = env;
	f->inode = inode_ref(env->tree, i);
	f->stage = inode_stage(env->tree, i);
	g = &f->guarded_; /* nobody else has it yet */
	if (!f->stage) /* it has lost its name just now */
		err = -ESTALE;
	err = err ? err : inode_key(env->tree, i, &key);
	err = err == -ENOENT ? -ESTALE : err;
	g->base_key = err ? NULL : strdup(buf_str(&key));
	if (!err && !g->base_key)
		err = -ENOMEM;
	if (!err && base) {
		g->has_base = true;
		g->base = *base;
		g->base_limit = base->size;
		g->size = base->size;
	}
	buf_clear(&key);
	if (!err)
		f->way = file_store(f)->limits.files ? &file_local
						     : &file_remote;
	if (!err && base)
		err = f->way->open(f);
	if (err)
		file_free(f);
	else
		*out = f;
	return err;
}

int file_open(const struct file_env *env, struct inode *i,
	      const struct object_info *base, struct file **out)
{
	struct file *fresh = NULL;
	int err;

	*out = inode_file_get(env->tree, i);
	if (*out)
		return 0;
	err = file_new(env, i, base, &fresh);
	if (err)
		return err;
	err = inode_file_join(env->tree, i, fresh, base ? base->etag : NULL,
			      out);
	if (*out != fresh)
		file_free(fresh);
	return err;
}

void file_close(struct file *f)
{
	const struct file_env *env = f->env;
	struct inode_given_up g;

	if (!inode_file_put(env->tree, f->inode, &g))
		return;
	writer_give_up(f);
	f->way->forget(f, NULL, NULL);
	if (g.dir && env->given_up)
		env->given_up(env->arg, f->inode, &g);
	file_free(f);
}

int file_look(struct file *f)
{
	return f->way->look(f);
}

void file_moved(struct file *f, const struct object_info *info)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	struct block_source *source = NULL;
	struct file_locked *g;
	char *name = NULL, *old = NULL;

	if (!inode_open_key(f->env->tree, f->inode, &key))
		name = strdup(buf_str(&key));
	buf_clear(&key);
	if (!name)
		return; /* gone already, or reads will say -ESTALE */
	lock_take(&f->lock);
	g = file_locked(f);
	old = g->base_key;
	g->base_key = name;
	/* The copy may have another type than its source, by its name. */
	g->props_known = false;
	if (info)
		memcpy(g->base.etag, info->etag, sizeof(g->base.etag));
	if (g->source)
		source = block_source_ref(g->source);
	lock_drop(&f->lock);
	if (source && info)
		block_source_move(source, name, info->etag);
	block_source_unref(source);
	free(old);
}

bool file_abandon(struct file *f)
{
	enum file_state before;
	bool loses, removed;

	if (file_begin(f, FILE_WRITING, &before))
		return false;
	removed = inode_is_orphan(f->env->tree, f->inode) &&
		  !inode_is_lost(f->env->tree, f->inode);
	lock_take(&f->lock);
	loses = before == FILE_DIRTY && !file_locked(f)->orphan && !removed;
	file_locked(f)->orphan |= loses;
	lock_drop(&f->lock);
	if (loses)
		writer_give_up(f);
	file_end(f, before);
	return loses;
}

bool file_unbind(struct file *f)
{
	enum file_state before;
	bool can;

	if (file_begin(f, FILE_WRITING, &before))
		return false;
	lock_take(&f->lock);
	can = !file_locked(f)->has_base && !file_locked(f)->lost.n;
	lock_drop(&f->lock);
	if (can)
		writer_give_up(f);
	file_end(f, before);
	return can;
}
