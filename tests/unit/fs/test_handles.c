/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of open files at the end of a mount, and which still write.
 *
 * Covers: fs/handle.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOTHING "(there is none)"

/* What was done with a file that held "old" before the mount ended. */
enum act {
	END, /* of the list */
	OPEN, /* O_TRUNC */
	APPEND, /* without */
	WRITE, /* "new" at the beginning */
	FLUSH, /* close(2) of one descriptor */
	FAIL, /* the store refuses from here on */
	HEAL, /* it does not any more */
	REMOVE, /* unlink */
};

struct end_case {
	const char *sentence;
	enum act acts[8];
	/* What the object holds when its release was merely not heard, and when
	 * it is still open. */
	const char *closed, *open;
	bool closed_fails, open_fails; /* and is logged */
};

static const struct end_case end_cases[] = {
	{ "an emptied file", { OPEN }, "", "old", false, true },
	{ "an emptied file, closed once", { OPEN, FLUSH }, "", "old", 0, true },
	{ "... closed twice", { OPEN, FLUSH, FLUSH }, "", "", 0, 0 },
	{ "a written one", { OPEN, WRITE }, "new", "old", false, true },
	{ "... closed", { OPEN, WRITE, FLUSH }, "new", "new", false, false },
	{ "... and written again",
	  { APPEND, WRITE, FLUSH, WRITE },
	  "new",
	  "new",
	  false,
	  true },
	{ "one that was only opened", { APPEND }, "old", "old", false, false },
	{ "one whose close failed",
	  { OPEN, WRITE, FAIL, FLUSH, HEAL },
	  "old",
	  "old",
	  false,
	  true },
	{ "one whose release fails",
	  { OPEN, WRITE, FAIL },
	  "old",
	  "old",
	  true,
	  true },
	{ "one that has no name",
	  { OPEN, WRITE, REMOVE },
	  NOTHING,
	  NOTHING,
	  0,
	  0 },
};

static void act(struct mount *m, enum act a, struct handle **h)
{
	switch (a) {
	case OPEN:
	case APPEND:
		assert_int_equal(
			mount_open(m, "f", O_WRONLY | (a == OPEN ? O_TRUNC : 0),
				   h),
			0);
		break;
	case WRITE:
		assert_int_equal(fs_file_write(m->fs, *h, 0, "new", 3), 0);
		break;
	case FLUSH:
		fs_file_flush(m->fs, *h);
		break;
	case FAIL:
	case HEAL:
		memstore_fail(m->store, "put", 0, a == FAIL ? -EACCES : 0);
		break;
	case REMOVE:
		assert_int_equal(mount_unlink(m, "f"), 0);
		break;
	case END:
		break;
	}
}

/* The errors in a log that name that key. */
static int errors_of(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, key) && strstr(line, "error: ");
	fclose(f);
	return n;
}

/* A mount whose errors are counted. */
struct ending {
	struct mount m;
	char log[40];
};

static void begin(struct ending *e)
{
	int fd;

	strcpy(e->log, "/tmp/stagefs-handles-XXXXXX");
	fd = mkstemp(e->log);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(log_open(e->log, LOG_LEVEL_INFO), 0);
	mount_up(&e->m, "", 60, false);
	assert_int_equal(mount_write(&e->m, "f", "old"), 0);
}

static void end(struct ending *e)
{
	mount_down(&e->m);
	log_close();
	unlink(e->log);
}

/* What the store itself has. */
static void content(struct mount *m, char *out, size_t size)
{
	size_t n = 0;

	if (store_get_sync(m->store, "f", NULL, 0, out, size - 1, &n, NULL))
		n = (size_t)snprintf(out, size, "%s", NOTHING);
	out[n] = '\0';
}

static void run_end(const struct end_case *c, bool closed)
{
	bool fails = closed ? c->closed_fails : c->open_fails;
	struct handle *h = NULL;
	struct ending e;
	char text[64];
	int rc;

	begin(&e);
	for (const enum act *a = c->acts; *a; a++)
		act(&e.m, *a, &h);
	rc = fs_drain(e.m.fs, closed);
	row_check(c->sentence, !!rc == fails);
	row_number(c->sentence, errors_of(e.log, "key=\"f\""), fails);
	memstore_fail(e.m.store, "put", 0, 0);
	content(&e.m, text, sizeof(text));
	row_equal(c->sentence, text, closed ? c->closed : c->open);
	end(&e);
}

static void test_ends(void **state)
{
	for (size_t k = 0; k < COUNT(end_cases); k++) {
		run_end(&end_cases[k], true);
		run_end(&end_cases[k], false);
	}
}

/* Two handles that write one file are one loss; what streamed leaves no
 * upload. */
static void test_streamed(void **state)
{
	static char piece[1 << 20];
	struct handle *h, *k, *r, *n;
	struct ending e;
	char text[64];

	begin(&e);
	assert_int_equal(mount_open(&e.m, "f", O_RDONLY, &r), 0);
	assert_int_equal(mount_open(&e.m, "f", O_WRONLY | O_TRUNC, &h), 0);
	assert_int_equal(mount_open(&e.m, "f", O_WRONLY, &k), 0);
	assert_int_equal(mount_create(&e.m, "new", &n), 0);
	for (off_t at = 0; !memstore_uploads(e.m.store); at++) {
		assert_true(at < 200);
		assert_int_equal(fs_file_write(e.m.fs, h, at << 20, piece,
					       sizeof(piece)),
				 0);
	}
	assert_int_equal(fs_drain(e.m.fs, false), -EIO);
	assert_int_equal(memstore_uploads(e.m.store), 0);
	assert_int_equal(errors_of(e.log, "key=\"f\""), 1);
	assert_int_equal(errors_of(e.log, "key=\"new\""), 1);
	content(&e.m, text, sizeof(text));
	assert_string_equal(text, "old");
	assert_false(store_holds(&e.m, "new"));
	end(&e);
}

static void test_writers(void **state)
{
	struct handle *r, *w, *t;
	struct fs_writers now;
	int64_t before;
	struct mount m;

	mount_up(&m, "", 60, false);
	fs_writers(m.fs, &now);
	assert_int_equal(now.open, 0);
	assert_int_equal(now.last_ms, 0);
	assert_int_equal(mount_create(&m, "f", &w), 0);
	assert_int_equal(fs_file_flush(m.fs, w), 0);
	assert_int_equal(mount_open(&m, "f", O_RDONLY, &r), 0);
	/* it is emptied, and nothing can be written through it */
	assert_int_equal(mount_open(&m, "f", O_RDONLY | O_TRUNC, &t), 0);
	usleep(20000);
	before = clock_mono_ms();
	fs_writers(m.fs, &now);
	assert_int_equal(now.open, 1);
	assert_true(now.last_ms > 0 && now.last_ms < before);
	assert_int_equal(fs_file_write(m.fs, w, 0, "x", 1), 0);
	fs_writers(m.fs, &now);
	assert_true(now.last_ms >= before);
	fs_release(m.fs, t);
	fs_release(m.fs, w);
	fs_writers(m.fs, &now);
	assert_int_equal(now.open, 0);
	fs_release(m.fs, r);
	mount_down(&m);
}

SUITE(handles)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_streamed),
		cmocka_unit_test(test_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
