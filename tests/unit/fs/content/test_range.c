/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zeros, copies, data and holes of open files, and what is fetched of an object
 * that goes: as a program finds them, and what they cost.
 */
#include "file_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/content/range.h"
#include "memstore.h"

#define PART (64 * KIB)
#define SIZE (16 * PART + 100)

/* What a file of `size` bytes is to be. */
static char *model_new(size_t size)
{
	char *model = malloc(size);

	memcpy(model, rig_bytes, size);
	return model;
}

static void check_content(struct rig *r, const char *name, struct file *f,
			  const char *model, size_t size)
{
	char *got = malloc(size + 1);

	assert_int_equal(file_rig_read(f, 0, got, size + 1), size);
	assert_memory_equal(got, model, size);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_rig_object(r, name, got, size), size);
	assert_memory_equal(got, model, size);
	free(got);
}

/* ---- zeros ---- */

static const struct {
	const char *sentence;
	uint64_t from, to;
	unsigned parts; /* that are sent of an object */
} zeros[] = {
	{ "a few bytes", 5 * PART + 10, 5 * PART + 20, 1 },
	{ "the first byte", 0, 1, 1 },
	{ "a whole part", 3 * PART, 4 * PART, 1 },
	{ "over an edge", 2 * PART - 1, 2 * PART + 1, 2 },
	{ "to beyond the end", 16 * PART + 50, 17 * PART, 1 },
	{ "nothing", 100, 100, 0 },
	{ "beyond the end", SIZE, 2 * SIZE, 0 },
};

static void zero_row(struct rig *r, size_t row, bool is_new)
{
	uint64_t end = zeros[row].to < SIZE ? zeros[row].to : SIZE;
	char *model = model_new(SIZE);
	struct file *f;

	if (is_new) {
		f = file_rig_create(r, "a");
		assert_int_equal(file_rig_write(f, 0, SIZE), 0);
	} else {
		file_rig_poke(r, "a", rig_bytes, SIZE);
		f = file_rig_find(r, "a");
	}
	row_number(zeros[row].sentence,
		   file_zero(f, zeros[row].from, zeros[row].to), 0);
	if (zeros[row].from < end)
		memset(model + zeros[row].from, 0, end - zeros[row].from);
	check_content(r, "a", f, model, SIZE);
	if (!is_new)
		row_number(zeros[row].sentence,
			   memstore_calls(r->store, "part"), zeros[row].parts);
	file_close(f);
	free(model);
}

static void test_zeros(void **state)
{
	for (size_t row = 0; row < COUNT(zeros); row++)
		for (int is_new = 0; is_new < 2; is_new++) {
			struct rig r;

			file_rig_open(&r, PART, 64 * MIB);
			zero_row(&r, row, is_new);
			file_rig_close(&r);
		}
}

static void test_zeros_on_a_disk(void **state)
{
	char *model = model_new(SIZE);
	struct rig r;
	struct file *f;

	file_rig_open_local(&r);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(f, 0, SIZE), 0);
	assert_int_equal(file_publish(f), 0);
	for (size_t row = 0; row < COUNT(zeros); row++) {
		uint64_t end = zeros[row].to < SIZE ? zeros[row].to : SIZE;

		assert_int_equal(file_zero(f, zeros[row].from, zeros[row].to),
				 0);
		if (zeros[row].from < end)
			memset(model + zeros[row].from, 0,
			       end - zeros[row].from);
	}
	check_content(&r, "a", f, model, SIZE);
	file_close(f);
	free(model);
	file_rig_close(&r);
}

/* ---- data and holes ---- */

static void check_seek(struct file *f, uint64_t from, int whence, int result,
		       uint64_t wanted)
{
	uint64_t found = UINT64_MAX;

	assert_int_equal(range_seek(f, from, whence, &found), result);
	if (!result)
		assert_int_equal(found, wanted);
}

static void test_seek(void **state)
{
	struct rig r;
	struct file *f;

	file_rig_open(&r, PART, 64 * MIB);
	file_rig_poke(&r, "a", rig_bytes, 2 * PART);
	f = file_rig_find(&r, "a");
	check_seek(f, 0, SEEK_DATA, 0, 0);
	check_seek(f, 7, SEEK_DATA, 0, 7);
	check_seek(f, 7, SEEK_HOLE, 0, 2 * PART);
	check_seek(f, 2 * PART, SEEK_DATA, -ENXIO, 0);
	check_seek(f, 2 * PART, SEEK_HOLE, -ENXIO, 0);
	assert_int_equal(file_truncate(f, 8 * PART), 0);
	check_seek(f, 7, SEEK_HOLE, 0, 2 * PART);
	check_seek(f, 3 * PART, SEEK_HOLE, 0, 3 * PART);
	check_seek(f, 3 * PART, SEEK_DATA, -ENXIO, 0);
	assert_int_equal(file_write(f, 5 * PART, "data", 4), 0);
	check_seek(f, 2 * PART, SEEK_DATA, 0, 5 * PART);
	check_seek(f, 5 * PART + 1, SEEK_DATA, 0, 5 * PART + 1);
	assert_int_equal(file_publish(f), 0);
	check_seek(f, 2 * PART, SEEK_DATA, 0, 2 * PART);
	file_close(f);
	file_rig_close(&r);
}

static void test_seek_on_a_disk(void **state)
{
	struct rig r;
	struct file *f;
	uint64_t at;

	file_rig_open_local(&r);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, "head", 4), 0);
	assert_int_equal(file_write(f, MIB, "tail", 4), 0);
	for (int published = 0; published < 2; published++) {
		check_seek(f, 0, SEEK_DATA, 0, 0);
		assert_int_equal(range_seek(f, 0, SEEK_HOLE, &at), 0);
		assert_in_range(at, 4, MIB + 4);
		check_seek(f, MIB + 4, SEEK_DATA, -ENXIO, 0);
		check_seek(f, MIB, SEEK_HOLE, 0, MIB + 4);
		assert_int_equal(file_publish(f), 0);
	}
	file_close(f);
	file_rig_close(&r);
}

/* ---- copies ---- */

static long copy(struct file *to, uint64_t at, struct file *from,
		 uint64_t offset, uint64_t len)
{
	const struct file_range range = { offset, at, len };
	uint64_t done;
	int rc = file_copy(to, from, &range, &done);

	return rc ? rc : (long)done;
}

/* An object that is copied whole, in pieces, is one copy of the server's. */
static void test_copy_whole(void **state)
{
	struct rig r;
	struct file *from, *to;

	file_rig_open(&r, PART, 64 * MIB);
	file_rig_poke(&r, "a", rig_bytes, SIZE);
	from = file_rig_find(&r, "a");
	to = file_rig_create(&r, "b");
	assert_int_equal(copy(to, 0, from, 0, 100), 100);
	assert_int_equal(copy(to, 100, from, 100, 3 * PART), 3 * PART);
	assert_int_equal(copy(to, 3 * PART + 100, from, 3 * PART + 100,
			      UINT32_MAX),
			 13 * PART);
	assert_int_equal(copy(to, SIZE, from, SIZE, 10), 0);
	assert_int_equal(memstore_calls(r.store, "copy"), 0);
	file_rig_check_read(to, 0, SIZE);
	assert_int_equal(memstore_calls(r.store, "put"), 0);
	assert_int_equal(file_publish(to), 0);
	assert_int_equal(memstore_calls(r.store, "copy"), 1);
	assert_int_equal(memstore_calls(r.store, "put"), 0);
	assert_int_equal(memstore_calls(r.store, "open"), 0);
	file_rig_check_object(&r, "b", SIZE);
	/* from then on it is its own */
	file_rig_poke(&r, "a", "other", 5);
	file_rig_check_read(to, 5 * PART, PART);
	file_close(from);
	file_close(to);
	file_rig_close(&r);
}

/* What is changed in the copy is sent, the rest is copied by parts. */
static void test_copy_changed(void **state)
{
	char *model = model_new(SIZE);
	struct rig r;
	struct file *from, *to;

	file_rig_open(&r, PART, 64 * MIB);
	file_rig_poke(&r, "a", rig_bytes, SIZE);
	from = file_rig_find(&r, "a");
	to = file_rig_create(&r, "b");
	assert_int_equal(copy(to, 0, from, 0, SIZE), SIZE);
	assert_int_equal(file_write(to, 4 * PART + 3, "changed", 7), 0);
	memcpy(model + 4 * PART + 3, "changed", 7);
	check_content(&r, "b", to, model, SIZE);
	assert_int_equal(memstore_calls(r.store, "part"), 1);
	assert_int_equal(memstore_calls(r.store, "part_copy"), 16);
	file_rig_check_object(&r, "a", SIZE);
	file_close(from);
	file_close(to);
	free(model);
	file_rig_close(&r);
}

/* The copy is of that version, or it is none. */
static void test_copy_is_bound(void **state)
{
	struct rig r;
	struct file *from, *to;
	char got[8];

	file_rig_open(&r, PART, 64 * MIB);
	file_rig_poke(&r, "a", rig_bytes, SIZE);
	file_rig_poke(&r, "b", "old", 3);
	from = file_rig_find(&r, "a");
	to = file_rig_find(&r, "b");
	assert_int_equal(file_reset(to), 0);
	assert_int_equal(copy(to, 0, from, 0, SIZE), SIZE);
	file_rig_poke(&r, "a", rig_bytes + 1, SIZE);
	assert_int_equal(file_publish(to), -ESTALE);
	assert_int_equal(file_rig_object(&r, "b", got, sizeof(got)), 3);
	assert_int_equal(file_reset(to), 0);
	assert_int_equal(file_write(to, 0, "new", 3), 0);
	assert_int_equal(file_publish(to), 0);
	assert_int_equal(file_rig_object(&r, "b", got, sizeof(got)), 3);
	assert_memory_equal(got, "new", 3);
	file_close(from);
	file_close(to);
	file_rig_close(&r);
}

/* These are for the kernel to read and write. */
static void test_copy_refused(void **state)
{
	struct rig r;
	struct file *from, *to, *dirty;

	file_rig_open(&r, PART, 64 * MIB);
	file_rig_poke(&r, "a", rig_bytes, SIZE);
	from = file_rig_find(&r, "a");
	to = file_rig_create(&r, "b");
	dirty = file_rig_create(&r, "c");
	assert_int_equal(file_write(dirty, 0, "text", 4), 0);
	assert_int_equal(copy(to, 0, dirty, 0, 4), -EOPNOTSUPP);
	assert_int_equal(copy(to, 0, from, PART, PART), -EOPNOTSUPP);
	assert_int_equal(copy(to, PART, from, PART, PART), -EOPNOTSUPP);
	assert_int_equal(copy(dirty, 4, from, 4, PART), -EOPNOTSUPP);
	assert_int_equal(copy(from, 0, from, 0, PART), -EOPNOTSUPP);
	assert_int_equal(file_publish(to), 0);
	assert_int_equal(file_publish(dirty), 0);
	file_close(from);
	file_close(to);
	file_close(dirty);
	file_rig_close(&r);
}

static void test_copy_on_a_disk(void **state)
{
	char *model = model_new(SIZE);
	struct rig r;
	struct file *from, *to;

	file_rig_open_local(&r);
	from = file_rig_create(&r, "a");
	assert_int_equal(file_rig_write(from, 0, SIZE), 0);
	assert_int_equal(file_publish(from), 0);
	assert_int_equal(file_write(from, 2 * PART, "new", 3), 0);
	memcpy(model + 2 * PART, "new", 3);
	to = file_rig_create(&r, "b");
	assert_int_equal(copy(to, 0, from, 0, 2 * SIZE), SIZE);
	/* elsewhere, and within one file */
	assert_int_equal(copy(to, 50, from, PART, PART), PART);
	memcpy(model + 50, rig_bytes + PART, PART);
	assert_int_equal(copy(to, 10 * PART, to, 3 * PART, PART), PART);
	memcpy(model + 10 * PART, model + 3 * PART, PART);
	check_content(&r, "b", to, model, SIZE);
	file_close(from);
	file_close(to);
	free(model);
	file_rig_close(&r);
}

/* ---- an object that goes ---- */

static void test_hold(void **state)
{
	struct rig r;
	struct file *f, *reader;
	unsigned gets;

	file_rig_open(&r, PART, 8 * MIB);
	file_rig_poke(&r, "a", rig_bytes, sizeof(rig_bytes));
	f = file_rig_find(&r, "a");
	/* no other handle is open */
	gets = memstore_calls(r.store, "get");
	assert_int_equal(file_hold(f), 0);
	assert_int_equal(memstore_calls(r.store, "get"), gets);
	reader = inode_file_get(r.env.tree, file_inode(f));
	assert_ptr_equal(reader, f);
	assert_int_equal(file_hold(f), 0);
	assert_int_equal(memstore_poke_remove(r.store, "pre/a"), 0);
	tree_remove(r.env.tree, file_inode(f));
	file_orphan(f);
	file_close(f);
	file_rig_check_read(reader, 0, sizeof(rig_bytes));
	/* it can be written to, which changes nothing in the store */
	assert_int_equal(file_write(reader, PART, "text", 4), 0);
	assert_int_equal(file_truncate(reader, 2 * PART), 0);
	assert_int_equal(file_publish(reader), 0);
	file_rig_check_read(reader, 0, PART);
	file_close(reader);
	file_rig_close(&r);
}

SUITE(range)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_zeros_on_a_disk),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_seek_on_a_disk),
		cmocka_unit_test(test_copy_whole),
		cmocka_unit_test(test_copy_changed),
		cmocka_unit_test(test_copy_is_bound),
		cmocka_unit_test(test_copy_refused),
		cmocka_unit_test(test_copy_on_a_disk),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
