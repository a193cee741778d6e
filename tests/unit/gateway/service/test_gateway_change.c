/* SPDX-License-Identifier: Apache-2.0 */
/* What another program does to a file while the gateway sends it. */
#include "gateway_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define KEY "stage/big"
#define SIZE (48 << 20) /* beyond what two sockets hold */
#define WAITS (8 << 20)

static struct gateway_rig rig;

static int setup(void **state)
{
	gateway_rig_open(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

static const char *path(void)
{
	return local_rig_path(&rig.disk, KEY);
}

static void write_text(const char *text, size_t n)
{
	int fd = open(path(), O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, text, n, 0), n);
	close(fd);
}

static void write_at(off_t at)
{
	int fd = open(path(), O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "other", 5, at), 5);
	close(fd);
}

static void nothing(void)
{
}

static void write_at_the_end(void)
{
	write_at(SIZE - 5);
}

static void write_at_the_begin(void)
{
	write_at(0);
}

/* What waits in the sockets, and what is read next. */
static void write_on_its_way(void)
{
	char *text = malloc(WAITS);

	assert_non_null(text);
	memset(text, 'o', WAITS);
	write_text(text, WAITS);
	free(text);
}

static void append(void)
{
	write_at(SIZE);
}

static void cut(void)
{
	assert_int_equal(truncate(path(), SIZE / 2), 0);
}

static void empty(void)
{
	assert_int_equal(truncate(path(), 0), 0);
}

static void replace(void)
{
	local_rig_write(&rig.disk, "stage/aside", "another");
	assert_int_equal(
		rename(local_rig_path(&rig.disk, "stage/aside"), path()), 0);
}

static void put(void)
{
	local_rig_put(rig.disk.s, KEY, "another");
}

static void take_away(void)
{
	assert_int_equal(unlink(path()), 0);
}

static void close_it(void)
{
	assert_int_equal(chmod(path(), 0600), 0);
}

static const struct {
	const char *sentence;
	void (*change)(void);
	bool whole;
} rows[] = {
	{ "nothing", nothing, true },
	{ "bytes at the end are written in place", write_at_the_end, false },
	{ "bytes that have gone out are", write_at_the_begin, false },
	{ "bytes that are on their way are", write_on_its_way, false },
	{ "it grows", append, false },
	{ "it is cut", cut, false },
	{ "it is emptied", empty, false },
	{ "another takes its name", replace, true },
	{ "another object does", put, true },
	{ "it is removed", take_away, true },
	{ "its mode changes", close_it, true },
};

/* With an object of ours, or a file of another program, whose ETag has its
 * ctime. */
static void fill(bool ours)
{
	char *text = malloc(SIZE);
	const struct store_body body = { .data = text, .fd = -1, .len = SIZE };

	assert_non_null(text);
	memset(text, 'x', SIZE);
	assert_int_equal(store_put(rig.disk.s, KEY, &body, NULL, NULL, NULL),
			 0);
	if (!ours)
		write_text(text, SIZE);
	free(text);
}

static int begin(const char *range)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a);
	struct buf head = BUF_INIT(BUF_URL);
	int small = 65536, fd = rig_connect(&rig);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	buf_addf(&head, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target,
		 rig.host, range);
	assert_int_equal(send(fd, head.data, head.len, 0), head.len);
	buf_clear(&head);
	free(target);
	return fd;
}

static bool is_old(const char *text, size_t n)
{
	return !n || (*text == 'x' && !memcmp(text, text + 1, n - 1));
}

/* Bytes of the body until it is whole or the connection ends, all of the
 * version that was asked for. */
static size_t finish(size_t i, int fd, char *room, size_t got, size_t size)
{
	const char *body = memmem(room, got, "\r\n\r\n", 4);
	size_t all;
	ssize_t n;

	assert_non_null(body);
	all = got - (size_t)(body + 4 - room);
	row_check(rows[i].sentence, is_old(body + 4, all));
	while (all < size && (n = recv(fd, room, 1 << 20, 0)) > 0) {
		row_check(rows[i].sentence, is_old(room, n));
		all += n;
	}
	return all;
}

static void run(size_t i, bool ours, const char *range, size_t size)
{
	char *room = malloc(1 << 20);
	size_t all;
	ssize_t got;
	int fd;

	fill(ours);
	fd = begin(range);
	got = recv(fd, room, 60000, 0);
	row_check(rows[i].sentence, got > 0);
	rows[i].change();
	all = finish(i, fd, room, got, size);
	if (rows[i].whole)
		row_number(rows[i].sentence, all, size);
	else
		row_check(rows[i].sentence, all < size);
	close(fd);
	free(room);
}

static void one_version_or_none(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		run(i, true, "", SIZE);
		run(i, false, "", SIZE);
		run(i, true, "Range: bytes=1000-40000999\r\n", 40000000);
	}
}

/* ---- lengths ---- */

static const struct {
	const char *sentence;
	size_t size;
} sizes[] = {
	{ "what goes with its head", 32768 },
	{ "a byte more", 32769 },
	{ "a piece", 262144 },
	{ "pieces and a bit", (3 << 20) + 77 },
	{ "and more", (9 << 20) + 1 },
};

static void put_pattern(const char *key, char *text, size_t size)
{
	const struct store_body body = { .data = text, .fd = -1, .len = size };

	for (size_t i = 0; i < size; i++)
		text[i] = (char)(i % 251);
	assert_int_equal(store_put(rig.disk.s, key, &body, NULL, NULL, NULL),
			 0);
}

static unsigned count_in(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strcasestr(text, word))) {
		n++;
		text++;
	}
	return n;
}

/* Asked for twice on one connection: the bytes are right, announced once, and
 * the next answer comes. */
static void all_lengths(void **state)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const struct ask a = { .key = "stage/odd" };
		const size_t size = sizes[i].size;
		char *text = malloc(size), *target = rig_target(&rig, &a);
		struct buf head = BUF_INIT(2 * BUF_URL);
		char length[24];
		struct reply r;

		put_pattern(a.key, text, size);
		buf_addf(&head,
			 "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
			 "GET %s HTTP/1.1\r\nHost: %s\r\n"
			 "Connection: close\r\n\r\n",
			 target, rig.host, target, rig.host);
		rig_raw(&rig, head.data, head.len, &r);
		reply_expect(sizes[i].sentence, &r, 200, NULL);
		row_check(sizes[i].sentence, !strncmp(r.head, "HTTP/1.1 ", 9));
		snprintf(length, sizeof(length), "%zu", size);
		row_equal(sizes[i].sentence, reply_header(&r, "Content-Length"),
			  length);
		row_number(sizes[i].sentence,
			   count_in(r.head, "content-length"), 1);
		row_number(sizes[i].sentence, count_in(r.head, "chunked"), 0);
		row_check(sizes[i].sentence, r.len >= size);
		assert_memory_equal(r.body, text, size);
		row_check(sizes[i].sentence, r.len > 2 * size);
		assert_memory_equal(r.body + r.len - size, text, size);
		reply_clear(&r);
		buf_clear(&head);
		free(target);
		free(text);
	}
}

SUITE(gateway_change)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_version_or_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(all_lengths, setup, teardown),
	};

	return cmocka_run_group_tests_name("gateway_change", tests, NULL, NULL);
}
