/* File content, by example; test_file_model.c has it at random. */
#include "file_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/wait.h"
#include "fs/fs.h"
#include "store/memstore.h"

static void test_small_is_one_put(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	rig_open(&r, 0, 512 * MIB);
	f = rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, "hello", 5), 0);
	assert_int_equal(rig_read(f, 0, got, 16), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "put"), 1);
	assert_int_equal(memstore_calls(r.store, "open"), 0);
	assert_int_equal(rig_object(&r, "a", got, 16), 5);
	assert_memory_equal(got, "hello", 5);
	file_close(f);
	rig_close(&r);
}

static void test_empty(void **state)
{
	struct rig r;
	struct file *f;
	char got[4];

	rig_open(&r, 0, 512 * MIB);
	f = rig_create(&r, "a");
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(rig_object(&r, "a", got, 4), 0);
	file_close(f);
	rig_close(&r);
}

static void test_unwritten_is_never_rewritten(void **state)
{
	struct rig r;
	struct file *f;
	char got[8];

	rig_open(&r, 0, 512 * MIB);
	rig_poke(&r, "a", "content", 7);
	f = rig_find(&r, "a");
	assert_int_equal(rig_read(f, 3, got, 8), 4);
	assert_memory_equal(got, "tent", 4);
	assert_int_equal(file_truncate(f, 7), 0);
	assert_int_equal(file_publish(f), 0);
	file_close(f);
	assert_int_equal(memstore_calls(r.store, "put"), 0);
	rig_close(&r);
}

/* A megabyte of an object of four is changed: one part travels. */
static void test_server_copies(void **state)
{
	struct rig r;
	struct file *f;
	size_t n = 8 * MIB;
	char *want = malloc(n), *got = malloc(n);

	rig_open(&r, MIB, 64 * MIB);
	rig_pattern(want, n, 1);
	rig_poke(&r, "a", want, n);
	f = rig_find(&r, "a");
	rig_pattern(want + 3 * MIB + 5, 1000, 2);
	assert_int_equal(file_write(f, 3 * MIB + 5, want + 3 * MIB + 5, 1000),
			 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_calls(r.store, "part_copy"), 7);
	assert_int_equal(memstore_calls(r.store, "part"), 1);
	assert_int_equal(rig_object(&r, "a", got, n), n);
	assert_memory_equal(got, want, n);
	file_close(f);
	rig_close(&r);
	free(want);
	free(got);
}

static void test_store_without_copies(void **state)
{
	struct rig r;
	struct file *f;
	size_t n = 4 * MIB;
	char *want = malloc(n), *got = malloc(n);

	rig_open(&r, MIB, 64 * MIB);
	memstore_fail(r.store, "part_copy", 0, -ENOTSUP);
	rig_pattern(want, n, 1);
	rig_poke(&r, "a", want, n);
	f = rig_find(&r, "a");
	want[n - 1] ^= 1;
	assert_int_equal(file_write(f, n - 1, want + n - 1, 1), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(rig_object(&r, "a", got, n), n);
	assert_memory_equal(got, want, n);
	file_close(f);
	rig_close(&r);
	free(want);
	free(got);
}

/* Somebody else replaced the object: the base is not there to be kept. */
static void test_base_changed(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	rig_open(&r, 0, 64 * MIB);
	rig_poke(&r, "a", "0123456789", 10);
	f = rig_find(&r, "a");
	rig_poke(&r, "a", "abcdefghij", 10);
	assert_int_equal(rig_read(f, 0, got, 10), -ESTALE);
	assert_int_equal(file_write(f, 4, "x", 1), 0);
	assert_int_equal(file_publish(f), -ESTALE);
	file_close(f);
	assert_int_equal(rig_object(&r, "a", got, 16), 10);
	assert_memory_equal(got, "abcdefghij", 10);
	rig_close(&r);
}

static void test_rebase(void **state)
{
	struct rig r;
	struct file *f;
	struct reader old;
	struct fs_data d;
	struct object_details info;
	char got[16];

	rig_open(&r, 0, 64 * MIB);
	rig_poke(&r, "a", "0123456789", 10);
	f = rig_find(&r, "a");
	reader_init(&old, f);
	rig_poke(&r, "a", "abc", 3);
	assert_int_equal(store_head(r.store, "pre/a", &info), 0);
	file_rebase(f, &info.info);
	assert_int_equal(reader_read(&old, f, 0, 10, &d), -ESTALE);
	reader_clear(&old);
	assert_int_equal(rig_read(f, 0, got, 10), 3);
	assert_memory_equal(got, "abc", 3);
	/* Our own publication is no new version. */
	reader_init(&old, f);
	assert_int_equal(file_write(f, 3, "d", 1), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(reader_read(&old, f, 0, 10, &d), 0);
	assert_int_equal(rig_gather(&d, got), 4);
	assert_memory_equal(got, "abcd", 4);
	reader_data_release(&d);
	reader_clear(&old);
	file_close(f);
	rig_close(&r);
}

static void test_orphan(void **state)
{
	struct rig r;
	struct file *f;
	char got[16];

	rig_open(&r, 4 * KIB, 64 * MIB);
	f = rig_create(&r, "a");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(file_write(f, i * 4096, got, 16), 0);
	file_orphan(f);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(memstore_uploads(r.store), 0);
	assert_int_equal(rig_object(&r, "a", got, 16), -ENOENT);
	assert_int_equal(file_write(f, 0, "hello", 5), 0);
	assert_int_equal(rig_read(f, 0, got, 5), 5);
	assert_memory_equal(got, "hello", 5);
	file_close(f);
	rig_close(&r);
}

/* A new name may move before it is published; what was sent is sent again. */
static void test_unbind(void **state)
{
	struct rig r;
	struct file *f;
	char want[20000], got[20000];

	rig_open(&r, 4 * KIB, 64 * MIB);
	rig_pattern(want, sizeof(want), 3);
	f = rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, want, sizeof(want)), 0);
	assert_int_equal(memstore_uploads(r.store), 1);
	assert_true(file_unbind(f));
	assert_int_equal(memstore_uploads(r.store), 0);
	assert_int_equal(tree_moved(r.env.tree, file_inode(f),
				    tree_root(r.env.tree), "b"),
			 0);
	assert_int_equal(file_publish(f), 0);
	assert_false(file_unbind(f));
	assert_int_equal(rig_object(&r, "a", got, 1), -ENOENT);
	assert_int_equal(rig_object(&r, "b", got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f);
	rig_close(&r);
}

static void test_moved(void **state)
{
	struct rig r;
	struct file *f;
	struct object_info info;
	char got[16];

	rig_open(&r, 0, 64 * MIB);
	rig_poke(&r, "a", "0123456789", 10);
	f = rig_find(&r, "a");
	assert_int_equal(rig_read(f, 0, got, 2), 2);
	assert_int_equal(
		store_copy(r.store, "pre/a", NULL, "pre/b", NULL, &info), 0);
	assert_int_equal(store_remove(r.store, "pre/a"), 0);
	assert_int_equal(tree_moved(r.env.tree, file_inode(f),
				    tree_root(r.env.tree), "b"),
			 0);
	file_moved(f, &info);
	assert_int_equal(file_write(f, 1, "x", 1), 0);
	assert_int_equal(rig_read(f, 0, got, 16), 10);
	assert_memory_equal(got, "0x23456789", 10);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(rig_object(&r, "b", got, 16), 10);
	assert_memory_equal(got, "0x23456789", 10);
	file_close(f);
	rig_close(&r);
}

static void test_too_big(void **state)
{
	struct rig r;
	struct file *f;

	rig_open(&r, 4 * KIB, 64 * MIB);
	f = rig_create(&r, "a");
	assert_int_equal(file_truncate(f, 40960000), 0);
	assert_int_equal(file_truncate(f, 40960001), -EFBIG);
	assert_int_equal(file_write(f, 40960000, "x", 1), -EFBIG);
	assert_int_equal(file_write(f, UINT64_MAX, "x", 1), -EFBIG);
	assert_int_equal(file_truncate(f, 0), 0);
	file_close(f);
	rig_close(&r);
}

static void *interrupt_soon(void *waiter)
{
	usleep(50000);
	waiter_interrupt(waiter);
	return NULL;
}

/* An interrupted publish keeps the bytes; the next one goes on. */
static void test_interrupted(void **state)
{
	struct rig r;
	struct file *f;
	pthread_t t;
	char want[20000], got[20000];

	rig_open(&r, 4 * KIB, 64 * MIB);
	rig_pattern(want, sizeof(want), 3);
	f = rig_create(&r, "a");
	memstore_delay(r.store, 300);
	assert_int_equal(file_write(f, 0, want, sizeof(want)), 0);
	waiter_begin(waiter_self());
	pthread_create(&t, NULL, interrupt_soon, waiter_self());
	assert_int_equal(file_publish(f), -EINTR);
	pthread_join(t, NULL);
	waiter_begin(waiter_self());
	memstore_delay(r.store, 0);
	want[19999] ^= 1;
	assert_int_equal(file_write(f, 19999, want + 19999, 1), 0);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(rig_object(&r, "a", got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_is_one_put),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_unwritten_is_never_rewritten),
		cmocka_unit_test(test_server_copies),
		cmocka_unit_test(test_store_without_copies),
		cmocka_unit_test(test_base_changed),
		cmocka_unit_test(test_rebase),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_unbind),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
