/* Open contents in plain memory, for tests of names. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/block.h"
#include "fs/file.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fs/pending.h"
#include "fs/reader.h"
#include "stage/stage.h"
#include "store/store.h"

struct file {
	const struct file_env *env;
	struct inode *inode;
	struct stage *stage;
	pthread_mutex_t lock;
	struct object_info base;
	bool has_base, loaded, dirty, orphan;
	uint64_t version, size;
	char *bytes;
};

int file_open(const struct file_env *env, struct inode *i,
	      const struct object_info *base, struct file **out)
{
	struct file *f = calloc(1, sizeof(*f));

	f->env = env;
	f->inode = inode_ref(env->tree, i);
	f->stage = inode_stage(env->tree, i);
	pthread_mutex_init(&f->lock, NULL);
	f->has_base = base != NULL;
	if (base) {
		f->base = *base;
		f->size = base->size;
	}
	*out = inode_file_join(env->tree, i, f);
	if (*out != f) {
		inode_unref(env->tree, f->inode);
		stage_unref(f->stage);
		free(f);
	}
	return 0;
}

void file_close(struct file *f)
{
	struct tree *t = f->env->tree;
	struct inode *i = f->inode;

	if (!inode_file_put(t, i))
		return;
	stage_unref(f->stage);
	free(f->bytes);
	free(f);
	inode_unref(t, i);
}

struct inode *file_inode(struct file *f)
{
	return f->inode;
}

bool file_size(struct file *f, uint64_t *size)
{
	bool dirty;

	pthread_mutex_lock(&f->lock);
	*size = f->size;
	dirty = f->dirty;
	pthread_mutex_unlock(&f->lock);
	return dirty;
}

uint64_t file_version(struct file *f)
{
	return f->version;
}

static int load(struct file *f)
{
	struct buf key = BUF_INIT(2048);
	struct object_info info;
	size_t n = 0;
	int err = 0;

	if (f->loaded)
		return 0;
	f->bytes = calloc(1, f->size + 1);
	if (f->has_base && f->size) {
		err = inode_key(f->env->tree, f->inode, &key);
		if (!err)
			err = store_get_sync(f->stage->store, buf_str(&key),
					     f->base.etag, 0, f->bytes, f->size,
					     &n, &info);
	}
	buf_clear(&key);
	f->loaded = !err;
	return err;
}

void file_rebase(struct file *f, const struct object_info *info)
{
	pthread_mutex_lock(&f->lock);
	if (!f->dirty && strcmp(f->base.etag, info->etag)) {
		f->base = *info;
		f->has_base = true;
		f->size = info->size;
		free(f->bytes);
		f->bytes = NULL;
		f->loaded = false;
		f->version++;
	}
	pthread_mutex_unlock(&f->lock);
}

void file_moved(struct file *f, const struct object_info *info)
{
	pthread_mutex_lock(&f->lock);
	f->base = *info;
	pthread_mutex_unlock(&f->lock);
}

void file_orphan(struct file *f)
{
	pthread_mutex_lock(&f->lock);
	f->orphan = true;
	f->dirty = false;
	pthread_mutex_unlock(&f->lock);
}

int file_reset(struct file *f)
{
	pthread_mutex_lock(&f->lock);
	free(f->bytes);
	f->bytes = calloc(1, 1);
	f->size = 0;
	f->loaded = f->dirty = true;
	pthread_mutex_unlock(&f->lock);
	inode_touch(f->env->tree, f->inode);
	return 0;
}

static int resize(struct file *f, uint64_t size)
{
	int err = load(f);

	if (err)
		return err;
	f->bytes = realloc(f->bytes, size + 1);
	if (size > f->size)
		memset(f->bytes + f->size, 0, size - f->size);
	f->size = size;
	f->dirty = true;
	inode_touch(f->env->tree, f->inode);
	return 0;
}

int file_write(struct file *f, uint64_t offset, const void *bytes, size_t len)
{
	int err;

	pthread_mutex_lock(&f->lock);
	err = resize(f, offset + len > f->size ? offset + len : f->size);
	if (!err)
		memcpy(f->bytes + offset, bytes, len);
	pthread_mutex_unlock(&f->lock);
	return err;
}

int file_truncate(struct file *f, uint64_t size)
{
	int err;

	pthread_mutex_lock(&f->lock);
	err = resize(f, size);
	pthread_mutex_unlock(&f->lock);
	return err;
}

int file_publish(struct file *f)
{
	struct buf key = BUF_INIT(2048);
	struct object_info info;
	int err = tree_publish_begin(f->env->tree, f->inode, &key);

	if (err)
		return err == -ENOENT ? 0 : err;
	pthread_mutex_lock(&f->lock);
	if (f->dirty && !f->orphan) {
		struct store_body body = { f->bytes, -1, 0, f->size };

		err = store_put(f->stage->store, buf_str(&key), &body, NULL,
				NULL, &info);
		if (!err) {
			inode_published(f->env->tree, f->inode, &info);
			f->base = info;
			f->has_base = true;
			f->dirty = false;
		}
	}
	pthread_mutex_unlock(&f->lock);
	tree_publish_end(f->env->tree, f->inode);
	buf_clear(&key);
	return err;
}

bool file_unbind(struct file *f)
{
	return !f->has_base;
}

void reader_init(struct reader *r, struct file *f)
{
	r->version = file_version(f);
}

void reader_clear(struct reader *r)
{
}

int reader_read(struct reader *r, struct file *f, uint64_t offset, size_t len,
		struct fs_data *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&f->lock);
	err = r->version != f->version ? -ESTALE : load(f);
	if (!err && offset < f->size) {
		out->len = len < f->size - offset ? len : f->size - offset;
		out->own = malloc(out->len);
		memcpy(out->own, f->bytes + offset, out->len);
		out->iov[0] = (struct iovec){ out->own, out->len };
		out->n = 1;
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

void reader_data_release(struct fs_data *d)
{
	free(d->own);
}

struct block_cache *block_cache_new(struct budget *budget)
{
	return (struct block_cache *)budget;
}

void block_cache_free(struct block_cache *c)
{
}

struct pending *pending_new(const char *dir)
{
	return malloc(1);
}

void pending_free(struct pending *p)
{
	free(p);
}

void pending_recover(struct pending *p,
		     struct store *(*find)(void *arg, const char *store_name,
					   const char *location),
		     void *arg)
{
}
