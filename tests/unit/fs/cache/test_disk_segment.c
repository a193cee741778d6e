/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the disk cache: what they are called, which pages they have,
 * and what is found of damage.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "disk_dir.h"
#include "fs/cache/disk_segment.h"

#define PAGE DISK_PAGE
#define KIB 1024
#define SIZE (2 * DISK_SEGMENT + 5 * PAGE + 100) /* of the object */

static char *object;
static struct disk_version version;

static int setup(void **state)
{
	object = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		object[i] = (char)(i * 2654435761U >> 13);
	memset(object + 2 * PAGE, 0, PAGE); /* a page of zeros */
	return disk_segment_version(&version, "store", "key", "\"e\"", SIZE);
}

static int teardown(void **state)
{
	free(object);
	return 0;
}

/* ---- names ---- */

static const struct {
	const char *says;
	const char *store, *key, *etag;
	uint64_t size;
	bool same; /* as s k "e" 10 */
} versions[] = {
	{ "the same", "s", "k", "\"e\"", 10, true },
	{ "another store", "t", "k", "\"e\"", 10, false },
	{ "another key", "s", "kk", "\"e\"", 10, false },
	{ "another ETag", "s", "k", "\"f\"", 10, false },
	{ "another size", "s", "k", "\"e\"", 11, false },
	{ "a name that is cut elsewhere", "sk", "", "\"e\"", 10, false },
};

static void test_versions(void **state)
{
	struct disk_version v, one;
	char path[DISK_PATH_SIZE], other[DISK_PATH_SIZE];

	assert_int_equal(disk_segment_version(&one, "s", "k", "\"e\"", 10), 0);
	disk_segment_path(&one, 0, path);
	assert_int_equal(strlen(path), 2 + 1 + 62 + 2);
	assert_true(disk_segment_is_name(path + 3));
	for (size_t i = 0; i < COUNT(versions); i++) {
		assert_int_equal(disk_segment_version(
					 &v, versions[i].store, versions[i].key,
					 versions[i].etag, versions[i].size),
				 0);
		disk_segment_path(&v, 0, other);
		row_number(versions[i].says, !strcmp(path, other),
			   versions[i].same);
	}
	disk_segment_path(&one, DISK_SEGMENT - 1, other);
	assert_string_equal(other, path);
	disk_segment_path(&one, DISK_SEGMENT, other);
	assert_string_not_equal(other, path);
}

#define H62 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
static const struct {
	const char *name;
	bool is_name, is_aside;
} names[] = {
	{ H62 "-0", true, false },
	{ H62 "-1f", true, false },
	{ H62 "-0.0011aabb", false, true },
	{ H62 "-", false, false },
	{ H62, false, false },
	{ H62 "-0x", false, false },
	{ H62 "-.0", false, false },
	{ "A" H62 "-0", false, false },
	{ "usage", false, false },
	{ "notes.txt", false, false },
	{ "..", false, false },
};

static void test_names(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		row_number(names[i].name, disk_segment_is_name(names[i].name),
			   names[i].is_name);
		row_number(names[i].name, disk_segment_is_aside(names[i].name),
			   names[i].is_aside);
	}
}

/* ---- pages ---- */

static int keep(int dir, uint64_t at, size_t len)
{
	int64_t grown;

	return disk_segment_write(dir, &version, at, object + at, len, &grown);
}

/* As disk_segment_read(), and the bytes are right. */
static int look(int dir, uint64_t at, size_t len)
{
	char *bytes = NULL;
	int rc;

	/* as the memory of blocks is */
	assert_int_equal(posix_memalign((void **)&bytes, PAGE, len), 0);
	rc = disk_segment_read(dir, &version, at, bytes, len);
	if (!rc)
		assert_memory_equal(bytes, object + at, len);
	free(bytes);
	return rc;
}

/* One after the other. */
static const struct {
	const char *says;
	uint64_t at;
	size_t len;
	bool write;
	int rc;
} pages[] = {
	{ "nothing is there", 0, PAGE, false, -ENOENT },
	{ "three pages", PAGE, 3 * PAGE, true, 0 },
	{ "all of them", PAGE, 3 * PAGE, false, 0 },
	{ "one of them, of zeros", 2 * PAGE, PAGE, false, 0 },
	{ "one before", 0, 2 * PAGE, false, -ENOENT },
	{ "one behind", 3 * PAGE, 2 * PAGE, false, -ENOENT },
	{ "the same again", PAGE, 3 * PAGE, true, 0 },
	{ "a hole is left", 9 * PAGE, PAGE, true, 0 },
	{ "over the hole", PAGE, 9 * PAGE, false, -ENOENT },
	{ "the hole is filled", 0, 10 * PAGE, true, 0 },
	{ "now it is whole", 0, 10 * PAGE, false, 0 },
	{ "a whole segment", DISK_SEGMENT, DISK_SEGMENT, true, 0 },
	{ "it is there", DISK_SEGMENT, DISK_SEGMENT, false, 0 },
	{ "its last page", 2 * DISK_SEGMENT - PAGE, PAGE, false, 0 },
	{ "the object's end", 2 * DISK_SEGMENT + 5 * PAGE, 100, true, 0 },
	{ "it is there too", 2 * DISK_SEGMENT + 5 * PAGE, 100, false, 0 },
	{ "and the page before is not", 2 * DISK_SEGMENT + 4 * PAGE, PAGE + 100,
	  false, -ENOENT },
};

static void test_pages(void **state)
{
	struct disk_dir d;

	disk_dir_make(&d);
	for (size_t i = 0; i < COUNT(pages); i++)
		row_number(pages[i].says,
			   (pages[i].write ? keep : look)(d.fd, pages[i].at,
							  pages[i].len),
			   pages[i].rc);
	disk_dir_remove(&d);
}

/* From the disk itself, where that is one. */
static void test_cold(void **state)
{
	char path[DISK_PATH_SIZE];
	struct disk_dir d;
	int fd;

	disk_dir_make(&d);
	assert_int_equal(keep(d.fd, 0, DISK_SEGMENT), 0);
	disk_segment_path(&version, 0, path);
	fd = openat(d.fd, path, O_RDWR | O_CLOEXEC);
	for (size_t len = 64 * KIB; len <= DISK_SEGMENT; len *= 2) {
		assert_int_equal(fsync(fd), 0);
		assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED),
				 0);
		assert_int_equal(look(d.fd, DISK_SEGMENT - len, len), 0);
		assert_int_equal(look(d.fd, 0, len), 0);
		assert_int_equal(look(d.fd, 0, len - PAGE), 0);
	}
	close(fd);
	disk_dir_remove(&d);
}

static void test_growth(void **state)
{
	struct disk_dir d;
	int64_t first, again;

	disk_dir_make(&d);
	assert_int_equal(disk_segment_write(d.fd, &version, 0, object,
					    64 * PAGE, &first),
			 0);
	assert_true(first >= 64 * PAGE);
	assert_int_equal(disk_dir_bytes(&d), first);
	assert_int_equal(disk_segment_write(d.fd, &version, 0, object,
					    64 * PAGE, &again),
			 0);
	assert_int_equal(again, 0);
	assert_int_equal(disk_segment_write(d.fd, &version, 100 * PAGE,
					    object + 100 * PAGE, PAGE, &again),
			 0);
	assert_int_equal(disk_dir_bytes(&d), first + again);
	disk_dir_remove(&d);
}

/* ---- damage ---- */

#define PAGES_AT (3 * PAGE) /* where the pages of a whole segment begin */

static const struct {
	const char *says;
	off_t at; /* a byte that is changed; -1: none */
	off_t length; /* cut to so many; -1: not */
	int rc;
} damages[] = {
	{ "none", -1, -1, 0 },
	{ "the magic", 0, -1, -EBADMSG },
	{ "the format", 8, -1, -EBADMSG },
	{ "the head's sum", 12, -1, -EBADMSG },
	{ "the version", 20, -1, -EBADMSG },
	{ "a page's sum", 64 + 4, -1, -EBADMSG },
	{ "a byte of a page", PAGES_AT + PAGE + 17, -1, -EBADMSG },
	{ "a byte of a page of zeros", PAGES_AT + 2 * PAGE, -1, -EBADMSG },
	{ "a byte of a page that is not asked for", PAGES_AT + 4 * PAGE, -1,
	  0 },
	{ "an empty file", -1, 0, -EBADMSG },
	{ "half of the sums", -1, PAGE, -EBADMSG },
	{ "no page is left", -1, PAGES_AT, -EBADMSG },
	{ "half of the pages", -1, PAGES_AT + 2 * PAGE, -EBADMSG },
};

static void damage(struct disk_dir *d, off_t at, off_t length)
{
	char path[DISK_PATH_SIZE], byte;
	int fd;

	disk_segment_path(&version, 0, path);
	fd = openat(d->fd, path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	if (at >= 0) {
		assert_int_equal(io_pread(fd, &byte, 1, at), 1);
		byte ^= 0x40;
		assert_int_equal(io_pwrite(fd, &byte, 1, at), 0);
	}
	if (length >= 0)
		assert_int_equal(ftruncate(fd, length), 0);
	close(fd);
}

static void test_damage(void **state)
{
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct disk_dir d;

		disk_dir_make(&d);
		assert_int_equal(keep(d.fd, 0, 8 * PAGE), 0);
		damage(&d, damages[i].at, damages[i].length);
		row_number(damages[i].says, look(d.fd, 0, 4 * PAGE),
			   damages[i].rc);
		row_number(damages[i].says, look(d.fd, 0, 4 * PAGE),
			   damages[i].rc ? -ENOENT : 0);
		if (damages[i].rc) {
			row_number(damages[i].says, keep(d.fd, 0, 8 * PAGE), 0);
			row_number(damages[i].says, look(d.fd, 0, 8 * PAGE), 0);
		}
		disk_dir_remove(&d);
	}
}

/* Zeros with no sum, as a power cut may leave them, are not there. */
static void test_torn(void **state)
{
	static const char zeros[4 * PAGE];
	char path[DISK_PATH_SIZE];
	struct disk_dir d;
	int fd;

	disk_dir_make(&d);
	assert_int_equal(keep(d.fd, 0, 8 * PAGE), 0);
	disk_segment_path(&version, 0, path);
	fd = openat(d.fd, path, O_RDWR | O_CLOEXEC);
	assert_int_equal(io_pwrite(fd, zeros, 8 * 4, 64), 0);
	assert_int_equal(look(d.fd, 0, 8 * PAGE), -ENOENT);
	assert_int_equal(keep(d.fd, 0, 8 * PAGE), 0);
	/* ... and pages that were not written, with sums that were */
	assert_int_equal(io_pwrite(fd, zeros, sizeof(zeros), PAGES_AT), 0);
	close(fd);
	assert_int_equal(look(d.fd, 0, 8 * PAGE), -EBADMSG);
	disk_dir_remove(&d);
}

/* A file of another version under this one's name. */
static void test_foreign(void **state)
{
	char path[DISK_PATH_SIZE], to[DISK_PATH_SIZE];
	struct disk_version other;
	struct disk_dir d;
	int64_t grown;

	disk_dir_make(&d);
	assert_int_equal(keep(d.fd, 0, PAGE), 0);
	assert_int_equal(
		disk_segment_version(&other, "store", "key", "\"f\"", SIZE), 0);
	assert_int_equal(disk_segment_write(d.fd, &other, 0, object + PAGE,
					    PAGE, &grown),
			 0);
	disk_segment_path(&other, 0, path);
	disk_segment_path(&version, 0, to);
	assert_int_equal(renameat(d.fd, path, d.fd, to), 0);
	assert_int_equal(look(d.fd, 0, PAGE), -EBADMSG);
	assert_int_equal(look(d.fd, 0, PAGE), -ENOENT);
	/* nor is one followed elsewhere */
	assert_int_equal(symlinkat("/etc/passwd", d.fd, to), 0);
	assert_int_equal(look(d.fd, 0, PAGE), -ELOOP);
	disk_dir_remove(&d);
}

SUITE(disk_segment)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions), cmocka_unit_test(test_names),
		cmocka_unit_test(test_pages),    cmocka_unit_test(test_growth),
		cmocka_unit_test(test_cold),     cmocka_unit_test(test_damage),
		cmocka_unit_test(test_torn),     cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
