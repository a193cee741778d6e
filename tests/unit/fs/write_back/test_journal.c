/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal against a model: what was added, moved and ended, by numbers; and
 * what is left of it when the file is cut or damaged anywhere.
 *
 * Covers: fs/write_back/journal_index.c
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "fs/write_back/journal.h"
#include "fs/write_back/journal_file.h"
#include "unit.h"

#define CHANGES 64

static char top[] = "/tmp/stagefs-journal-XXXXXX";

static int setup(void **state)
{
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static struct journal *open_it(const char *mount_name)
{
	struct journal *j;

	assert_int_equal(journal_open(top, mount_name, &j), 0);
	return j;
}

static int add_file(struct journal *j, uint64_t id, const char *key,
		    const char *bytes)
{
	const struct extent all = { 0, strlen(bytes) };
	const struct record r = {
		.kind = RECORD_FILE,
		.id = id,
		.stage = "s",
		.place = "p",
		.key = key,
		.data = "",
		.seal = { .size = all.end,
			  .base_etag = "",
			  .base_key = "",
			  .extents = &all,
			  .n = all.end > 0,
			  .bytes = bytes,
			  .len = all.end },
	};

	return journal_add(j, &r, true);
}

static int move(struct journal *j, uint64_t id, const char *key)
{
	const struct record r = { .kind = RECORD_MOVE, .id = id, .key = key };

	return journal_add(j, &r, false);
}

static int ending(struct journal *j, uint64_t id, const char *key)
{
	const struct record r = {
		.kind = RECORD_ENDING, .id = id, .key = key, .ending = "\"e\""
	};

	return journal_add(j, &r, false);
}

/* `ID KEY BYTES;` of each, in order; with the ETag of what is ending. */
static int append(void *arg, const struct record *r)
{
	buf_addf(arg, "%llu %s %.*s%s;", (unsigned long long)r->id, r->key,
		 (int)r->seal.len, r->seal.bytes, r->ending ? r->ending : "");
	return 0;
}

static void expect(struct journal *j, const char *what, const char *wanted)
{
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(journal_each(j, append, &b), 0);
	row_equal(what, buf_str(&b), wanted);
	buf_clear(&b);
}

static void survives(void **state)
{
	struct journal *j = open_it("survives"), *other;
	struct buf path = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(journal_open(top, "survives", &other), -EBUSY);
	assert_int_equal(add_file(j, journal_id(j), "a", "one"), 0);
	assert_int_equal(add_file(j, journal_id(j), "b", "two"), 0);
	assert_int_equal(add_file(j, journal_id(j), "c", ""), 0);
	assert_int_equal(add_file(j, 1, "a", "three"), 0);
	assert_int_equal(move(j, 2, "d"), 0);
	journal_gone(j, 3);
	journal_close(j);
	for (int k = 0; k < 2; k++) {
		j = open_it("survives");
		expect(j, "reopened", "1 a three;2 d two;");
		journal_close(j);
	}
	j = open_it("survives");
	assert_int_equal(journal_id(j), 3);
	/* what comes to a name takes the place of what has it */
	assert_int_equal(move(j, 1, "d"), 0);
	journal_close(j);
	j = open_it("survives");
	expect(j, "replaced", "1 d three;");
	journal_gone(j, 1);
	journal_close(j);
	journal_file_path(top, "survives", &path);
	assert_int_equal(access(buf_str(&path), F_OK), -1);
	buf_clear(&path);
}

/* As on a disk that is full, where the new file has no room: here its name is
 * taken. The old one goes on, behind its last record. */
static void cannot_be_written_anew(void **state)
{
	struct journal *j = open_it("full");
	struct buf fresh = BUF_INIT(BUF_MESSAGE);

	journal_file_path(top, "full", &fresh);
	buf_adds(&fresh, "/journal.new");
	assert_int_equal(add_file(j, journal_id(j), "a", "one"), 0);
	assert_int_equal(add_file(j, journal_id(j), "b", "two"), 0);
	journal_close(j);
	assert_int_equal(mkdir(buf_str(&fresh), 0700), 0);
	j = open_it("full");
	expect(j, "left", "1 a one;2 b two;");
	journal_gone(j, 1);
	assert_int_equal(add_file(j, journal_id(j), "c", "three"), 0);
	journal_close(j);
	j = open_it("full");
	expect(j, "and what came", "2 b two;3 c three;");
	assert_int_equal(move(j, 2, "d"), 0);
	journal_close(j);
	assert_int_equal(rmdir(buf_str(&fresh)), 0);
	j = open_it("full");
	expect(j, "written anew", "2 d two;3 c three;");
	journal_close(j);
	buf_clear(&fresh);
}

/* On a disk that is full the end of a change finds room all the same. */
static void ends_without_room(void **state)
{
	struct journal *j = open_it("room");
	struct journal_counts now;
	struct rlimit was, limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(add_file(j, journal_id(j), "a", "one"), 0);
	assert_int_equal(add_file(j, journal_id(j), "b", "two"), 0);
	assert_int_equal(add_file(j, 1, "a", "three"), 0);
	assert_int_equal(move(j, 1, "c"), 0);
	journal_counts(j, &now);
	limit = (struct rlimit){ now.size, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(add_file(j, journal_id(j), "d", "four"), -EFBIG);
	journal_gone(j, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	journal_close(j);
	j = open_it("room");
	expect(j, "what is left", "2 b two;");
	journal_close(j);
}

/* What went by a name that another one has now; read again and again. */
static void swapped(void **state)
{
	struct journal *j = open_it("swapped");

	assert_int_equal(add_file(j, journal_id(j), "a", "one"), 0);
	assert_int_equal(add_file(j, journal_id(j), "b", "two"), 0);
	assert_int_equal(move(j, 1, "x"), 0);
	assert_int_equal(move(j, 2, "a"), 0);
	assert_int_equal(move(j, 1, "b"), 0);
	/* as logs are turned */
	assert_int_equal(add_file(j, journal_id(j), "log", "old"), 0);
	assert_int_equal(move(j, 3, "log.1"), 0);
	assert_int_equal(add_file(j, journal_id(j), "log", "new"), 0);
	assert_int_equal(move(j, 3, "log.2"), 0);
	assert_int_equal(move(j, 4, "log.1"), 0);
	assert_int_equal(add_file(j, journal_id(j), "log", "newest"), 0);
	for (int k = 0; k < 3; k++) {
		journal_close(j);
		j = open_it("swapped");
		expect(j, "swapped",
		       "1 b one;2 a two;3 log.2 old;4 log.1 new;5 log newest;");
	}
	journal_close(j);
}

/* Until the next record of it. */
static void ends(void **state)
{
	struct journal *j = open_it("ends");

	assert_int_equal(add_file(j, journal_id(j), "a", "one"), 0);
	assert_int_equal(add_file(j, journal_id(j), "b", "two"), 0);
	assert_int_equal(add_file(j, journal_id(j), "c", "three"), 0);
	assert_int_equal(move(j, 2, "d"), 0);
	assert_int_equal(ending(j, 1, "a"), 0);
	assert_int_equal(ending(j, 2, "d"), 0);
	assert_int_equal(ending(j, 3, "c"), 0);
	for (int k = 0; k < 2; k++) {
		journal_close(j);
		j = open_it("ends");
		expect(j, "reopened",
		       "1 a one\"e\";2 d two\"e\";3 c three\"e\";");
	}
	assert_int_equal(add_file(j, 1, "a", "four"), 0);
	assert_int_equal(move(j, 2, "d"), 0);
	journal_gone(j, 3);
	journal_close(j);
	j = open_it("ends");
	expect(j, "over", "1 a four;2 d two;");
	journal_close(j);
}

/* ---- cut and damaged ---- */

static char journal_path[4096];

static void find_path(const char *mount_name)
{
	struct buf path = BUF_INIT(BUF_MESSAGE);

	journal_file_path(top, mount_name, &path);
	snprintf(journal_path, sizeof(journal_path), "%s/journal",
		 buf_str(&path));
	buf_clear(&path);
}

/* And so many zeros, as of room that was made. */
static void put_back(const char *bytes, size_t n, size_t zeros)
{
	int fd = open(journal_path, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, bytes, n), 0);
	assert_int_equal(ftruncate(fd, (off_t)(n + zeros)), 0);
	close(fd);
}

/* A journal of some steps, and what each leaves; the file's size after it. */
static const char *const left[] = {
	"",
	"1 a one;",
	"1 a one;2 b two;",
	"1 z one;2 b two;",
	"1 z one;2 b more;",
	"2 b more;",
	"2 b more;3 c last;",
};
static size_t sizes[COUNT(left)];

static size_t size_now(struct journal *j)
{
	struct journal_counts n;

	journal_counts(j, &n);
	return n.size;
}

static void record_steps(const char *mount_name, struct buf *all)
{
	struct journal *j = open_it(mount_name);

	find_path(mount_name);
	sizes[0] = size_now(j);
	add_file(j, 1, "a", "one");
	sizes[1] = size_now(j);
	add_file(j, 2, "b", "two");
	sizes[2] = size_now(j);
	move(j, 1, "z");
	sizes[3] = size_now(j);
	add_file(j, 2, "b", "more");
	sizes[4] = size_now(j);
	journal_gone(j, 1);
	sizes[5] = size_now(j);
	add_file(j, 3, "c", "last");
	sizes[6] = size_now(j);
	assert_int_equal(io_read_file(journal_path, all), 0);
	journal_close(j);
	assert_true(all->len >= sizes[6]);
	buf_truncate(all, sizes[6]);
}

/* What is cut of a record is what stands there anyway. */
static bool is_zeros(const struct buf *all, size_t from, size_t to)
{
	while (from < to && !all->data[from])
		from++;
	return from == to;
}

/* Cut at every byte: what was whole by then is there, and nothing else. */
static void cut_anywhere(void **state)
{
	struct buf all = BUF_INIT(16 << 20);

	record_steps("cut", &all);
	for (size_t n = 0; n <= all.len; n++) {
		size_t k = COUNT(left) - 1;
		struct journal *j = open_it("cut");

		/* so that its folder is there */
		assert_int_equal(add_file(j, 99, "x", "x"), 0);
		journal_close(j);
		put_back(all.data, n, n % 2 ? 0 : 5000);
		while (sizes[k] > n && (n % 2 || !is_zeros(&all, n, sizes[k])))
			k--;
		j = open_it("cut");
		expect(j, "cut", left[k]);
		journal_close(j);
	}
	buf_clear(&all);
}

/* A record in the middle that is damaged costs itself, not what follows. */
static void damaged_amid(void **state)
{
	struct buf all = BUF_INIT(16 << 20);
	struct journal *j;

	record_steps("damaged", &all);
	all.data[sizes[1] + 40] ^= 1; /* of `2 b two` */
	put_back(all.data, all.len, 5000);
	j = open_it("damaged");
	expect(j, "damaged", "2 b more;3 c last;");
	journal_close(j);
	buf_clear(&all);
}

/* ---- many ---- */

struct model {
	bool there;
	int version;
	char key[32];
};

/* Steps by lot on a model and the journal, which becomes longer than it needs
 * to be many times; opened again now and then. */
static void against_model(void **state)
{
	static struct model model[CHANGES + 1];
	struct buf wanted = BUF_INIT(1 << 20);
	char bytes[6000];
	struct journal *j = open_it("model");
	unsigned seed = 7;

	memset(model, 0, sizeof(model));
	for (int step = 0; step < 6000; step++) {
		unsigned id = 1 + (unsigned)rand_r(&seed) % CHANGES;
		struct model *m = &model[id];
		int what = rand_r(&seed) % 8;

		if (what < 5) {
			m->version = step;
			if (!m->there)
				snprintf(m->key, sizeof(m->key), "k%u", id);
			m->there = true;
			memset(bytes, 'a' + step % 26, sizeof(bytes));
			bytes[step % (int)sizeof(bytes)] = '\0';
			assert_int_equal(add_file(j, id, m->key, bytes), 0);
		} else if (what == 5 && m->there) {
			snprintf(m->key, sizeof(m->key), "k%u-%d", id, step);
			assert_int_equal(move(j, id, m->key), 0);
		} else if (what == 6 && m->there) {
			m->there = false;
			journal_gone(j, id);
		}
		if (step % 500 == 499) {
			journal_close(j);
			j = open_it("model");
		}
	}
	for (unsigned id = 1; id <= CHANGES; id++) {
		struct buf got = BUF_INIT(1 << 20);

		buf_reset(&wanted);
		if (!model[id].there)
			continue;
		buf_addf(&wanted, "%u %s ", id, model[id].key);
		for (int k = 0; k < model[id].version % (int)sizeof(bytes); k++)
			buf_addc(&wanted, 'a' + model[id].version % 26);
		buf_addc(&wanted, ';');
		assert_int_equal(journal_each(j, append, &got), 0);
		assert_non_null(strstr(buf_str(&got), buf_str(&wanted)));
		buf_clear(&got);
	}
	for (unsigned id = 1; id <= CHANGES; id++)
		journal_gone(j, id);
	expect(j, "all have gone", "");
	journal_close(j);
	buf_clear(&wanted);
}

/* Several threads add at once; each is answered when its own are there. */
struct adder {
	struct journal *journal;
	pthread_t thread;
	unsigned number;
	int failed;
};

static void *add_many(void *arg)
{
	struct adder *a = arg;
	char key[32];

	for (unsigned k = 0; k < 100; k++) {
		uint64_t id = journal_id(a->journal);

		snprintf(key, sizeof(key), "%u-%u", a->number, k);
		a->failed |= add_file(a->journal, id, key, key);
		if (k % 2)
			journal_gone(a->journal, id);
	}
	return NULL;
}

static void together(void **state)
{
	struct journal *j = open_it("together");
	struct journal_counts n;
	struct adder a[8];

	for (unsigned k = 0; k < COUNT(a); k++) {
		a[k] = (struct adder){ .journal = j, .number = k };
		assert_int_equal(
			pthread_create(&a[k].thread, NULL, add_many, &a[k]), 0);
	}
	for (unsigned k = 0; k < COUNT(a); k++) {
		pthread_join(a[k].thread, NULL);
		assert_int_equal(a[k].failed, 0);
	}
	journal_counts(j, &n);
	assert_int_equal(n.changes, COUNT(a) * 50);
	journal_close(j);
	j = open_it("together");
	journal_counts(j, &n);
	assert_int_equal(n.changes, COUNT(a) * 50);
	journal_close(j);
}

SUITE(journal)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cannot_be_written_anew),
		cmocka_unit_test(ends_without_room),
		cmocka_unit_test(survives),
		cmocka_unit_test(ends),
		cmocka_unit_test(swapped),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(damaged_amid),
		cmocka_unit_test(against_model),
		cmocka_unit_test(together),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
