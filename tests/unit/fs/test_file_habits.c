/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is fetched in vain where files are opened in one way or another: under a
 * tenth by programs that go through directories, and not one in a hundred by
 * those that open files at random. All files are of one size, so that the bytes
 * are the GETs; the same orders each time.
 *
 * Covers: fs/file_ahead.c fs/names/trail.c
 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs_fixture.h"
#include "memstore.h"

#define FILES_MAX 1000

static char keys[FILES_MAX][32];

/* Directories of as many files, each of which is listed. */
static void plant(struct mount *m, unsigned dirs, unsigned files)
{
	static char names[1 << 16];
	unsigned n = 0;

	for (unsigned d = 0; d < dirs; d++)
		for (unsigned f = 0; f < files; f++, n++) {
			snprintf(keys[n], sizeof(keys[n]), "d%03u/f%03u", d, f);
			store_has(m, keys[n], keys[n]);
		}
	assert_int_equal(mount_ls(m, "", names, sizeof(names)), 0);
	for (unsigned d = 0; d < dirs; d++) {
		char dir[16];

		snprintf(dir, sizeof(dir), "d%03u", d);
		assert_int_equal(mount_ls(m, dir, names, sizeof(names)), 0);
	}
}

static void cat(struct mount *m, unsigned f)
{
	char text[64];

	assert_int_equal(mount_cat(m, keys[f], text, sizeof(text)),
			 strlen(keys[f]));
	assert_string_equal(text, keys[f]);
}

static unsigned order[FILES_MAX];

/* A sequence that is the same everywhere. */
static unsigned dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (*seed >> 33) % sides;
}

static void shuffle(unsigned *at, unsigned n, uint64_t *seed)
{
	for (unsigned k = n - 1; k > 0; k--) {
		unsigned other = dice(seed, k + 1), kept = at[k];

		at[k] = at[other];
		at[other] = kept;
	}
}

static int by_place(const void *a, const void *b)
{
	return *(const unsigned *)a - *(const unsigned *)b;
}

struct habit {
	const char *name;
	unsigned dirs, files; /* that there are */
	unsigned from, to; /* of `by`; opened in each directory */
	/* Files [0, n) of each directory, as `order`. */
	unsigned (*some)(const struct habit *h, unsigned n, uint64_t *seed);
	unsigned most; /* in vain, of a thousand that are opened */
	unsigned ahead; /* at least, when half of them are */
};

/* The first n of each. */
static unsigned first_few(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned k = 0;

	for (unsigned d = 0; d < h->dirs; d++)
		for (unsigned f = 0; f < n; f++)
			order[k++] = d * h->files + f;
	return k;
}

/* From one to n of each. */
static unsigned first_any(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned k = 0;

	for (unsigned d = 0; d < h->dirs; d++)
		for (unsigned f = 0, m = 1 + dice(seed, n); f < m; f++)
			order[k++] = d * h->files + f;
	return k;
}

/* Any n of each, one directory after the other. */
static unsigned any_of_each(const struct habit *h, unsigned n, uint64_t *seed)
{
	static unsigned one[FILES_MAX];
	unsigned k = 0;

	for (unsigned d = 0; d < h->dirs; d++) {
		for (unsigned f = 0; f < h->files; f++)
			one[f] = d * h->files + f;
		shuffle(one, h->files, seed);
		for (unsigned f = 0; f < n; f++)
			order[k++] = one[f];
	}
	return k;
}

static unsigned any_in_order(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned k = any_of_each(h, n, seed);

	qsort(order, k, sizeof(order[0]), by_place);
	return k;
}

static unsigned any_of_all(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned all = h->dirs * h->files;

	for (unsigned f = 0; f < all; f++)
		order[f] = f;
	shuffle(order, all, seed);
	return h->dirs * n;
}

/* All of the first n directories. */
static unsigned whole_few(const struct habit *h, unsigned n, uint64_t *seed)
{
	for (unsigned f = 0; f < n * h->files; f++)
		order[f] = f;
	return n * h->files;
}

/* One worker's share: each n-th of all. */
static unsigned each_nth(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned k = 0;

	for (unsigned f = dice(seed, n); f < h->dirs * h->files; f += n)
		order[k++] = f;
	return k;
}

/* n workers with a share each; none is ahead of another by more than a file. */
static unsigned n_workers(const struct habit *h, unsigned n, uint64_t *seed)
{
	unsigned all = h->dirs * h->files;

	for (unsigned f = 0; f < all; f++)
		order[f] = f;
	for (unsigned f = 0; f + n <= all; f += n)
		shuffle(order + f, n, seed);
	return all;
}

static const struct habit habits[] = {
	{ "the first few", 20, 20, 1, 19, first_few, 100 },
	{ "the first few of many", 10, 100, 20, 99, first_few, 100 },
	{ "as many as it comes to", 40, 20, 3, 8, first_any, 100 },
	{ "all of the first", 30, 20, 1, 6, whole_few, 100 },
	{ "all of the first, small", 300, 3, 1, 40, whole_few, 100 },
	{ "some in order", 40, 20, 5, 18, any_in_order, 100 },
	{ "some at random", 40, 20, 2, 15, any_of_each, 10 },
	{ "some of all at random", 40, 20, 1, 15, any_of_all, 10 },
	{ "files of a directory at random", 1, 100, 10, 90, any_of_all, 10 },
	{ "a worker's share", 10, 100, 2, 16, each_nth, 100 },
	{ "the shares of some workers", 10, 100, 2, 8, n_workers, 0, 8 },
	{ "all", 100, 10, 100, 100, whole_few, 0, 32 },
	{ "all of few", 10, 100, 10, 10, whole_few, 0, 32 },
	{ "all of one", 1, 1000, 1, 1, whole_few, 0, 32 },
};

/* How many are fetched in vain, of those that `order` has. */
static unsigned in_vain(const struct habit *h, unsigned opens)
{
	struct mount m;
	unsigned gets;

	mount_up(&m, "", 3600, false);
	plant(&m, h->dirs, h->files);
	for (unsigned k = 0; k < opens; k++) {
		cat(&m, order[k]);
		gets = memstore_calls(m.store, "get");
		if (k == opens / 2)
			assert_in_range(gets - k, h->ahead, UINT_MAX);
	}
	gets = memstore_calls(m.store, "get");
	mount_down(&m);
	assert_in_range(gets, opens, UINT_MAX);
	return gets - opens;
}

static void few_in_vain(void **state)
{
	for (size_t k = 0; k < COUNT(habits); k++) {
		const struct habit *h = &habits[k];
		unsigned step = h->to - h->from > 20 ? 13 : 1;

		for (unsigned by = h->from; by <= h->to; by += step) {
			uint64_t seed = by;
			unsigned opens = h->some(h, by, &seed);
			unsigned vain = in_vain(h, opens);

			print_message("# %s, %u: %u of %u in vain\n", h->name,
				      by, vain, opens);
			assert_in_range(vain * 1000, 0, h->most * opens);
		}
	}
}

/* A training job: all files in another order in each epoch, or in the same by
 * workers that each take every n-th, come once while there is memory. */
static void epochs(void **state)
{
	const struct habit h = { .dirs = 4, .files = 50 };
	uint64_t seed = 1;
	struct mount m;

	mount_up(&m, "", 3600, false);
	plant(&m, h.dirs, h.files);
	for (unsigned epoch = 0; epoch < 4; epoch++) {
		unsigned n = epoch % 2 ? n_workers(&h, 4, &seed)
				       : any_of_all(&h, h.files, &seed);

		for (unsigned k = 0; k < n; k++)
			cat(&m, order[k]);
		assert_int_equal(memstore_calls(m.store, "get"), n);
	}
	assert_int_equal(memstore_calls(m.store, "head"), 0);
	mount_down(&m);
}

SUITE(file_habits)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_in_vain),
		cmocka_unit_test(epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
