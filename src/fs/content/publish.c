/*
 * Making the store's object what one reads now. One part is one PUT; more are
 * an upload, of whose parts
 *
 *   those that left while the program wrote and are not stale stay,
 *   those that are the base's, byte for byte, are copied by the server,
 *   the others are sent: from the tail, or from the spill file, into which
 *   the base's share of them is fetched first.
 *
 * A failure aborts the upload and keeps the bytes, so that the next publish
 * may succeed; only bytes that are nowhere else (`lost`) make it final. An
 * interrupt keeps the upload as well, for the next publish to go on with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crew.h"
#include "fs/content/publish_internal.h"
#include "stage/stage.h"
#include "store/store_watch.h"

/* The body of the only part; the headers, if they have to be asked for, travel
 * meanwhile. */
struct whole {
	struct publish *publish;
	struct store_body body;
};

static int prepare_whole(void *arg, size_t k)
{
	struct whole *w = arg;
	struct part_range part = { .number = 1, .len = w->publish->size };

	return k ? publish_body(w->publish, &part, &w->body)
		 : file_props_learn(w->publish->file);
}

static int put_whole(struct publish *p)
{
	struct whole w = { .publish = p };
	struct store_meta meta;
	int err = file_props_known(p->file)
			  ? prepare_whole(&w, 1)
			  : crew_run(2, 2, prepare_whole, &w, true);

	err = err ? err : file_props(p->file, p->key, &meta);
	return err ? err
		   : STORE_OWN(store_put(file_store(p->file), p->key, &w.body,
					 &meta, NULL, &p->result));
}

/* What the publication begins with; false: it cannot succeed. */
static int look(struct publish *p, bool *moved, bool *whole)
{
	struct file *f = p->file;
	struct file_locked *g;
	int err = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	p->size = g->size;
	p->n = parts_count(f->stage->part_size, g->size);
	p->base = g->base;
	p->base_limit = g->base_limit;
	if (g->base_key)
		p->base_key = strdup(g->base_key);
	if (g->base_key && !p->base_key)
		err = -ENOMEM;
	*moved = g->upload && strcmp(g->upload->key, p->key);
	*whole = p->n == 1 && !g->lost.n;
	if (g->sticky)
		err = -EIO;
	lock_drop(&f->lock);
	if (!err && p->n > PARTS_MAX)
		err = -EFBIG;
	return err;
}

static bool is_sticky(struct file *f)
{
	bool sticky;

	lock_take(&f->lock);
	sticky = file_locked(f)->sticky;
	lock_drop(&f->lock);
	return sticky;
}

int remote_publish(struct file *f, const char *key, struct object_info *result)
{
	struct publish p = { .file = f, .key = key };
	bool moved, whole;
	int err = look(&p, &moved, &whole);

	if (!err && moved) {
		writer_give_up(f);
		err = is_sticky(f) ? publish_lost(f) : 0;
	}
	if (!err)
		err = whole ? put_whole(&p) : publish_parts(&p);
	if (!err) {
		writer_give_up(f); /* one that was begun and not needed */
		*result = p.result;
		result->size = p.size;
		file_props_published(f, result);
	} else if (err == -EINTR) {
		writer_recall_tail(f);
	} else {
		writer_give_up(f);
	}
	free(p.base_key);
	return err;
}

static bool is_clean(struct file *f)
{
	bool clean;

	lock_take(&f->lock);
	clean = file_locked(f)->state == FILE_CLEAN;
	lock_drop(&f->lock);
	return clean;
}

/* With the turn. */
static enum file_state publish_turn(struct file *f, const char *key, int *err)
{
	struct object_info result;
	char *base_key;
	bool orphan;

	lock_take(&f->lock);
	orphan = file_locked(f)->orphan;
	lock_drop(&f->lock);
	if (orphan) {
		writer_give_up(f);
		return FILE_DIRTY;
	}
	base_key = strdup(key);
	*err = base_key ? f->way->publish(f, key, &result) : -ENOMEM;
	if (*err) {
		free(base_key);
		return FILE_DIRTY;
	}
	f->way->forget(f, &result, base_key);
	inode_etag_published(f->env->tree, f->inode, &result);
	return FILE_CLEAN;
}

/* There is no key to publish at: 0 when this mount has removed the name. */
static int publish_nowhere(struct file *f)
{
	if (!inode_is_lost(f->env->tree, f->inode)) {
		file_orphan(f);
		return 0;
	}
	file_log(f, LOG_LEVEL_ERROR, -ESTALE,
		 "what was written is lost: another program has removed the "
		 "object or its directory, or put another in its place");
	return -ESTALE;
}

int file_publish(struct file *f)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	enum file_state before;
	bool begun = false;
	int err;

	if (is_clean(f))
		return 0;
	err = claims_publish_begin(f->env->tree, f->inode, &key);
	if (err == -ENOENT) {
		err = publish_nowhere(f);
	} else if (!err) {
		begun = true;
	}
	err = err ? err : file_begin(f, FILE_PUBLISHING, &before);
	if (!err) {
		if (before == FILE_DIRTY)
			before = publish_turn(f, buf_str(&key), &err);
		file_end(f, before);
	}
	if (begun)
		claims_publish_end(f->env->tree, f->inode);
	buf_clear(&key);
	return err;
}
