/* SPDX-License-Identifier: Apache-2.0 */
#include "file_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "fs/cache/block.h"
#include "fs/fs.h"
#include "base/pool.h"
#include "stage/stage.h"
#include "memstore.h"

char rig_bytes[4 * MIB];

/* Over r->store. */
static void rig_open(struct rig *r, uint64_t part_size, size_t memory)
{
	struct tree_settings set = { .ttl_ms = 5000, .file_mode = 0644 };

	file_rig_pattern(rig_bytes, sizeof(rig_bytes), 5);
	snprintf(r->dir, sizeof(r->dir), "/tmp/stagefs-file-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->stage = stage_new("s", STAGE_EXTERNAL, r->store, "pre/", false,
			     part_size);
	assert_non_null(r->stage);
	r->env.tree = tree_new(&set, r->stage);
	r->env.budget = budget_new(memory);
	assert_non_null(r->env.budget);
	r->env.blocks = block_cache_new(r->env.budget);
	assert_non_null(r->env.blocks);
	r->env.spill_dir = r->dir;
}

void file_rig_open(struct rig *r, uint64_t part_size, size_t memory)
{
	memset(r, 0, sizeof(*r));
	r->store = memstore_new("s");
	assert_non_null(r->store);
	r->store->limits.part_min = 1;
	rig_open(r, part_size, memory);
}

void file_rig_open_local(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	local_rig_open(&r->disk);
	r->store = store_ref(r->disk.s);
	rig_open(r, 0, 64 * MIB);
}

void file_rig_close(struct rig *r)
{
	if (!r->disk.s)
		assert_int_equal(memstore_uploads(r->store), 0);
	block_cache_forget(r->env.blocks, NULL);
	pool_trim(block_cache_pool(r->env.blocks), SIZE_MAX);
	assert_int_equal(budget_used(r->env.budget), 0);
	block_cache_free(r->env.blocks);
	budget_free(r->env.budget);
	tree_free(r->env.tree);
	stage_unref(r->stage);
	store_unref(r->store);
	local_rig_close(&r->disk);
	assert_int_equal(rmdir(r->dir), 0);
}

struct file *file_rig_create(struct rig *r, const char *name)
{
	struct inode *i;
	struct file *f;

	assert_int_equal(tree_create(r->env.tree, tree_root(r->env.tree), name,
				     INODE_FILE, 0644, 0, 0, &i),
			 0);
	assert_int_equal(file_open(&r->env, i, NULL, &f), 0);
	assert_int_equal(file_reset(f), 0);
	inode_unref(r->env.tree, i);
	return f;
}

struct file *file_rig_find(struct rig *r, const char *name)
{
	char key[300];
	struct object_details d;
	struct inode *i;
	struct file *f;

	snprintf(key, sizeof(key), "pre/%s", name);
	assert_int_equal(store_head(r->store, key, &d), 0);
	i = tree_refresh(r->env.tree, tree_root(r->env.tree), name, INODE_FILE,
			 &d.info, false, tree_clock(r->env.tree));
	assert_non_null(i);
	assert_int_equal(file_open(&r->env, i, &d.info, &f), 0);
	inode_unref(r->env.tree, i);
	return f;
}

void file_rig_poke(struct rig *r, const char *name, const void *bytes, size_t n)
{
	char key[300];

	snprintf(key, sizeof(key), "pre/%s", name);
	assert_int_equal(memstore_poke(r->store, key, bytes, n), 0);
}

void file_rig_pattern(void *bytes, size_t n, unsigned seed)
{
	unsigned char *to = bytes;
	unsigned x = seed * 2654435761U + 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (unsigned char)(x >> 24);
	}
}

size_t file_rig_gather(const struct fs_data *d, void *bytes)
{
	size_t at = 0;

	for (unsigned i = 0; i < d->n; i++) {
		memcpy((char *)bytes + at, d->iov[i].iov_base,
		       d->iov[i].iov_len);
		at += d->iov[i].iov_len;
	}
	assert_int_equal(at, d->len);
	return at;
}

long file_rig_read(struct file *f, uint64_t offset, void *bytes, size_t len)
{
	struct reader r;
	struct fs_data d;
	long n;

	reader_init(&r, f);
	n = reader_read(&r, f, offset, len, &d);
	if (!n) {
		n = (long)file_rig_gather(&d, bytes);
		data_release(&d);
	}
	reader_clear(&r);
	return n;
}

long file_rig_object(struct rig *r, const char *name, void *bytes, size_t max)
{
	struct object_details d;
	char key[300];
	size_t n = 0;
	int rc;

	snprintf(key, sizeof(key), "pre/%s", name);
	rc = store_head(r->store, key, &d);
	if (rc)
		return rc;
	if (d.info.size && max)
		rc = store_get_sync(r->store, key, NULL, 0, bytes, max, &n,
				    NULL);
	return rc ? rc : (long)d.info.size;
}

int file_rig_write(struct file *f, uint64_t from, uint64_t to)
{
	int rc = 0;

	while (!rc && from < to) {
		size_t n = to - from < 10000 ? (size_t)(to - from) : 10000;

		rc = file_write(f, from, rig_bytes + from, n);
		from += n;
	}
	return rc;
}

void file_rig_check_object(struct rig *r, const char *name, size_t size)
{
	char *got = malloc(size);

	assert_int_equal(file_rig_object(r, name, got, size), size);
	assert_memory_equal(got, rig_bytes, size);
	free(got);
}

void file_rig_check_read(struct file *f, uint64_t from, size_t n)
{
	char *got = malloc(n);

	assert_int_equal(file_rig_read(f, from, got, n), n);
	assert_memory_equal(got, rig_bytes + from, n);
	free(got);
}
