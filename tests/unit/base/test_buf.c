/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer keeps its bytes, its NUL, its limit and its first failure. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

/* Sanitizers end the program when malloc() fails, unless told otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return __asan_default_options();
}

enum step { ADD, FORMAT, RESERVE, TRUNCATE, RESET, CLEAR, WIPE };

struct row {
	const char *sentence;
	size_t max;
	struct {
		enum step step;
		const char *bytes;
		size_t n;
	} steps[6];
	const char *wanted;
	int rc;
};

static const struct row rows[] = {
	{ "a new buffer is an empty string", 10, { { RESET } }, "", 0 },
	{ "pieces follow each other",
	  10,
	  { { ADD, "ab" }, { ADD, "cd" } },
	  "abcd",
	  0 },
	{ "the limit itself fits", 4, { { ADD, "abcd" } }, "abcd", 0 },
	{ "a byte over the limit adds nothing and sticks",
	  4,
	  { { ADD, "abc" }, { ADD, "de" }, { ADD, "f" } },
	  "abc",
	  -EMSGSIZE },
	{ "a limit of nothing takes nothing",
	  0,
	  { { ADD, "a" } },
	  "",
	  -EMSGSIZE },
	{ "a format is added whole",
	  20,
	  { { ADD, "a" }, { FORMAT, "bc" } },
	  "a<bc:7>",
	  0 },
	{ "a format over the limit adds nothing",
	  5,
	  { { FORMAT, "bc" } },
	  "",
	  -EMSGSIZE },
	{ "reserved room that is counted in part ends in a NUL",
	  20,
	  { { ADD, "a" }, { RESERVE, "bc", 10 }, { ADD, "d" } },
	  "abcd",
	  0 },
	{ "room over the limit is refused",
	  5,
	  { { RESERVE, "b", 6 } },
	  "",
	  -EMSGSIZE },
	{ "truncate shortens",
	  9,
	  { { ADD, "abcd" }, { TRUNCATE, NULL, 2 } },
	  "ab",
	  0 },
	{ "truncate never lengthens",
	  9,
	  { { ADD, "ab" }, { TRUNCATE, NULL, 5 } },
	  "ab",
	  0 },
	{ "truncate of an empty buffer", 9, { { TRUNCATE, NULL, 0 } }, "", 0 },
	{ "reset forgets a failure",
	  3,
	  { { ADD, "abcd" }, { RESET }, { ADD, "ef" } },
	  "ef",
	  0 },
	{ "clear makes ready for use again",
	  3,
	  { { ADD, "abcd" }, { CLEAR }, { ADD, "ef" } },
	  "ef",
	  0 },
	{ "wipe makes ready for use again",
	  3,
	  { { ADD, "abc" }, { WIPE }, { ADD, "ef" } },
	  "ef",
	  0 },
};

static void do_step(struct buf *b, enum step step, const char *bytes, size_t n)
{
	char *room;

	switch (step) {
	case ADD:
		buf_adds(b, bytes ? bytes : "");
		break;
	case FORMAT:
		buf_addf(b, "<%s:%d>", bytes, 7);
		break;
	case RESERVE:
		room = buf_reserve(b, n);
		if (room) {
			memcpy(room, bytes, strlen(bytes));
			b->len += strlen(bytes);
		}
		break;
	case TRUNCATE:
		buf_truncate(b, n);
		break;
	case RESET:
		buf_reset(b);
		break;
	case CLEAR:
		buf_clear(b);
		break;
	case WIPE:
		buf_wipe(b);
		break;
	}
}

static void test_steps(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct buf b = BUF_INIT(r->max);

		for (size_t j = 0; j < COUNT(r->steps); j++)
			do_step(&b, r->steps[j].step, r->steps[j].bytes,
				r->steps[j].n);
		row_equal(r->sentence, buf_str(&b), r->wanted);
		row_number(r->sentence, b.len, strlen(r->wanted));
		row_number(r->sentence, buf_err(&b), r->rc);
		buf_clear(&b);
	}
}

static void test_growth_keeps_every_byte(void **state)
{
	struct buf b = BUF_INIT(100000);

	for (int i = 0; i < 100000; i++)
		buf_addc(&b, (char)(i % 251));
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal((unsigned char)b.data[i], i % 251);
	assert_int_equal(b.data[b.len], 0);
	buf_addc(&b, 'x');
	assert_int_equal(buf_err(&b), -EMSGSIZE);
	assert_int_equal(b.len, 100000);
	buf_clear(&b);
}

static void test_no_limit(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	buf_adds(&b, "ab");
	assert_null(buf_reserve(&b, SIZE_MAX - 2));
	assert_int_equal(buf_err(&b), -EMSGSIZE);
	buf_reset(&b);
	assert_null(buf_reserve(&b, SIZE_MAX / 2));
	assert_int_equal(buf_err(&b), -ENOMEM);
	buf_clear(&b);
}

static void test_detach(void **state)
{
	struct buf b = BUF_INIT(4);
	char *s;

	buf_adds(&b, "ab");
	s = buf_detach(&b);
	assert_string_equal(s, "ab");
	free(s);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");

	s = buf_detach(&b);
	assert_string_equal(s, "");
	free(s);

	buf_adds(&b, "abcde");
	assert_null(buf_detach(&b));
	assert_int_equal(buf_err(&b), -EMSGSIZE);
	buf_clear(&b);
	assert_int_equal(buf_err(&b), 0);
}

static const struct {
	const char *sentence;
	size_t bytes; /* added */
	bool moves; /* to memory of its own */
} rooms[] = {
	{ "nothing", 0, false },
	{ "what fits", 7, false },
	{ "what fits without its NUL", 8, true },
	{ "more", 100, true },
};

static void test_room_of_the_caller(void **state)
{
	for (size_t i = 0; i < COUNT(rooms); i++) {
		char room[8] = "garbage";
		char *string;
		struct buf b;

		buf_init_on(&b, room, sizeof(room), 200);
		row_equal(rooms[i].sentence, buf_str(&b), "");
		for (size_t n = 0; n < rooms[i].bytes; n++)
			buf_addc(&b, 'x');
		row_check(rooms[i].sentence,
			  (b.data != room) == rooms[i].moves);
		row_number(rooms[i].sentence, strlen(buf_str(&b)),
			   rooms[i].bytes);
		string = buf_detach(&b);
		row_check(rooms[i].sentence, string && string != room);
		row_number(rooms[i].sentence, strlen(string), rooms[i].bytes);
		free(string);
		buf_adds(&b, "again, and more than the room has");
		row_number(rooms[i].sentence, buf_err(&b), 0);
		buf_clear(&b);
	}
}

static void test_room_is_wiped(void **state)
{
	char room[8];
	struct buf b;

	buf_init_on(&b, room, sizeof(room), 200);
	buf_adds(&b, "secret");
	buf_wipe(&b);
	assert_memory_equal(room, "\0\0\0\0\0\0", 6);
	buf_init_on(&b, room, sizeof(room), 200);
	buf_adds(&b, "secret");
	buf_adds(&b, " that grows");
	assert_memory_equal(room, "\0\0\0\0\0\0", 6);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room_of_the_caller),
		cmocka_unit_test(test_room_is_wiped),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_growth_keeps_every_byte),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_detach),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
