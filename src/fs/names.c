/*
 * What the kernel asks of one name, and the steps round directories in a store
 * that has none: a directory is there while a key lies below it, so whoever
 * takes the last one away leaves a marker, a zero-byte key ending in '/'.
 */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "stage/path.h"
#include "stage/stage.h"
#include "store/store_watch.h"

#define HIDDEN_MS 60000 /* between two lines of the log on one directory */
#define BLOCK_SIZE (128 << 10) /* what programs read and write at a time */

/* stat(2)'s view, and how long the kernel may believe it, in seconds. */
static double stat_for(struct fs *fs, struct inode *i, struct stat *st,
		       uint32_t *version)
{
	struct inode_view v;
	struct file *f;
	uint64_t size;

	inode_view(fs->tree, i, &v);
	*version = inode_etag_hash(&v);
	size = v.kind == INODE_FILE ? v.info.size : 0;
	f = v.open ? inode_file_get(fs->tree, i) : NULL;
	if (f) {
		file_size(f, &size);
		file_close(f);
	}
	memset(st, 0, sizeof(*st));
	st->st_ino = v.ino;
	st->st_mode = v.mode | (v.kind == INODE_FILE ? S_IFREG : S_IFDIR);
	st->st_nlink = v.orphan ? 0 : 1;
	st->st_uid = v.uid;
	st->st_gid = v.gid;
	st->st_size = size;
	st->st_blksize = BLOCK_SIZE;
	st->st_blocks = (size + 511) / 512;
	st->st_mtim = v.info.mtime;
	st->st_atim = v.atime;
	st->st_ctim = v.ctime;
	return v.fresh_ms / 1000.0;
}

void names_stat(struct fs *fs, struct inode *i, struct stat *st)
{
	uint32_t version;

	stat_for(fs, i, st, &version);
}

double names_stat_kernel(struct fs *fs, struct inode *i, struct stat *st)
{
	uint32_t version;
	double timeout = stat_for(fs, i, st, &version);

	inode_etag_set_attr(fs->tree, i, version, (unsigned)(timeout * 1000));
	return timeout;
}

void names_fill(struct fs *fs, struct inode *i, struct fs_entry *out)
{
	out->inode = i;
	out->entry_timeout = out->attr_timeout =
		stat_for(fs, i, &out->st, &out->version);
}

void names_entry_sent(struct fs *fs, const struct fs_entry *e)
{
	inode_etag_set_attr(fs->tree, e->inode, e->version,
			    (unsigned)(e->attr_timeout * 1000));
	inode_remember(fs->tree, e->inode);
}

void names_entry(struct fs *fs, struct inode *i, struct fs_entry *out)
{
	names_fill(fs, i, out);
	names_entry_sent(fs, out);
}

int fs_lookup(struct fs *fs, struct inode *dir, const char *name,
	      struct fs_entry *out)
{
	struct inode *i;
	int err = resolve_name(fs, dir, name, &i);

	if (err == -ENOENT) {
		memset(out, 0, sizeof(*out));
		out->entry_timeout =
			tree_absent_ms(fs->tree, dir, name) / 1000.0;
		return 0;
	}
	if (err)
		return err;
	names_entry(fs, i, out);
	inode_unref(fs->tree, i);
	return 0;
}

bool names_keep_open(struct fs *fs, struct inode *i, struct file **out)
{
	struct inode_view v;

	inode_view(fs->tree, i, &v);
	return v.files && v.kind == INODE_FILE && v.published &&
	       !file_open(&fs->env, i, &v.info, out);
}

void names_drop_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);

	file_close(f); /* ours */
	file_close(f);
}

void fs_forget(struct fs *fs, struct inode *i, uint64_t n)
{
	if (inode_forget(fs->tree, i, n))
		names_drop_open(fs, i);
}

/*
 * What has the name of i by now, when that is not i. The kernel would look the
 * name up again upon -ESTALE, but once only, and a name that is replaced again
 * and again is another by then: so it gets what stands there, to be believed
 * for this once, if that is of the same kind.
 */
static int stat_successor(struct fs *fs, struct inode *i, struct inode *now,
			  struct stat *st, double *timeout)
{
	struct inode_view was, is;

	inode_view(fs->tree, i, &was);
	inode_view(fs->tree, now, &is);
	if (was.kind != is.kind)
		return -ESTALE;
	names_stat(fs, now, st);
	*timeout = 0;
	return 0;
}

/* Another program has written into what is open: -ESTALE rather than a size
 * that was, for a program that waits for the file to grow. */
static int look_at_open(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);
	int err = f ? file_look(f) : 0;

	if (f)
		file_close(f);
	if (err == -ESTALE)
		inode_invalidate(fs->tree, i); /* the next lookup is to ask */
	return err == -ESTALE ? err : 0;
}

int fs_getattr(struct fs *fs, struct inode *i, struct handle *h,
	       struct stat *st, double *timeout)
{
	struct inode *now = NULL;
	struct inode_view v;
	int err = 0;

	/* An open file is what it was at open; its readers learn by ESTALE. */
	if (!h) {
		err = resolve_now(fs, i, &now);
		stages_refresh_root(fs, i);
	}
	inode_view(fs->tree, i, &v);
	/* Without its name it is still what is open. */
	if (err == -ESTALE || (err == -ENOENT && v.open))
		err = 0;
	if (!err && now && now != i && !v.open) {
		err = stat_successor(fs, i, now, st, timeout);
	} else {
		if (!err && v.files && v.open)
			err = look_at_open(fs, i);
		if (!err)
			*timeout = names_stat_kernel(fs, i, st);
	}
	inode_unref(fs->tree, now);
	return err;
}

void names_maker(struct fs *fs, struct inode *dir, bool is_dir,
		 const struct fs_caller *c, struct fs_caller *owner,
		 mode_t *mode)
{
	struct inode_view v;

	*owner = *c;
	inode_view(fs->tree, dir, &v);
	/* On a disk only root gives files away. */
	if (v.files && geteuid()) {
		owner->uid = geteuid();
		owner->gid = getegid();
	}
	if (!(v.mode & S_ISGID))
		return;
	owner->gid = v.gid;
	if (is_dir)
		*mode |= S_ISGID;
}

int marker_put(struct fs *fs, struct inode *dir)
{
	static const struct store_body nothing = { .data = "", .fd = -1 };
	static const struct store_meta meta = {
		.content_type = NAMES_MARKER_TYPE,
	};
	static const struct store_cond absent = { .if_absent = true };
	struct store_meta with_owner = meta;
	struct buf key = NAMES_KEY;
	struct stage *stage = inode_stage(fs->tree, dir);
	struct object_info info;
	struct store_owner owner;
	struct inode_view v;
	int err = stage ? inode_key(fs->tree, dir, &key) : -ENOENT;

	inode_view(fs->tree, dir, &v);
	owner = (struct store_owner){ v.uid, v.gid, v.mode };
	if (v.files)
		with_owner.owner = &owner;
	if (!err)
		err = STORE_OWN(store_put(stage->store, buf_str(&key), &nothing,
					  &with_owner, &absent, &info));
	if (err == -EEXIST && !v.files)
		err = 0;
	else if (!err)
		inode_set_number(fs->tree, dir, &info);
	if (!err)
		inode_set_marker(fs->tree, dir, true);
	stage_unref(stage);
	buf_clear(&key);
	return err;
}

/* Keys below dir that are neither its marker nor `but`, nor below it if that is
 * a directory's: 1, none: 0. found, if it is not NULL: such a one, or what
 * several begin with. */
static int other_key(struct fs *fs, struct inode *dir, const char *but,
		     struct buf *found)
{
	struct buf key = NAMES_KEY;
	struct list_query q = { .delimiter = '/', .page = 3 };
	struct stage *stage = inode_stage(fs->tree, dir);
	struct store_list *list;
	struct list_entry e;
	int rc = stage ? inode_key(fs->tree, dir, &key) : -ENOENT;

	q.prefix = buf_str(&key);
	if (!rc)
		rc = store_list_open(stage->store, &q, &list);
	if (rc)
		goto out;
	while ((rc = store_list_next(list, &e)) > 0) {
		if (strcmp(e.key, q.prefix) && strcmp(e.key, but))
			break;
		if (!strcmp(e.key, q.prefix))
			inode_set_marker(fs->tree, dir, true);
	}
	if (rc > 0 && found)
		buf_adds(found, e.key);
	if (!rc && list->lost)
		rc = 1;
	store_list_close(list);
out:
	stage_unref(stage);
	buf_clear(&key);
	return rc;
}

/* ---- keys that no path can name ---- */

static struct fs_locked *fs_locked(struct fs *fs) REQUIRES(&fs->lock)
{
	return &fs->guarded_;
}

/* Once in HIDDEN_MS for each directory, as far as these are remembered. */
static bool may_say(struct fs *fs, const char *dir)
{
	int64_t now_ms = clock_mono_ms();
	uint32_t hash = 0x811c9dc5;
	struct fs_locked *g;
	bool said = false;

	for (; *dir; dir++)
		hash = (hash ^ (unsigned char)*dir) * 0x01000193;
	lock_take(&fs->lock);
	g = fs_locked(fs);
	for (unsigned k = 0; k < HIDDEN_SAID; k++)
		said = said || (g->hidden[k].dir == hash &&
				g->hidden[k].until_ms > now_ms);
	if (!said) {
		unsigned k = g->n_hidden++ % HIDDEN_SAID;

		g->hidden[k].dir = hash;
		g->hidden[k].until_ms = now_ms + HIDDEN_MS;
	}
	lock_drop(&fs->lock);
	return !said;
}

/* The first whole key that begins so. */
static void first_key(struct store *s, struct buf *key)
{
	struct list_query q = { .prefix = buf_str(key), .page = 1 };
	struct store_list *list;
	struct list_entry e;

	if (store_list_open(s, &q, &list))
		return;
	if (store_list_next(list, &e) > 0) {
		buf_reset(key);
		buf_adds(key, e.key);
	}
	store_list_close(list);
}

/* A directory that looks empty is not: of a key that nothing shows, the log has
 * to tell. found: what other_key() has found in dir. */
static void say_hidden(struct fs *fs, struct inode *dir, struct buf *found)
{
	struct stage *stage = inode_stage(fs->tree, dir);
	struct buf key = NAMES_KEY;
	const char *rest;

	if (!stage || inode_key(fs->tree, dir, &key) || buf_err(found) ||
	    found->len <= key.len)
		goto out;
	rest = buf_str(found) + key.len;
	if (name_visible(rest, strcspn(rest, "/")) ||
	    !may_say(fs, buf_str(&key)))
		goto out;
	first_key(stage->store, found);
	log_at(LOG_LEVEL_WARN,
	       &(struct log_where){ .stage = stage->name,
				    .key = buf_str(found) },
	       "a directory is not empty: it holds this key, which no path can "
	       "name");
out:
	stage_unref(stage);
	buf_clear(&key);
}

/* Something below that the store cannot know of yet. */
static int unpublished_below(struct fs *fs, struct inode *dir)
{
	struct inode **open;
	unsigned n;
	int found = inode_file_list(fs->tree, dir, &open, &n);

	for (unsigned k = 0; k < n; k++) {
		struct file *f = inode_file_get(fs->tree, open[k]);
		uint64_t size;

		if (f) {
			found = found || file_size(f, &size);
			file_close(f);
		}
		inode_unref(fs->tree, open[k]);
	}
	free(open);
	return found;
}

int marker_empty(struct fs *fs, struct inode *dir)
{
	struct buf found = NAMES_KEY;
	int rc = unpublished_below(fs, dir);

	if (!rc) {
		rc = other_key(fs, dir, "", &found);
		if (rc > 0)
			say_hidden(fs, dir, &found);
	}
	buf_clear(&found);
	return rc > 0 ? -ENOTEMPTY : rc;
}

int marker_keep(struct fs *fs, struct inode *dir, struct inode *i)
{
	struct buf key = NAMES_KEY;
	struct inode_view v;
	int rc;

	inode_view(fs->tree, dir, &v);
	if (v.stage_root || v.has_marker || v.files ||
	    dir == tree_root(fs->tree) || inode_has_child(fs->tree, dir, i))
		return 0;
	rc = dircache_complete(fs->tree, dir) ? 0
					      : inode_key(fs->tree, i, &key);
	if (!rc && key.len)
		rc = other_key(fs, dir, buf_str(&key), NULL);
	if (!rc)
		rc = marker_put(fs, dir);
	if (rc == -EACCES) /* what may not be listed does not vanish */
		rc = 0;
	buf_clear(&key);
	return rc < 0 ? rc : 0;
}

int names_sync(struct fs *fs, struct inode *i)
{
	struct buf key = NAMES_KEY;
	struct stage *stage;
	struct inode_view v;
	int err;

	inode_view(fs->tree, i, &v);
	if (!v.files || v.orphan)
		return 0;
	/* Its name is its own until it is flushed. */
	err = claims_publish_begin(fs->tree, i, &key);
	if (!err) {
		stage = inode_stage(fs->tree, i);
		if (stage)
			err = store_sync(stage->store, buf_str(&key));
		stage_unref(stage);
		claims_publish_end(fs->tree, i);
	}
	buf_clear(&key);
	return err == -ENOENT ? 0 : err; /* it has gone meanwhile */
}

void names_orphan(struct fs *fs, struct inode *i)
{
	struct file *f = inode_file_get(fs->tree, i);

	if (f) {
		file_orphan(f);
		file_close(f);
	}
}
