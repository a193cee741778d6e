/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and freeing a file system, and what concerns it as a whole.
 */
#include "fs/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "fs/attr/attr_queue.h"
#include "fs/attr/attr_send.h"
#include "fs/cache/block.h"
#include "fs/cache/block_disk.h"
#include "fs/names.h"
#include "fs/inval_queue.h"
#include "fs/content/pending.h"
#include "fs/content/spill.h"
#include "fs/close_errors.h"
#include "fs/dir_ahead.h"
#include "fs/file_ahead.h"
#include "fs/names/store_event.h"
#include "fs/questions.h"
#include "fs/removals.h"
#include "fs/subtree.h"
#include "fs/traversal.h"
#include "fs/names/inode_meta.h"
#include "fs/write_back/write_back.h"
#include "stage/catalog.h"
#include "stage/stage.h"

/* What df shows of a store that has no end. */
#define STATFS_BLOCK 4096
#define STATFS_BYTES (1ULL << 50)
#define STATFS_FILES (1ULL << 32)

static int fs_copy_settings(struct fs *fs, const struct fs_settings *s)
{
	fs->set = *s;
	fs->set.spill_dir = s->spill_dir ? strdup(s->spill_dir) : NULL;
	fs->set.state_dir = s->state_dir ? strdup(s->state_dir) : NULL;
	fs->set.mount_name = s->mount_name ? strdup(s->mount_name) : NULL;
	if ((s->spill_dir && !fs->set.spill_dir) ||
	    (s->state_dir && !fs->set.state_dir) ||
	    (s->mount_name && !fs->set.mount_name))
		return -ENOMEM;
	return 0;
}

/* The kernel has seen what was written. */
static void fs_tell_given_up(void *arg, struct inode *i,
			     const struct inode_given_up *g)
{
	struct fs *fs = arg;

	if (g->is_gone)
		inval_queue_entry(fs->inval_queue, g->dir, g->name);
	inval_queue_inode(fs->inval_queue, i, true);
}

/* They were changed while the bytes were on their way. */
static void fs_keep_attributes(void *arg, struct inode *i)
{
	struct fs *fs = arg;

	attr_queue_add(fs->attr_queue, i, true);
}

static void fs_content_published(void *arg, struct inode *i)
{
	struct fs *fs = arg;

	write_back_published(fs->write_back, i);
}

/* The root of a stage, which may be one that the store was not asked for. */
static int fs_find_root(void *arg, const char *name, struct inode **root,
			struct stage **out)
{
	struct fs *fs = arg;
	int rc = -ENOENT;

	if (fs->only && !strcmp(fs->only->name, name)) {
		*out = stage_ref(fs->only);
		*root = inode_ref(fs->tree, tree_root(fs->tree));
		return 0;
	}
	if (!fs->only && fs->catalog)
		rc = catalog_assume(fs->catalog, name, out);
	if (rc)
		return rc;
	*root = tree_put_stage(fs->tree, *out, tree_clock(fs->tree), 0);
	return *root ? 0 : -ENOENT;
}

static int fs_make_dir(void *arg, struct inode *dir)
{
	struct fs *fs = arg;
	INODE_OBJECT_LOCAL o;
	int rc = inode_object(fs->tree, dir, &o);

	if (!rc)
		rc = marker_put(fs, dir);
	/* They were changed while the marker was on its way, or before a crash
	 * that came after it. */
	return rc ? rc : attr_send_claimed(fs->tree, dir, buf_str(&o.key));
}

static struct write_back *fs_make_write_back(struct fs *fs)
{
	const struct write_back_settings set = {
		.env = &fs->env,
		.spill_dir = fs->set.spill_dir,
		.mount_name = fs->set.mount_name,
		.bytes_max = fs->set.write_back_size,
		.names_max = fs->set.write_back_names,
		.delay_ms = fs->set.write_back_delay_ms,
		.make_dir = fs_make_dir,
		.find_root = fs_find_root,
		.arg = fs,
	};

	return write_back_new(&set);
}

static int fs_make_parts(struct fs *fs)
{
	struct tree_settings t = {
		.ttl_ms = fs->set.metadata_ttl_s * 1000,
		.uid = fs->set.uid,
		.gid = fs->set.gid,
		.file_mode = fs->set.file_mode,
		.dir_mode = fs->set.dir_mode,
		.fixed = fs->set.fixed,
	};

	fs->tree = tree_new(&t, fs->only);
	fs->blocks = block_cache_new(fs->set.budget);
	fs->pending = pending_new(fs->set.state_dir);
	fs->inval_queue = inval_queue_new();
	fs->questions = questions_new();
	fs->traversals = traversals_new(fs);
	fs->subtrees = subtrees_new(fs);
	fs->dir_ahead = dir_ahead_new(fs);
	fs->file_ahead = file_ahead_new(fs);
	fs->removals = removals_new(fs, marker_keep_empty);
	fs->attr_queue = attr_queue_new(fs->tree);
	fs->close_errors = close_errors_new();
	fs->write_back = fs_make_write_back(fs);
	if (!fs->tree || !fs->blocks || !fs->pending || !fs->inval_queue ||
	    !fs->questions || !fs->traversals || !fs->subtrees ||
	    !fs->dir_ahead || !fs->file_ahead || !fs->removals ||
	    !fs->attr_queue || !fs->close_errors || !fs->write_back)
		return -ENOMEM;
	if (fs->set.disk) {
		int rc = block_disk_new(fs->blocks, fs->set.disk, &fs->disk);

		if (rc)
			return rc;
	}
	fs->env = (struct file_env){
		.tree = fs->tree,
		.budget = fs->set.budget,
		.blocks = fs->blocks,
		.pending = fs->pending,
		.spill_dir = fs->set.spill_dir,
		.given_up = fs_tell_given_up,
		.attributes_left = fs_keep_attributes,
		.published = fs_content_published,
		.sealed = &fs->sealed,
		.arg = fs,
	};
	return 0;
}

int fs_new(const struct fs_settings *s, struct catalog *catalog,
	   struct stage *only, struct fs **out)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	int rc;

	if (!fs)
		return -ENOMEM;
	lock_init(&fs->lock, LOCK_FS);
	fs->began_ms = clock_mono_ms();
	fs->catalog = catalog;
	fs->only = only ? stage_ref(only) : NULL;
	rc = fs_copy_settings(fs, s);
	if (!rc)
		rc = fs_make_parts(fs);
	if (rc) {
		fs_free(fs);
		return rc;
	}
	*out = fs;
	return 0;
}

int fs_check_spill(const char *spill_dir)
{
	struct spill *s = NULL;
	int rc = spill_new(spill_dir, &s);

	spill_unref(s);
	return rc;
}

void fs_set_ttl(struct fs *fs, unsigned s)
{
	fs->set.metadata_ttl_s = s;
	tree_set_ttl(fs->tree, s * 1000);
}

void fs_free(struct fs *fs)
{
	struct file *kept;

	if (!fs)
		return;
	removals_free(fs->removals);
	write_back_free(fs->write_back);
	handle_clear(fs);
	fs_dir_clear(fs);
	attr_queue_free(fs->attr_queue);
	file_ahead_free(fs->file_ahead);
	dir_ahead_free(fs->dir_ahead);
	subtrees_free(fs->subtrees);
	questions_free(fs->questions);
	traversals_free(fs->traversals);
	while ((kept = inode_file_drop_any(fs->tree)))
		file_close(kept);
	tree_free(fs->tree);
	pending_free(fs->pending);
	inval_queue_free(fs->inval_queue);
	close_errors_free(fs->close_errors);
	block_disk_stop(fs->disk);
	block_cache_free(fs->blocks);
	block_disk_free(fs->disk);
	stage_unref(fs->only);
	free((char *)fs->set.spill_dir);
	free((char *)fs->set.state_dir);
	free((char *)fs->set.mount_name);
	lock_destroy(&fs->lock);
	free(fs);
}

struct inode *fs_root(struct fs *fs)
{
	return tree_root(fs->tree);
}

void fs_data_release(struct fs *fs, struct fs_data *d)
{
	data_release(d);
}

void fs_set_processes(struct fs *fs, const struct fs_processes *p)
{
	fs->processes = *p;
}

struct inval_queue *fs_inval_queue(struct fs *fs)
{
	return fs->inval_queue;
}

static void fs_place_changed(void *arg, const struct store_event *e)
{
	struct fs *fs = arg;

	if (e->tell_entry)
		inval_queue_entry(fs->inval_queue, e->dir, e->name);
	if (e->tell_inode)
		inval_queue_inode(fs->inval_queue, e->inode, true);
	if (e->tell_dir)
		inval_queue_inode(fs->inval_queue, e->dir, false);
}

void fs_store_changed(struct fs *fs, struct store *s, const char *key,
		      const struct object_info *info)
{
	removals_overtaken(fs->removals, s, key);
	store_event_apply(fs->tree, s, key, info, fs_place_changed, fs);
	inval_queue_settle(fs->inval_queue);
}

/* The store that i lies in; at the root of stages the storage. Referenced. */
static struct store *fs_store_at(struct fs *fs, struct inode *i)
{
	STAGE_LOCAL *stage = inode_stage(fs->tree, i);
	struct store *s = stage ? stage->store : NULL;

	if (!stage && fs->catalog)
		s = catalog_storage(fs->catalog);
	if (s)
		store_ref(s);
	return s;
}

int fs_statfs(struct fs *fs, struct inode *i, struct statvfs *out)
{
	struct store *s = fs_store_at(fs, i);
	int rc = s ? store_statfs(s, out) : -EOPNOTSUPP;

	store_unref(s);
	if (rc != -EOPNOTSUPP)
		return rc;
	memset(out, 0, sizeof(*out));
	out->f_bsize = out->f_frsize = STATFS_BLOCK;
	out->f_blocks = out->f_bfree = out->f_bavail =
		STATFS_BYTES / STATFS_BLOCK;
	out->f_files = out->f_ffree = out->f_favail = STATFS_FILES;
	out->f_namemax = 255;
	return 0;
}

/* ---- what killed daemons left ---- */

static bool fs_is_location(struct store *store, const char *prefix,
			   const char *name, const char *location)
{
	BUF_LOCAL here = BUF_INIT(BUF_MESSAGE);

	if (!store || strcmp(store->name, name))
		return false;
	store_locate(store, prefix, &here);
	return !buf_err(&here) && !strncmp(location, buf_str(&here), here.len);
}

static struct store *fs_find_store(void *arg, const char *store_name,
				   const char *location)
{
	struct fs *fs = arg;
	unsigned n = fs->catalog ? catalog_n_external(fs->catalog) : 0;

	if (fs->only && fs_is_location(fs->only->store, fs->only->prefix,
				       store_name, location))
		return fs->only->store;
	for (unsigned k = 0; k < n; k++) {
		struct stage *s = catalog_external(fs->catalog, k);

		if (fs_is_location(s->store, s->prefix, store_name, location))
			return s->store;
	}
	if (fs->catalog && fs_is_location(catalog_storage(fs->catalog), "",
					  store_name, location))
		return catalog_storage(fs->catalog);
	return NULL;
}

int fs_restore(struct fs *fs, struct buf *why)
{
	return write_back_restore(fs->write_back, why);
}

#define FLUSH_NAMES 8 /* in a message */

int fs_flush(struct fs *fs, struct buf *why)
{
	struct write_back_counts n;
	int gone = removals_drain(fs->removals);
	int kept = attr_queue_drain(fs->attr_queue);
	int sent = write_back_flush(fs->write_back, false);

	write_back_counts(fs->write_back, &n);
	if (n.names && sent) {
		buf_addf(why, "%u of %u changes cannot be sent", n.failed,
			 n.names);
		write_back_names(fs->write_back, FLUSH_NAMES, why);
	}
	return sent ? sent : gone ? gone : kept;
}

int fs_settle(struct fs *fs, int64_t until_ms)
{
	int rc = removals_wait_all(fs->removals, until_ms);

	return rc ? rc : attr_queue_wait_all(fs->attr_queue, until_ms);
}

void fs_pending(struct fs *fs, struct fs_pending *out)
{
	struct write_back_counts n;

	write_back_counts(fs->write_back, &n);
	*out = (struct fs_pending){ n.names, n.failed, n.bytes };
}

void fs_recover(struct fs *fs)
{
	pending_recover(fs->pending, fs_find_store, fs);
}

static void fs_write_pending(struct fs *fs, struct buf *out)
{
	struct write_back_counts n;

	write_back_counts(fs->write_back, &n);
	metric_one(out, "pending_names", "gauge",
		   "Names that wait to be sent (write_back).", n.names);
	metric_one(out, "pending_limit_names", "gauge", "How many may wait.",
		   n.names_max);
	metric_one(out, "pending_bytes", "gauge", "Bytes of these.", n.bytes);
	metric_one(out, "pending_limit_bytes", "gauge",
		   "How many may wait (write_back_size).", n.bytes_max);
	metric_one(out, "pending_files", "gauge",
		   "Of these, the ones with a file in spill_dir.", n.files);
	if (n.files_max)
		metric_one(out, "pending_limit_files", "gauge",
			   "How many may wait: half of the open files that "
			   "the daemon may have.",
			   n.files_max);
	metric_one(out, "pending_failed", "gauge",
		   "Of these, the ones that could not be sent.", n.failed);
	metric_one(out, "journal_bytes", "gauge",
		   "Size of the journal of what waits.", n.journal_bytes);
}

void fs_write_metrics(struct fs *fs, struct buf *out)
{
	struct fs_writers w;

	fs_writers(fs, &w);
	metric_one(out, "open_for_writing", "gauge",
		   "Files that are open for writing.", w.open);
	fs_write_pending(fs, out);
	spill_write_metrics(fs->set.spill_dir, out);
	block_cache_write_metrics(fs->blocks, out);
}
