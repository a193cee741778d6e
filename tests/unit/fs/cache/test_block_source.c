/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users of one version of an object, and what stays of it, whole, for the next
 * one. block_source.c, block.c, block_cache.c.
 */
#include "file_rig.h"

#include <errno.h>
#include <stdio.h>

#include "base/budget.h"
#include "base/pool.h"
#include "fs/cache/block_cache.h"
#include "memstore.h"

static const char *small_key(unsigned k)
{
	static char key[16];

	snprintf(key, sizeof(key), "pre/s%u", k);
	return key;
}

/* A source of so many bytes, all of which are read if that is wanted. */
static struct block_source *small_source(struct rig *r, unsigned k, size_t size,
					 bool reads)
{
	struct block_source *s;
	struct object_details d;
	struct block *b;

	if (store_head(r->store, small_key(k), &d)) {
		file_rig_poke(r, small_key(k) + 4, rig_bytes, size);
		assert_int_equal(store_head(r->store, small_key(k), &d), 0);
	}
	s = block_source_new(r->env.blocks, r->store, small_key(k), d.info.etag,
			     size);
	assert_non_null(s);
	if (reads) {
		assert_int_equal(block_get(s, 0, 0, size, BLOCK_WAIT, &b), 0);
		assert_int_equal(block_wait_all(b), 0);
		block_unref(b);
	}
	return s;
}

static unsigned gets_of(struct rig *r)
{
	return memstore_calls(r->store, "get");
}

/* What its user has left is there for the next one of the same version, within
 * a bound, and for no other. */
static void test_left(void **state)
{
	struct block_source *s;
	struct rig r;
	uint64_t end;

	file_rig_open(&r, 0, 64 * MIB);
	block_source_leave(NULL);
	block_source_leave(small_source(&r, 1, 4096, true));
	block_source_leave(small_source(&r, 2, 4096, false)); /* nothing */
	block_source_leave(small_source(&r, 3, 2 * MIB, true)); /* too large */
	assert_int_equal(budget_used(r.env.budget) % (2 * MIB), 4096);
	s = small_source(&r, 1, 4096, true);
	assert_int_equal(gets_of(&r), 2);
	block_source_leave(s);
	/* another version of the same key, twice: the later one is kept */
	s = block_source_new(r.env.blocks, r.store, small_key(1), "\"x\"",
			     4096);
	assert_false(block_present(s, 0, &end));
	block_source_leave(s);
	s = small_source(&r, 1, 4096, false);
	assert_true(block_present(s, 0, &end));
	block_source_leave(s);
	/* the oldest go first: a sixteenth of the memory */
	for (unsigned k = 4; k < 4 + 100; k++)
		block_source_leave(small_source(&r, k, 64 * KIB, true));
	s = small_source(&r, 1, 4096, false);
	assert_false(block_present(s, 0, &end));
	block_source_leave(s);
	s = small_source(&r, 103, 64 * KIB, false);
	assert_true(block_present(s, 0, &end));
	block_source_leave(s);
	pool_trim(block_cache_pool(r.env.blocks), SIZE_MAX);
	assert_int_equal(budget_used(r.env.budget), 4 * MIB);
	block_cache_forget(r.env.blocks, r.store);
	pool_trim(block_cache_pool(r.env.blocks), SIZE_MAX);
	assert_int_equal(budget_used(r.env.budget), 0);
	file_rig_close(&r);
}

/* Whose source is that of the first small object? */
static const struct {
	const char *says;
	unsigned key;
	const char *etag; /* NULL: the object's */
	size_t size;
	bool shares;
} versions[] = {
	{ "the same version", 1, NULL, 4096, true },
	{ "another length", 1, NULL, 4095, false },
	{ "another version", 1, "\"x\"", 4096, false },
	{ "another object", 2, NULL, 4096, false },
	{ "whatever is there", 1, "", 4096, false },
};

/* All users of a version have one source. */
static void test_users(void **state)
{
	struct block_source *s, *other;
	struct object_details d;
	struct rig r;

	file_rig_open(&r, 0, 64 * MIB);
	s = small_source(&r, 1, 4096, false);
	assert_int_equal(store_head(r.store, small_key(1), &d), 0);
	for (size_t i = 0; i < COUNT(versions); i++) {
		const char *etag = versions[i].etag;

		other = block_source_new(r.env.blocks, r.store,
					 small_key(versions[i].key),
					 etag ? etag : d.info.etag,
					 versions[i].size);
		row_check(versions[i].says, (other == s) == versions[i].shares);
		if (etag && !*etag) { /* nor with another such */
			struct block_source *twin =
				block_source_new(r.env.blocks, r.store,
						 small_key(1), etag, 4096);

			assert_ptr_not_equal(twin, other);
			block_source_leave(twin);
		}
		block_source_leave(other);
	}
	/* under its new name it is found, under the old one not */
	assert_int_equal(block_source_move(s, "pre/moved", d.info.etag), 0);
	other = block_source_new(r.env.blocks, r.store, "pre/moved",
				 d.info.etag, 4096);
	assert_ptr_equal(other, s);
	block_source_leave(other);
	other = small_source(&r, 1, 4096, false);
	assert_ptr_not_equal(other, s);
	block_source_leave(other);
	block_source_leave(s);
	file_rig_close(&r);
}

/* A GET is made once for all of them, and goes on until the last one goes. */
static void test_users_leave(void **state)
{
	struct block_source *s, *other, *later;
	struct block *b, *held;
	struct rig r;
	uint64_t end;

	file_rig_open(&r, 0, 64 * MIB);
	s = small_source(&r, 1, 4096, false);
	other = small_source(&r, 1, 4096, false);
	memstore_delay(r.store, 50);
	assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_AHEAD, &b), 0);
	block_unref(b);
	block_source_leave(s);
	held = block_hold(other);
	assert_non_null(held);
	assert_int_equal(block_wait_all(held), 0);
	assert_int_equal(gets_of(&r), 1);
	block_release(held);
	/* what one has given up is still whole for the other, and for no
	 * third */
	s = small_source(&r, 1, 4096, false);
	block_source_drop(s);
	assert_true(block_present(other, 0, &end));
	later = small_source(&r, 1, 4096, false);
	assert_ptr_not_equal(later, other);
	block_source_leave(other);
	assert_false(block_present(later, 0, &end));
	block_source_leave(later);
	/* the last one takes it with it */
	s = small_source(&r, 1, 4096, false);
	other = small_source(&r, 1, 4096, false);
	memstore_delay(r.store, 60000);
	assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_AHEAD, &b), 0);
	block_unref(b);
	block_source_leave(s);
	block_source_leave(other);
	pool_trim(block_cache_pool(r.env.blocks), SIZE_MAX);
	assert_int_equal(budget_used(r.env.budget), 0);
	block_source_drop(NULL);
	file_rig_close(&r);
}

/* Not many without a user, however much memory there is. */
static void test_left_many(void **state)
{
	struct rig r;

	file_rig_open(&r, 0, 1024 * MIB);
	for (unsigned k = 0; k < BLOCK_KEPT + 10; k++)
		block_source_leave(small_source(&r, k, 100, true));
	pool_trim(block_cache_pool(r.env.blocks), SIZE_MAX);
	assert_int_equal(budget_used(r.env.budget), BLOCK_KEPT * 4096);
	file_rig_close(&r);
}

/* What is held is not taken back; an eighth of the memory may be. */
static void test_held(void **state)
{
	struct block_source *s[20];
	struct block *held[20];
	unsigned n = 0;
	struct rig r;
	uint64_t end;

	file_rig_open(&r, 0, 8 * MIB);
	for (unsigned k = 0; k < COUNT(s); k++) {
		s[k] = small_source(&r, k, 64 * KIB, k != 1);
		held[k] = block_hold(s[k]);
		n += held[k] != NULL;
		block_cache_reclaim(r.env.blocks, SIZE_MAX, RANK_UNREAD);
		assert_int_equal(block_present(s[k], 0, &end), held[k] != NULL);
	}
	assert_null(held[1]); /* its bytes are not there */
	assert_int_equal(n, 16);
	assert_ptr_equal(block_hold(s[0]), held[0]); /* again: not counted */
	block_release(held[0]);
	for (unsigned k = 0; k < COUNT(s); k++) {
		if (held[k])
			block_release(held[k]);
		block_source_leave(s[k]);
	}
	file_rig_close(&r);
}

/* A GET that is under way is waited for; one that fails is no reason. */
static void test_held_early(void **state)
{
	static const int fails[] = { 0, -EACCES, -ESTALE };

	for (size_t i = 0; i < COUNT(fails); i++) {
		struct block_source *s;
		struct block *b, *held;
		struct rig r;

		file_rig_open(&r, 0, 64 * MIB);
		s = small_source(&r, 1, 4096, false);
		memstore_delay(r.store, 20);
		if (fails[i])
			memstore_fail(r.store, "get", 1, fails[i]);
		assert_int_equal(block_get(s, 0, 0, 4096, BLOCK_TRY, &b), 0);
		held = block_hold(s);
		block_unref(b);
		if (held) { /* it may have failed before */
			assert_int_equal(block_wait_all(held),
					 fails[i] == -EACCES ? -EAGAIN
							     : fails[i]);
			block_release(held);
		} else {
			assert_true(fails[i]);
		}
		block_source_leave(s);
		file_rig_close(&r);
	}
}

SUITE(block_source)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_users_leave),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_left_many),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
