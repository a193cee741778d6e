/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks and the disk cache: what is read from there costs no GET, and is the
 * version that was asked for, whatever happened to the disk.
 */
#include "file_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "disk_dir.h"
#include "fs/cache/block.h"
#include "fs/cache/block_disk.h"
#include "fs/cache/disk_cache.h"
#include "memstore.h"

#define SIZE sizeof(rig_bytes)

/* A daemon with a disk cache. */
struct cached {
	struct rig rig;
	struct disk_cache *disk;
	struct block_disk *block_disk;
	struct block_source *source;
	char etag[STORE_ETAG_SIZE];
};

static void daemon_up(struct cached *c, const struct disk_dir *d)
{
	const struct disk_settings set = { .dir = d->path,
					   .limit = 64 * MIB,
					   .retry_ms = 60000 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct object_details o;

	file_rig_open(&c->rig, 0, 64 * MIB);
	assert_int_equal(disk_cache_open(&set, &c->disk, &why), 0);
	assert_int_equal(
		block_disk_new(c->rig.env.blocks, c->disk, &c->block_disk), 0);
	file_rig_poke(&c->rig, "a", rig_bytes, SIZE);
	assert_int_equal(store_head(c->rig.store, "pre/a", &o), 0);
	strcpy(c->etag, o.info.etag);
	c->source = block_source_new(c->rig.env.blocks, c->rig.store, "pre/a",
				     c->etag, SIZE);
	assert_non_null(c->source);
}

static void close_source(struct block_source *s)
{
	block_source_drop(s);
}

static void daemon_down(struct cached *c)
{
	close_source(c->source);
	block_disk_stop(c->block_disk);
	file_rig_close(&c->rig);
	block_disk_free(c->block_disk);
	disk_cache_free(c->disk);
}

/* A block of it is read, and has the object's bytes. */
static bool read_block(struct block_source *s, uint64_t at, uint64_t len,
		       enum block_want want)
{
	const char *bytes;
	struct block *b;
	bool from_disk;
	size_t n;

	assert_int_equal(block_get(s, at, at, len, want, &b), 0);
	assert_int_equal(block_wait(b, at, len, &bytes, &n), 0);
	assert_int_equal(n, len);
	assert_memory_equal(bytes, rig_bytes + at, len);
	from_disk = block_from_disk(b);
	block_unref(b);
	return from_disk;
}

/* A reader is woken before its block is given to the thread that keeps it. */
static void await_written(struct cached *c, uint64_t bytes)
{
	struct disk_counts n = { 0 };

	for (int i = 0; i < 60000 && n.written < bytes; i++) {
		usleep(1000);
		disk_cache_counts(c->disk, &n);
	}
	assert_true(n.written >= bytes);
}

static unsigned gets(struct cached *c)
{
	return memstore_calls(c->rig.store, "get");
}

/* Everything is read once, by a daemon that ends then. */
static void fill(struct disk_dir *d)
{
	struct cached c;

	disk_dir_make(d);
	daemon_up(&c, d);
	for (uint64_t at = 0; at < SIZE; at += MIB)
		assert_false(read_block(c.source, at, MIB, BLOCK_WAIT));
	assert_int_equal(gets(&c), 4);
	await_written(&c, SIZE);
	daemon_down(&c);
}

static void test_restart(void **state)
{
	struct disk_dir d;
	struct cached c;

	fill(&d);
	daemon_up(&c, &d);
	assert_true(read_block(c.source, 0, 4096, BLOCK_WAIT));
	assert_true(read_block(c.source, 4096, MIB, BLOCK_TRY));
	assert_true(read_block(c.source, 4096 + MIB, 2 * MIB, BLOCK_AHEAD));
	assert_true(read_block(c.source, SIZE - 4096, 4096, BLOCK_WAIT));
	assert_int_equal(gets(&c), 0);
	daemon_down(&c);
	disk_dir_remove(&d);
}

/* Two daemons at the same time. */
static void test_two(void **state)
{
	struct disk_dir d;
	struct cached one, two;

	fill(&d);
	daemon_up(&one, &d);
	daemon_up(&two, &d);
	for (uint64_t at = 0; at < SIZE; at += MIB) {
		assert_true(read_block(one.source, at, MIB, BLOCK_AHEAD));
		assert_true(read_block(two.source, at, MIB, BLOCK_AHEAD));
	}
	assert_int_equal(gets(&one) + gets(&two), 0);
	daemon_down(&two);
	daemon_down(&one);
	disk_dir_remove(&d);
}

/* Another version of the object, or another object, is asked for. */
static void test_identity(void **state)
{
	struct block_source *s;
	struct object_details o;
	struct disk_dir d;
	struct cached c;

	fill(&d);
	daemon_up(&c, &d);
	file_rig_poke(&c.rig, "b", rig_bytes, SIZE);
	assert_int_equal(store_head(c.rig.store, "pre/b", &o), 0);
	s = block_source_new(c.rig.env.blocks, c.rig.store, "pre/b",
			     o.info.etag, SIZE);
	assert_false(read_block(s, 0, MIB, BLOCK_WAIT));
	close_source(s);
	file_rig_pattern(rig_bytes, SIZE, 9);
	file_rig_poke(&c.rig, "a", rig_bytes, SIZE);
	assert_int_equal(store_head(c.rig.store, "pre/a", &o), 0);
	assert_string_not_equal(o.info.etag, c.etag);
	s = block_source_new(c.rig.env.blocks, c.rig.store, "pre/a",
			     o.info.etag, SIZE);
	for (uint64_t at = 0; at < SIZE; at += MIB)
		assert_false(read_block(s, at, MIB, BLOCK_AHEAD));
	close_source(s);
	file_rig_pattern(rig_bytes, SIZE, 5);
	assert_int_equal(gets(&c), 5);
	daemon_down(&c);
	disk_dir_remove(&d);
}

static const struct {
	const char *says;
	const char *etag; /* NULL: the object's */
	bool anonymous; /* a store that is not to be kept */
	unsigned kept; /* files */
} keeps[] = {
	{ "by its ETag", NULL, false, 1 },
	{ "whatever is there", "", false, 0 },
	{ "of a store whose bytes are not to be kept", NULL, true, 0 },
};

static void test_keeps(void **state)
{
	for (size_t i = 0; i < COUNT(keeps); i++) {
		struct block_source *s;
		struct disk_dir d;
		struct cached c;

		disk_dir_make(&d);
		daemon_up(&c, &d);
		close_source(c.source);
		c.source = NULL;
		if (keeps[i].anonymous) {
			free(c.rig.store->identity);
			c.rig.store->identity = NULL;
		}
		s = block_source_new(c.rig.env.blocks, c.rig.store, "pre/a",
				     keeps[i].etag ? keeps[i].etag : c.etag,
				     SIZE);
		assert_false(read_block(s, 0, MIB, BLOCK_WAIT));
		await_written(&c, keeps[i].kept * MIB);
		close_source(s);
		daemon_down(&c);
		row_number(keeps[i].says, disk_dir_files(&d), keeps[i].kept);
		disk_dir_remove(&d);
	}
}

/* Every byte of the one file, one after the other in steps. */
static void spoil(struct disk_dir *d, const char *etag)
{
	struct disk_version v;
	char path[DISK_PATH_SIZE], zeros[512] = { 0 };
	int fd;

	assert_int_equal(disk_segment_version(&v, "mem", "pre/a", etag, SIZE),
			 0);
	disk_segment_path(&v, 0, path);
	fd = openat(d->fd, path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = lseek(fd, 0, SEEK_END); (at -= 300000) > 0;)
		assert_int_equal(io_pwrite(fd, zeros, sizeof(zeros), at), 0);
	close(fd);
}

/* What was spoilt is fetched, and kept again. */
static void test_damage(void **state)
{
	static const enum block_want wants[] = { BLOCK_WAIT, BLOCK_AHEAD };

	for (size_t i = 0; i < COUNT(wants); i++) {
		struct disk_counts n;
		struct disk_dir d;
		struct cached c;

		fill(&d);
		daemon_up(&c, &d);
		spoil(&d, c.etag);
		for (uint64_t at = 0; at < SIZE; at += MIB)
			assert_false(read_block(c.source, at, MIB, wants[i]));
		assert_int_equal(gets(&c), 4);
		await_written(&c, SIZE);
		disk_cache_counts(c.disk, &n);
		assert_int_equal(n.damaged, 1);
		daemon_down(&c);
		daemon_up(&c, &d);
		assert_true(read_block(c.source, 0, SIZE, wants[i]));
		daemon_down(&c);
		disk_dir_remove(&d);
	}
}

/* What is moved is kept by the name under which it was fetched. */
static void test_moved(void **state)
{
	struct object_details o;
	struct disk_dir d;
	struct cached c;

	fill(&d);
	daemon_up(&c, &d);
	file_rig_poke(&c.rig, "b", rig_bytes, SIZE);
	assert_int_equal(store_head(c.rig.store, "pre/b", &o), 0);
	assert_int_equal(block_source_move(c.source, "pre/b", o.info.etag), 0);
	assert_false(read_block(c.source, 0, MIB, BLOCK_WAIT));
	assert_int_equal(block_source_move(c.source, "pre/a", c.etag), 0);
	assert_true(read_block(c.source, MIB, MIB, BLOCK_WAIT));
	await_written(&c, MIB);
	daemon_down(&c);
	assert_int_equal(disk_dir_files(&d), 2);
	disk_dir_remove(&d);
}

/* What is read ahead is given up, and everything comes to its end. */
static void test_drop(void **state)
{
	struct disk_dir d;
	struct cached c;

	fill(&d);
	for (unsigned round = 0; round < 20; round++) {
		struct block *b;

		daemon_up(&c, &d);
		for (uint64_t at = 0; at < SIZE; at += 64 * KIB) {
			assert_int_equal(block_get(c.source, at, at, 64 * KIB,
						   BLOCK_AHEAD, &b),
					 0);
			block_unref(b);
		}
		daemon_down(&c);
	}
	disk_dir_remove(&d);
}

/* After the end begins, the store is asked. */
static void test_stop(void **state)
{
	struct disk_dir d;
	struct cached c;

	fill(&d);
	daemon_up(&c, &d);
	block_disk_stop(c.block_disk);
	assert_false(read_block(c.source, 0, MIB, BLOCK_WAIT));
	assert_false(read_block(c.source, MIB, MIB, BLOCK_AHEAD));
	daemon_down(&c);
	block_disk_stop(NULL);
	block_disk_free(NULL);
	disk_dir_remove(&d);
}

/* reader_first() is how an open asks the store: the disk is no answer. */
static void test_first(void **state)
{
	struct disk_dir d;
	struct cached c;
	struct file *f;

	disk_dir_make(&d);
	for (unsigned round = 0; round < 2; round++) {
		daemon_up(&c, &d);
		f = file_rig_find(&c.rig, "a");
		assert_int_equal(reader_first(f), round ? -EAGAIN : 0);
		assert_int_equal(gets(&c), round ? 0 : 1);
		await_written(&c, !round);
		file_close(f);
		daemon_down(&c);
	}
	disk_dir_remove(&d);
}

SUITE(block_disk)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),  cmocka_unit_test(test_two),
		cmocka_unit_test(test_identity), cmocka_unit_test(test_keeps),
		cmocka_unit_test(test_damage),   cmocka_unit_test(test_moved),
		cmocka_unit_test(test_drop),     cmocka_unit_test(test_stop),
		cmocka_unit_test(test_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
