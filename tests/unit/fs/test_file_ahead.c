/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are opened in the order of a listing: how many requests they take
 * and that each shows one whole version.
 *
 * Covers: fs/file_ahead.c
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs_fixture.h"
#include "memstore.h"

#include "base/waiter.h"
#include "fs/cache/block_cache.h"
#include "fs/state.h"

#define FILES_MAX 1000

static char keys[FILES_MAX][32];

/* dirs directories of `files` files; the text of each is its key. */
static unsigned plant(struct mount *m, unsigned dirs, unsigned files)
{
	unsigned n = 0;

	for (unsigned d = 0; d < dirs; d++)
		for (unsigned f = 0; f < files; f++, n++) {
			snprintf(keys[n], sizeof(keys[n]), "d%03u/f%03u", d, f);
			store_has(m, keys[n], keys[n]);
		}
	return n;
}

static void cat(struct mount *m, const char *key)
{
	char text[64];

	assert_int_equal(mount_cat(m, key, text, sizeof(text)), strlen(key));
	assert_string_equal(text, key);
}

/* As a traversal does: the directory is read, then its files. */
static void cat_all(struct mount *m, unsigned dirs, unsigned files)
{
	static char names[1 << 16];
	char dir[16];

	assert_int_equal(mount_ls(m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < dirs; d++) {
		snprintf(dir, sizeof(dir), "d%03u", d);
		assert_int_equal(mount_ls(m, dir, names, sizeof(names)), 0);
		for (unsigned f = 0; f < files; f++)
			cat(m, keys[d * files + f]);
	}
}

static void in_order(void **state)
{
	static const struct {
		unsigned dirs, files, lists;
	} rows[] = { { 1, 300, 2 }, { 100, 10, 4 }, { 3, 2, 4 }, { 50, 1, 4 } };

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct mount m;
		unsigned n;

		mount_up(&m, "", 60, false);
		n = plant(&m, rows[r].dirs, rows[r].files);
		cat_all(&m, rows[r].dirs, rows[r].files);
		assert_int_equal(memstore_calls(m.store, "get"), n);
		assert_int_equal(memstore_calls(m.store, "head"), 0);
		assert_in_range(memstore_calls(m.store, "list"), 1,
				rows[r].lists);
		mount_down(&m);
	}
}

/* While one is read, others are on their way. */
static void side_by_side(void **state)
{
	struct mount m;
	unsigned n;

	mount_up(&m, "", 60, false);
	n = plant(&m, 1, 100);
	cat_all(&m, 1, 0);
	for (unsigned f = 0; f < 3; f++)
		cat(&m, keys[f]);
	assert_in_range(memstore_calls(m.store, "get"), 5, 12);
	for (unsigned f = 3; f < 40; f++)
		cat(&m, keys[f]);
	assert_in_range(memstore_calls(m.store, "get"), 40 + 16, 40 + 32);
	for (unsigned f = 40; f < n; f++)
		cat(&m, keys[f]);
	assert_int_equal(memstore_calls(m.store, "get"), n);
	mount_down(&m);
}

static void at_random(void **state)
{
	unsigned seed = 7, n, opens = 0;
	struct mount m;

	mount_up(&m, "", 60, false);
	n = plant(&m, 1, FILES_MAX);
	cat_all(&m, 1, 0);
	for (unsigned k = n - 1; k > 0; k--) {
		unsigned other = rand_r(&seed) % (k + 1);
		char kept[sizeof(keys[0])];

		memcpy(kept, keys[k], sizeof(kept));
		memcpy(keys[k], keys[other], sizeof(kept));
		memcpy(keys[other], kept, sizeof(kept));
	}
	for (; opens < n / 2; opens++)
		cat(&m, keys[opens]);
	assert_int_equal(memstore_calls(m.store, "get"), opens);
	mount_down(&m);
}

static void plant_other(struct mount *m)
{
	char key[16];

	for (unsigned f = 0; f < 300; f++) {
		snprintf(key, sizeof(key), "e/f%03u", f);
		store_has(m, key, key);
	}
}

/* All of it in order: each once, many ahead in the end. */
static void cat_other(struct mount *m)
{
	char names[4096], key[16];
	unsigned before = memstore_calls(m->store, "get");

	assert_int_equal(mount_ls(m, "e", names, sizeof(names)), 0);
	for (unsigned f = 0; f < 300; f++) {
		snprintf(key, sizeof(key), "e/f%03u", f);
		cat(m, key);
		if (f == 200)
			assert_in_range(memstore_calls(m->store, "get"),
					before + 201 + 16, before + 201 + 32);
	}
	assert_int_equal(memstore_calls(m->store, "get"), before + 300);
}

/* Of the files of a directory some are passed over (grep --include), or the
 * first few of each are opened: little is fetched in vain, and a program that
 * goes through all of another directory then is not the worse for it. */
static void passed_over(void **state)
{
	static const struct {
		unsigned dirs, files, step, most; /* of each directory */
	} rows[] = { { 1, 1000, 2, 1000 },
		     { 1, 1000, 3, 1000 },
		     { 2, 500, 2, 500 },
		     { 100, 10, 1, 3 } };

	for (size_t r = 0; r < COUNT(rows); r++) {
		unsigned opens = 0, gets;
		struct mount m;

		mount_up(&m, "", 60, false);
		plant(&m, rows[r].dirs, rows[r].files);
		plant_other(&m);
		cat_all(&m, rows[r].dirs, 0);
		for (unsigned f = 0; f < rows[r].dirs * rows[r].files;
		     f += rows[r].step) {
			if (f % rows[r].files >= rows[r].most)
				continue;
			cat(&m, keys[f]);
			opens++;
		}
		gets = memstore_calls(m.store, "get");
		print_message("# %u opens, %u GETs\n", opens, gets);
		assert_in_range(gets, opens, opens + opens / 10);
		cat_other(&m);
		mount_down(&m);
	}
}

/* What lies behind many files of which none is fetched is not looked for. */
static void far_behind(void **state)
{
	struct mount m;
	unsigned n;

	mount_up(&m, "", 60, false);
	n = plant(&m, 1, 800);
	for (unsigned f = 4; f < n - 10; f++)
		store_has(&m, keys[f], "");
	cat_all(&m, 1, 0);
	for (unsigned f = 0; f < 3; f++)
		cat(&m, keys[f]);
	assert_in_range(memstore_calls(m.store, "get"), 3, 4);
	mount_down(&m);
}

/* Another machine replaces what was listed, and what was fetched. */
static void replaced(void **state)
{
	char text[64];
	struct mount m;
	unsigned n;

	mount_up(&m, "", 60, false);
	n = plant(&m, 1, 60);
	cat_all(&m, 1, 0);
	for (unsigned f = 10; f < n; f += 2)
		store_has(&m, keys[f], "another and longer");
	for (unsigned f = 0; f < n; f++) {
		int len = mount_cat(&m, keys[f], text, sizeof(text));

		assert_true(len > 0);
		assert_string_equal(text, f >= 10 && f % 2 == 0
						  ? "another and longer"
						  : keys[f]);
	}
	mount_down(&m);
}

/* This mount writes, moves and removes what is fetched ahead. */
static void changed(void **state)
{
	char text[64];
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 1, 40);
	cat_all(&m, 1, 0);
	for (unsigned f = 0; f < 5; f++)
		cat(&m, keys[f]);
	assert_int_equal(mount_write(&m, keys[5], "written"), 0);
	assert_int_equal(mount_unlink(&m, keys[6]), 0);
	assert_int_equal(mount_rename(&m, keys[7], "d000/moved", 0), 0);
	assert_int_equal(mount_rename(&m, keys[8], keys[9], 0), 0);
	assert_int_equal(mount_cat(&m, keys[5], text, sizeof(text)), 7);
	assert_string_equal(text, "written");
	assert_int_equal(mount_cat(&m, keys[6], text, sizeof(text)), -ENOENT);
	assert_int_equal(mount_cat(&m, "d000/moved", text, sizeof(text)), 9);
	assert_string_equal(text, keys[7]);
	assert_int_equal(mount_cat(&m, keys[9], text, sizeof(text)), 9);
	assert_string_equal(text, keys[8]);
	for (unsigned f = 10; f < 40; f++)
		cat(&m, keys[f]);
	mount_down(&m);
}

/* GETs ahead that fail are asked for again by an open of the file. */
static store_get_fn *plain_get;
static unsigned n_ahead;

static void get_or_fail(struct store *s, struct store_get *get)
{
	if (get->ahead && ++n_ahead % 3 == 0)
		get->done(get, -EACCES, NULL);
	else
		plain_get(s, get);
}

static void odd_get(struct mount *m, struct store_ops *ops, store_get_fn *get)
{
	*ops = *m->store->ops;
	plain_get = ops->get;
	ops->get = get;
	m->store->ops = ops;
}

static void failures(void **state)
{
	struct store_ops ops;
	struct mount m;

	mount_up(&m, "", 60, false);
	plant(&m, 1, 30);
	odd_get(&m, &ops, get_or_fail);
	n_ahead = 0;
	cat_all(&m, 1, 30);
	assert_in_range(n_ahead, 20, 30);
	mount_down(&m);
}

/* A file that was fetched ahead is read whole, as it was then, whatever becomes
 * of the memory and of the object: before its open and after it. */
static void evicted(void **state)
{
	struct block_cache *blocks;
	struct handle *h;
	char text[64];
	struct mount m;

	mount_up(&m, "", 60, false);
	blocks = m.fs->blocks;
	plant(&m, 1, 20);
	cat_all(&m, 1, 5);
	for (unsigned f = 5; f < 7; f++) {
		store_has(&m, keys[f], "another and longer");
		if (f == 6) /* memory was short: the store is asked */
			block_cache_reclaim(blocks, SIZE_MAX, RANK_UNREAD);
		assert_int_equal(mount_open(&m, keys[f], O_RDONLY, &h), 0);
		block_cache_reclaim(blocks, SIZE_MAX, RANK_UNREAD);
		assert_true(mount_read(&m, h, text, sizeof(text)) > 0);
		assert_string_equal(text,
				    f == 5 ? keys[f] : "another and longer");
		fs_release(m.fs, h);
	}
	mount_down(&m);
}

/* Read once more within metadata_ttl they are not asked for; one that other
 * machines replace is. */
static void again(void **state)
{
	char text[64];
	struct mount m;
	unsigned gets;

	mount_up(&m, "", 60, false);
	plant(&m, 1, 100);
	cat_all(&m, 1, 100);
	gets = memstore_calls(m.store, "get");
	for (unsigned f = 0; f < 100; f++)
		cat(&m, keys[f]);
	cat(&m, keys[50]);
	assert_int_equal(memstore_calls(m.store, "get"), gets);
	assert_int_equal(memstore_calls(m.store, "head"), 0);
	block_cache_reclaim(m.fs->blocks, SIZE_MAX, RANK_UNREAD);
	store_has(&m, keys[50], "two");
	assert_int_equal(mount_cat(&m, keys[50], text, sizeof(text)), 3);
	assert_string_equal(text, "two");
	store_has(&m, keys[50], "three");
	assert_int_equal(mount_cat(&m, keys[50], text, sizeof(text)), 5);
	assert_string_equal(text, "three");
	mount_down(&m);
}

/* Bytes in memory that were never read and are not given up. */
static size_t unread_bytes(struct block_cache *c)
{
	size_t bytes;

	lock_take(&c->lock);
	bytes = cache_locked(c)->bytes[RANK_UNREAD];
	lock_drop(&c->lock);
	return bytes;
}

/* What is not opened within metadata_ttl is given up, and then less is fetched
 * ahead. Names are believed for longer here, so that none grows old because a
 * machine is slow. */
static void not_in_time(void **state)
{
	struct timespec over = { .tv_sec = 1, .tv_nsec = 100000000 };
	struct mount m;
	unsigned gets;

	mount_up(&m, "", 3600, false);
	plant(&m, 1, 200);
	cat_all(&m, 1, 0);
	for (unsigned f = 0; f < 60; f++)
		cat(&m, keys[f]);
	gets = memstore_calls(m.store, "get");
	assert_in_range(gets, 60 + 16, 60 + 32);
	assert_true(unread_bytes(m.fs->blocks) > 16 * 4096);
	while (nanosleep(&over, &over))
		;
	m.fs->set.metadata_ttl_s = 1; /* of what is fetched ahead alone */
	cat(&m, keys[60]);
	m.fs->set.metadata_ttl_s = 3600;
	/* its own at most, and one ahead where there were many */
	assert_in_range(memstore_calls(m.store, "get"), gets, gets + 2);
	assert_true(unread_bytes(m.fs->blocks) <= 2 * 4096);
	mount_down(&m);
}

struct reader {
	struct mount *m;
	unsigned first, step;
};

static void *cat_some(void *arg)
{
	struct reader *r = arg;

	for (unsigned f = r->first; f < 400; f += r->step)
		cat(r->m, keys[f]);
	return NULL;
}

/* Workers that share the files of a directory, and programs that each read
 * all. */
static void several(void **state)
{
	for (unsigned shared = 0; shared < 2; shared++) {
		struct reader readers[4];
		pthread_t threads[4];
		struct mount m;

		mount_up(&m, "", 60, false);
		plant(&m, 40, 10);
		memstore_delay(m.store, 1);
		cat_all(&m, 40, 0);
		for (unsigned k = 0; k < 4; k++) {
			readers[k] = (struct reader){ &m, shared ? k : 0,
						      shared ? 4 : 1 };
			pthread_create(&threads[k], NULL, cat_some,
				       &readers[k]);
		}
		for (unsigned k = 0; k < 4; k++)
			pthread_join(threads[k], NULL);
		mount_down(&m);
	}
}

/* ---- programs that go through the same files ---- */

#define TOGETHER 200 /* files */

struct walker {
	struct mount *m;
	pthread_barrier_t *step;
};

/* None opens the next file before all have read this one. */
static void *walk_in_step(void *arg)
{
	struct walker *w = arg;

	for (unsigned f = 0; f < TOGETHER; f++) {
		struct handle *h;
		char text[64];
		int n = mount_open(w->m, keys[f], O_RDONLY, &h);

		assert_int_equal(n, 0);
		pthread_barrier_wait(w->step);
		assert_int_equal(mount_read(w->m, h, text, sizeof(text)),
				 strlen(keys[f]));
		assert_string_equal(text, keys[f]);
		fs_release(w->m->fs, h);
		pthread_barrier_wait(w->step);
	}
	return NULL;
}

/* Each file comes once, for all of them. */
static void in_step(void **state)
{
	static const unsigned rows[] = { 2, 4 };

	for (size_t r = 0; r < COUNT(rows); r++) {
		pthread_barrier_t step;
		pthread_t threads[4];
		struct walker w;
		struct mount m;

		mount_up(&m, "", 3600, false);
		plant(&m, TOGETHER / 10, 10);
		cat_all(&m, TOGETHER / 10, 0);
		memstore_delay(m.store, 1);
		w = (struct walker){ &m, &step };
		pthread_barrier_init(&step, NULL, rows[r]);
		for (unsigned k = 0; k < rows[r]; k++)
			pthread_create(&threads[k], NULL, walk_in_step, &w);
		for (unsigned k = 0; k < rows[r]; k++)
			pthread_join(threads[k], NULL);
		assert_int_equal(memstore_calls(m.store, "get"), TOGETHER);
		assert_int_equal(memstore_calls(m.store, "head"), 0);
		pthread_barrier_destroy(&step);
		mount_down(&m);
	}
}

/* One is so many files behind. The first three, which are not fetched ahead,
 * come at once: what is closed before its GET has told that it has ended is not
 * kept. */
static void behind(void **state)
{
	static const unsigned rows[] = { 1, 5, 40, TOGETHER };

	for (size_t r = 0; r < COUNT(rows); r++) {
		struct mount m;

		mount_up(&m, "", 3600, false);
		plant(&m, TOGETHER / 10, 10);
		cat_all(&m, TOGETHER / 10, 0);
		for (unsigned f = 0; f < TOGETHER + rows[r]; f++) {
			memstore_delay(m.store, f >= 3);
			if (f < TOGETHER)
				cat(&m, keys[f]);
			if (f >= rows[r])
				cat(&m, keys[f - rows[r]]);
		}
		assert_int_equal(memstore_calls(m.store, "get"), TOGETHER);
		assert_int_equal(memstore_calls(m.store, "head"), 0);
		mount_down(&m);
	}
}

static void *open_killed(void *mount)
{
	struct handle *h;
	int rc;

	waiter_begin(waiter_self());
	waiter_interrupt(waiter_self());
	rc = mount_open(mount, keys[5], O_RDONLY, &h);
	if (!rc) /* it was late, and found all bytes */
		fs_release(((struct mount *)mount)->fs, h);
	else
		assert_int_equal(rc, -EINTR);
	return NULL;
}

static void *cat_one(void *mount)
{
	cat(mount, keys[5]);
	return NULL;
}

/* Of the programs that wait for the same bytes one is killed. */
static void one_gives_up(void **state)
{
	for (unsigned first = 0; first < 2; first++) {
		pthread_t threads[3];
		struct mount m;

		mount_up(&m, "", 3600, false);
		plant(&m, 1, 10);
		cat_all(&m, 1, 0);
		memstore_delay(m.store, 100);
		for (unsigned k = 0; k < COUNT(threads); k++)
			pthread_create(&threads[k], NULL,
				       k == first ? open_killed : cat_one, &m);
		for (unsigned k = 0; k < COUNT(threads); k++)
			pthread_join(threads[k], NULL);
		mount_down(&m);
	}
}

SUITE(file_ahead)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),     cmocka_unit_test(side_by_side),
		cmocka_unit_test(at_random),    cmocka_unit_test(far_behind),
		cmocka_unit_test(replaced),     cmocka_unit_test(changed),
		cmocka_unit_test(failures),     cmocka_unit_test(several),
		cmocka_unit_test(evicted),      cmocka_unit_test(again),
		cmocka_unit_test(passed_over),  cmocka_unit_test(not_in_time),
		cmocka_unit_test(in_step),      cmocka_unit_test(behind),
		cmocka_unit_test(one_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
