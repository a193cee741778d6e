/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing to the end: files by table, a pipe that hands out a byte
 * at a time, and copies by the kernel and by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "unit.h"

static int file_of(const char *text)
{
	FILE *f = tmpfile();
	int fd = f ? dup(fileno(f)) : -1;

	assert_true(fd >= 0);
	fclose(f);
	assert_int_equal(io_pwrite(fd, text, strlen(text), 0), 0);
	return fd;
}

static const struct {
	const char *says;
	uint64_t at;
	size_t n;
	ssize_t got; /* by io_pread() */
	const char *bytes, *zeros; /* by the two; '0' for a NUL */
} reads[] = {
	{ "all of it", 0, 5, 5, "abcde", "abcde" },
	{ "the middle", 1, 3, 3, "bcd", "bcd" },
	{ "short at the end", 3, 4, 2, "de", "de00" },
	{ "nothing behind the end", 9, 2, 0, "", "00" },
	{ "nothing asked", 2, 0, 0, "", "" },
};

static void reads_by_table(void **state)
{
	int fd = file_of("abcde");

	for (size_t i = 0; i < COUNT(reads); i++) {
		const char *says = reads[i].says;
		char room[8] = "", shown[8] = "";

		row_number(says, io_pread(fd, room, reads[i].n, reads[i].at),
			   reads[i].got);
		row_equal(says, room, reads[i].bytes);
		memset(room, 'x', sizeof(room));
		row_number(says,
			   io_pread_zeros(fd, room, reads[i].n, reads[i].at),
			   0);
		for (size_t k = 0; k < reads[i].n; k++)
			shown[k] = room[k] ? room[k] : '0';
		row_equal(says, shown, reads[i].zeros);
	}
	close(fd);
	row_number("no descriptor", io_pread(-1, NULL, 1, 0), -EBADF);
	row_number("no descriptor", io_pread_zeros(-1, NULL, 1, 0), -EBADF);
}

static const struct {
	const char *says;
	size_t max, len;
	int rc;
} wholes[] = {
	{ "empty", 10, 0, 0 },
	{ "shorter than the limit", 10, 9, 0 },
	{ "the limit itself", 10, 10, 0 },
	{ "one more than the limit", 10, 11, -EMSGSIZE },
	{ "no room at all", 0, 1, -EMSGSIZE },
	{ "more than one step", 100000, 99999, 0 },
};

static void reads_all(void **state)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		struct buf out = BUF_INIT(wholes[i].max);
		char *text = calloc(1, wholes[i].len + 1);
		int fd;

		memset(text, 'x', wholes[i].len);
		fd = file_of(text);
		row_number(wholes[i].says, io_read_all(fd, &out), wholes[i].rc);
		if (!wholes[i].rc)
			row_equal(wholes[i].says, buf_str(&out), text);
		buf_clear(&out);
		close(fd);
		free(text);
	}
}

static void reads_a_file(void **state)
{
	struct buf out = BUF_INIT(100);
	char path[] = "/tmp/test_io.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, "text", 4), 0);
	close(fd);
	assert_int_equal(io_read_file(path, &out), 0);
	assert_string_equal(buf_str(&out), "text");
	assert_int_equal(io_read_file("/", &out), -EISDIR);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(io_read_file(path, &out), -ENOENT);
	buf_clear(&out);
}

static void *drip(void *arg)
{
	for (const char *s = "slow"; *s; s++)
		io_write(*(int *)arg, s, 1);
	close(*(int *)arg);
	return NULL;
}

static void reads_a_pipe(void **state)
{
	char room[8] = "";
	pthread_t thread;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(thread_start(&thread, "drip", drip, &pipes[1]), 0);
	assert_int_equal(io_read(pipes[0], room, sizeof(room)), 4);
	assert_string_equal(room, "slow");
	pthread_join(thread, NULL);
	close(pipes[0]);
}

static int keep_piece(void *arg, const void *bytes, size_t n)
{
	struct buf *out = arg;

	buf_add(out, bytes, n);
	return buf_err(out);
}

static void reads_pieces(void **state)
{
	struct buf out = BUF_INIT(1 << 20);
	const size_t n = 600000;
	char *text = malloc(n + 1);
	int fd;

	assert_non_null(text);
	for (size_t k = 0; k < n; k++)
		text[k] = (char)('a' + k % 23);
	text[n] = '\0';
	fd = file_of(text);
	assert_int_equal(io_each(fd, 0, n, keep_piece, &out), 0);
	assert_string_equal(buf_str(&out), text);
	buf_reset(&out);
	assert_int_equal(io_each(fd, 7, 300000, keep_piece, &out), 0);
	assert_int_equal(out.len, 300000);
	assert_memory_equal(out.data, text + 7, 300000);
	buf_reset(&out);
	assert_int_equal(io_each(fd, n, 0, keep_piece, &out), 0);
	assert_int_equal(io_each(fd, n - 2, 3, keep_piece, &out), -EIO);
	assert_string_equal(buf_str(&out), text + n - 2);
	buf_reset(&out);
	assert_int_equal(io_each_there(fd, n - 2, 3, keep_piece, &out), 0);
	assert_int_equal(io_each_there(fd, n + 1, 3, keep_piece, &out), 0);
	assert_string_equal(buf_str(&out), text + n - 2);
	buf_reset(&out);
	out.max = 1;
	assert_int_equal(io_each(fd, 0, n, keep_piece, &out), -EMSGSIZE);
	assert_int_equal(io_each(-1, 0, n, keep_piece, &out), -EBADF);
	buf_clear(&out);
	free(text);
	close(fd);
}

static void writes(void **state)
{
	static const char byte = 'x';
	size_t done = 7;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, &byte, 1), -ENOSPC);
	assert_int_equal(io_pwrite(fd, &byte, 1, 0), -ENOSPC);
	assert_int_equal(io_pwrite_some(fd, &byte, 1, 0, &done), -ENOSPC);
	assert_int_equal(done, 0);
	assert_int_equal(io_write(fd, NULL, 0), 0);
	close(fd);
}

static const struct {
	const char *says;
	uint64_t from_at, to_at, n;
	int rc;
	const char *want;
} copies[] = {
	{ "all of it", 0, 0, 6, 0, "abcdef" },
	{ "a piece to another place", 2, 1, 3, 0, ".cde" },
	{ "nothing", 2, 1, 0, 0, "" },
	{ "the source ends early", 4, 0, 3, -ENODATA, "ef" },
	{ "behind its end", 9, 0, 1, -ENODATA, "" },
};

/* Into a file, and into one that the kernel does not copy to. */
static void copies_by_table(void **state)
{
	for (size_t i = 0; i < 2 * COUNT(copies); i++) {
		size_t row = i / 2;
		int from = file_of("abcdef"), to = file_of("");
		char text[16] = "";
		ssize_t n;

		if (i % 2)
			fcntl(to, F_SETFL, O_APPEND);
		if (i % 2 && copies[row].to_at)
			assert_int_equal(ftruncate(to, 1), 0);
		row_number(copies[row].says,
			   io_copy(from, copies[row].from_at, to,
				   copies[row].to_at, copies[row].n),
			   copies[row].rc);
		n = io_pread(to, text, sizeof(text) - 1, 0);
		for (ssize_t k = 0; k < n; k++)
			text[k] = text[k] ? text[k] : '.';
		if (copies[row].n)
			row_equal(copies[row].says, text, copies[row].want);
		close(from);
		close(to);
	}
}

static void zeros_by_table(void **state)
{
	static const struct {
		const char *says;
		uint64_t from, to;
		const char *text; /* of "abcde"; '0' for a NUL */
	} rows[] = {
		{ "the middle", 1, 3, "a00de" },
		{ "all of it", 0, 5, "00000" },
		{ "nothing asked", 2, 2, "abcde" },
		{ "over the end", 3, 8, "abc00000" },
		{ "behind the end", 6, 8, "abcde000" },
	};

	for (size_t k = 0; k < COUNT(rows); k++) {
		int fd = file_of("abcde");
		char text[16];
		ssize_t n;

		row_number(rows[k].says, io_zero(fd, rows[k].from, rows[k].to),
			   0);
		n = io_pread(fd, text, sizeof(text) - 1, 0);
		assert_true(n >= 0);
		for (ssize_t b = 0; b < n; b++)
			text[b] = text[b] ? text[b] : '0';
		text[n] = '\0';
		assert_string_equal(text, rows[k].text);
		close(fd);
	}
}

static void copy_is_interrupted(void **state)
{
	struct waiter *self = waiter_self();
	int from = file_of(""), to = file_of("");

	assert_int_equal(ftruncate(from, 1 << 20), 0);
	fcntl(to, F_SETFL, O_APPEND); /* by hand: several pieces */
	waiter_begin(self);
	waiter_interrupt(self);
	assert_int_equal(io_copy(from, 0, to, 0, 1 << 20), -EINTR);
	waiter_begin(self);
	assert_int_equal(io_copy(from, 0, to, 0, 1 << 20), 0);
	close(from);
	close(to);
}

static void syncs_a_directory(void **state)
{
	assert_int_equal(io_sync_dir("/tmp"), 0);
	assert_int_equal(io_sync_dir("/tmp/stagefs-no-such-directory"),
			 -ENOENT);
	assert_int_equal(io_sync_dir("/proc/self/status"), -ENOTDIR);
}

SUITE(io)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_by_table),
		cmocka_unit_test(reads_all),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(reads_a_pipe),
		cmocka_unit_test(reads_pieces),
		cmocka_unit_test(writes),
		cmocka_unit_test(copies_by_table),
		cmocka_unit_test(zeros_by_table),
		cmocka_unit_test(copy_is_interrupted),
		cmocka_unit_test(syncs_a_directory),
	};

	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
