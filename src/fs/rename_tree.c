/*
 * Moving a directory: every key below it is copied, then the names move in the
 * tree, then the old keys are removed.
 *
 *   COPYING  a failure removes the copies that were made and leaves the old
 *            tree as it was; a daemon that is killed leaves the old tree whole
 *   MOVED    all copies stand; what cannot be removed stays at the old place
 *            and is reported
 *
 * The keys are collected first, so that what another machine puts into the old
 * tree meanwhile is not removed. Nobody publishes below meanwhile
 * (tree_move_begin()). Files that the store has never seen go with the names.
 */
#include "fs/rename.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fs/crew.h"
#include "stage/stage.h"

#define KEYS_BYTES_MAX (1UL << 30)
#define BATCH 1000 /* keys of a removal */

struct moving_key {
	size_t at; /* in text: what follows the directory, NUL,
				   and the ETag, NUL */
	bool tried;
};

struct copied {
	size_t k;
	struct object_info info;
};

struct moving_locked {
	struct copied *copies; /* those whose ETag is not the old one's */
	size_t n, cap;
	size_t failed; /* the first key that could not be copied */
};

struct moving {
	struct rename *r;
	struct buf text;
	struct moving_key *keys;
	size_t n, cap;
	struct lock lock;
	struct moving_locked guarded_;
};

static struct moving_locked *moving_locked(struct moving *m) REQUIRES(m->lock)
{
	return &m->guarded_;
}

static const char *rest_of(const struct moving *m, size_t k)
{
	return m->text.data + m->keys[k].at;
}

/* `from` and `rest` with the '/' between. */
static int whole_key(const struct buf *dir, const char *rest, struct buf *out)
{
	buf_reset(out);
	buf_add(out, dir->data, dir->len);
	buf_addc(out, '/');
	buf_adds(out, rest);
	return buf_err(out) == -EMSGSIZE ? -ENAMETOOLONG : buf_err(out);
}

/* ---- which keys ---- */

static int note_key(struct moving *m, const char *rest, const char *etag)
{
	if (m->r->to_key.len + 1 + strlen(rest) > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 256;
		void *grown = realloc(m->keys, cap * sizeof(*m->keys));

		if (!grown)
			return -ENOMEM;
		m->keys = grown;
		m->cap = cap;
	}
	m->keys[m->n++] = (struct moving_key){ .at = m->text.len };
	buf_add(&m->text, rest, strlen(rest) + 1);
	buf_add(&m->text, etag, strlen(etag) + 1);
	return buf_err(&m->text);
}

static int collect(struct moving *m)
{
	struct list_query q = { .ahead = true };
	struct buf prefix = NAMES_KEY;
	struct store_list *list;
	struct list_entry e;
	int rc = whole_key(&m->r->key, "", &prefix);

	q.prefix = buf_str(&prefix);
	if (!rc)
		rc = store_list_open(m->r->stage->store, &q, &list);
	if (!rc) {
		while ((rc = store_list_next(list, &e)) > 0) {
			rc = note_key(m, e.key + prefix.len, e.info.etag);
			if (rc)
				break;
		}
		store_list_close(list);
	}
	buf_clear(&prefix);
	return rc;
}

/* ---- copying, on several threads ---- */

static int note_copy(struct moving *m, size_t k, const struct object_info *info)
{
	struct moving_locked *g;
	int err = 0;

	lock_take(&m->lock);
	g = moving_locked(m);
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 16;
		void *grown = realloc(g->copies, cap * sizeof(*g->copies));

		if (grown) {
			g->copies = grown;
			g->cap = cap;
		}
	}
	if (g->n < g->cap)
		g->copies[g->n++] = (struct copied){ k, *info };
	else
		err = -ENOMEM;
	lock_drop(&m->lock);
	return err;
}

static void note_failure(struct moving *m, size_t k)
{
	lock_take(&m->lock);
	if (moving_locked(m)->failed == SIZE_MAX)
		moving_locked(m)->failed = k;
	lock_drop(&m->lock);
}

static int copy_one(void *arg, size_t k)
{
	struct moving *m = arg;
	const char *rest = rest_of(m, k), *etag = rest + strlen(rest) + 1;
	struct buf from = NAMES_KEY, to = NAMES_KEY;
	struct object_info info;
	int err = whole_key(&m->r->key, rest, &from);

	if (!err)
		err = whole_key(&m->r->to_key, rest, &to);
	if (!err) {
		m->keys[k].tried = true;
		err = store_copy(m->r->stage->store, buf_str(&from),
				 *etag ? etag : NULL, buf_str(&to), NULL,
				 &info);
	}
	if (!err && strcmp(info.etag, etag))
		err = note_copy(m, k, &info);
	if (err)
		note_failure(m, k);
	buf_clear(&from);
	buf_clear(&to);
	return err;
}

/* ---- removing, in batches ---- */

struct removal {
	struct moving *m;
	const struct buf *dir; /* below the old place, or the new one */
	bool undo; /* only what was tried */
};

static bool to_be_removed(const struct removal *v, size_t k)
{
	if (!v->undo)
		return true;
	/* The marker of a directory that stood there before is its own. */
	return v->m->keys[k].tried && !(v->m->r->to && !*rest_of(v->m, k));
}

static int remove_batch(void *arg, size_t batch)
{
	struct removal *v = arg;
	struct moving *m = v->m;
	char **keys = calloc(BATCH, sizeof(*keys));
	int *results = calloc(BATCH, sizeof(*results));
	size_t end = (batch + 1) * BATCH;
	unsigned n = 0;
	int err = keys && results ? 0 : -ENOMEM;

	for (size_t k = batch * BATCH; k < end && k < m->n && !err; k++) {
		struct buf key = NAMES_KEY;

		if (!to_be_removed(v, k))
			continue;
		err = whole_key(v->dir, rest_of(m, k), &key);
		keys[n] = err ? NULL : buf_detach(&key);
		if (keys[n])
			n++;
		buf_clear(&key);
	}
	if (!err && n)
		err = store_remove_many(m->r->stage->store,
					(const char *const *)keys, n, results);
	for (unsigned k = 0; k < n; k++) {
		if (results[k])
			log_at(LOG_LEVEL_ERROR,
			       &(struct log_where){ .stage = m->r->stage->name,
						    .key = keys[k],
						    .err = results[k] },
			       "a directory was moved: the %s is left behind",
			       v->undo ? "copy" : "old object");
		free(keys[k]);
	}
	free(keys);
	free(results);
	return err;
}

/* All batches are tried, whatever becomes of one. */
struct each_batch {
	struct removal v;
	int first;
};

static int remove_one_batch(void *arg, size_t batch)
{
	struct each_batch *e = arg;
	int err = remove_batch(&e->v, batch), none = 0;

	if (err)
		__atomic_compare_exchange_n(&e->first, &none, err, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

static int remove_all(struct moving *m, const struct buf *dir, bool undo)
{
	struct each_batch e = { .v = { m, dir, undo } };

	crew_run(4, (m->n + BATCH - 1) / BATCH, remove_one_batch, &e, false);
	return e.first;
}

/* ---- the names and what is open ---- */

static struct inode *peek_path(struct fs *fs, struct inode *dir,
			       const char *path)
{
	struct inode *at = inode_ref(fs->tree, dir);
	char name[256];

	while (at && *path) {
		size_t len = strcspn(path, "/");
		struct inode *below = NULL;

		if (len && len < sizeof(name)) {
			memcpy(name, path, len);
			name[len] = '\0';
			below = tree_peek(fs->tree, at, name);
		}
		inode_unref(fs->tree, at);
		at = below;
		path += len + (path[len] == '/');
	}
	return at;
}

/* Cached names learn the ETags of the copies. */
static void tell_copies(struct moving *m)
{
	struct fs *fs = m->r->fs;
	struct copied *copies;
	size_t n;

	lock_take(&m->lock); /* the crew has gone: it is ours alone */
	copies = moving_locked(m)->copies;
	n = moving_locked(m)->n;
	lock_drop(&m->lock);
	for (size_t c = 0; c < n; c++) {
		const char *rest = rest_of(m, copies[c].k);
		struct inode *i;

		if (!*rest || rest[strlen(rest) - 1] == '/')
			continue; /* a marker */
		i = peek_path(fs, m->r->from, rest);
		if (i)
			inode_copied(fs->tree, i, &copies[c].info);
		inode_unref(fs->tree, i);
	}
}

typedef int each_open(struct fs *fs, struct inode *i);

static int for_open_files(struct moving *m, each_open *each)
{
	struct fs *fs = m->r->fs;
	struct inode **open;
	unsigned n;
	int err = tree_open_files(fs->tree, m->r->from, &open, &n);

	for (unsigned k = 0; k < n; k++) {
		if (!err)
			err = each(fs, open[k]);
		inode_unref(fs->tree, open[k]);
	}
	free(open);
	return err;
}

static int publish_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	uint64_t size;
	int err = 0;

	if (!f)
		return 0;
	if (file_size(f, &size) && !file_unbind(f))
		err = file_publish(f);
	file_close(f);
	return err;
}

static int move_open(struct fs *fs, struct inode *i)
{
	rename_content(fs, i);
	return 0;
}

/* Every copy stands. */
static int move_names(struct moving *m)
{
	struct rename *r = m->r;
	int err = 0;

	if (r->dir != r->to_dir)
		err = names_keep_dir(r->fs, r->dir, r->from);
	if (!err)
		err = tree_moved(r->fs->tree, r->from, r->to_dir, r->to_name);
	if (err)
		return err;
	tell_copies(m);
	return for_open_files(m, move_open);
}

static void log_failure(struct moving *m, int err)
{
	struct buf key = NAMES_KEY;
	size_t k;

	lock_take(&m->lock);
	k = moving_locked(m)->failed;
	lock_drop(&m->lock);
	whole_key(&m->r->key, k < m->n ? rest_of(m, k) : "", &key);
	log_at(LOG_LEVEL_ERROR,
	       &(struct log_where){ .stage = m->r->stage->name,
				    .key = buf_str(&key),
				    .err = err },
	       "cannot move the directory \"%s\": it stays as it was",
	       m->r->name);
	buf_clear(&key);
}

static int move_tree(struct moving *m)
{
	struct rename *r = m->r;
	int err = for_open_files(m, publish_open);

	if (!err)
		err = collect(m);
	if (!err && m->n)
		err = crew_run(CREW_MAX, m->n, copy_one, m, true);
	if (!err)
		err = move_names(m);
	if (err) {
		if (m->n)
			remove_all(m, &r->to_key, true);
		tree_doubt(r->fs->tree, r->to_dir, r->to_name);
		log_failure(m, err);
		return err;
	}
	if (m->n)
		err = remove_all(m, &r->key, false);
	if (err)
		tree_doubt(r->fs->tree, r->dir, r->name);
	return err;
}

int rename_tree(struct rename *r)
{
	struct moving m = {
		.r = r,
		.text = BUF_INIT(KEYS_BYTES_MAX),
		.guarded_.failed = SIZE_MAX,
	};
	int err;

	lock_init(&m.lock);
	err = move_tree(&m);
	lock_destroy(&m.lock);
	free(m.guarded_.copies);
	free(m.keys);
	buf_clear(&m.text);
	return err;
}
