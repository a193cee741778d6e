/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks of locks: a build with a sanitizer ends where a thread takes two in the
 * wrong order; and the documentation shows the table that is checked.
 *
 * Covers: base/lock.c
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/lock.h"
#include "unit.h"

static const struct {
	const char *says;
	enum lock_rank first, second;
	bool drop; /* the first, before the second is taken */
	bool ends;
} rows[] = {
	{ "a later one", LOCK_TREE, LOCK_FILE, false, false },
	{ "an earlier one", LOCK_FILE, LOCK_TREE, false, true },
	{ "one of the same rank", LOCK_FILE, LOCK_FILE, false, true },
	{ "an earlier one after the first", LOCK_FILE, LOCK_TREE, true, false },
	{ "a waiter under anything", LOCK_TREE, LOCK_WAITER, false, false },
	{ "anything under a waiter", LOCK_WAITER, LOCK_TREE, false, true },
};

static void take_two(size_t row) NO_THREAD_CHECK
{
	static const struct rlimit no_core;
	struct lock a, b;

	setrlimit(RLIMIT_CORE, &no_core);
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	lock_init(&a, rows[row].first);
	lock_init(&b, rows[row].second);
	lock_take(&a);
	if (rows[row].drop)
		lock_drop(&a);
	lock_take(&b);
	_exit(0);
}

static void ranks(void **state)
{
#ifdef LOCK_CHECKED
	const bool checked = true;
#else
	const bool checked = false;
#endif

	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			take_two(i);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		row_number(rows[i].says, status != 0, checked && rows[i].ends);
	}
}

/* Taken and dropped in any order, a lock is not held any more. */
static void drops(void **state) NO_THREAD_CHECK
{
	struct lock a, b, c;

	lock_init(&a, LOCK_TREE);
	lock_init(&b, LOCK_FILE);
	lock_init(&c, LOCK_POOL);
	for (int i = 0; i < 100; i++) {
		lock_take(&a);
		lock_take(&b);
		lock_take(&c);
		lock_drop(&a);
		lock_drop(&c);
		lock_drop(&b);
	}
	assert_int_equal(a.taken, 100);
	lock_destroy(&a);
	lock_destroy(&b);
	lock_destroy(&c);
}

static void documented(void **state)
{
	static const char *const names[] = {
#define LOCK_RANK(rank, name) [LOCK_##rank] = name,
		LOCK_RANKS(LOCK_RANK)
#undef LOCK_RANK
	};
	struct buf path = BUF_INIT(4096), text = BUF_INIT(1 << 20);
	const char *top = getenv("top_srcdir"), *at;

	buf_addf(&path, "%s/docs/architecture.md", top ? top : ".");
	row_number(buf_str(&path), io_read_file(buf_str(&path), &text), 0);
	at = buf_str(&text);
	for (size_t i = 0; i < COUNT(names); i++) {
		char row[64];

		if (i == LOCK_TEST || i == LOCK_STORE_TEST)
			continue;
		snprintf(row, sizeof(row), "\n| %s |", names[i]);
		at = strstr(at, row);
		row_check(names[i], at);
	}
	buf_clear(&path);
	buf_clear(&text);
}

SUITE(lock)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks),
		cmocka_unit_test(drops),
		cmocka_unit_test(documented),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
