/* SPDX-License-Identifier: Apache-2.0 */
/* What a killed daemon left half-uploaded is aborted by the next mount. */
#include "file_rig.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "fs/content/pending.h"
#include "memstore.h"

static char top[64], dir[96];

static int setup(void **state)
{
	snprintf(top, sizeof(top), "/tmp/stagefs-pending-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/state", top);
	return 0;
}

static unsigned count(const char *suffix)
{
	unsigned n = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return 0;
	while ((e = readdir(d)))
		n += strstr(e->d_name, suffix) != NULL;
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	rmdir(dir);
	return rmdir(top);
}

static struct store *find_store(void *arg, const char *store_name,
				const char *location)
{
	struct store *s = arg;

	if (!s || strcmp(store_name, s->name) != 0 ||
	    strncmp(location, "mem://", 6) != 0)
		return NULL;
	return s;
}

static struct store_upload *begin(struct store *s, const char *key)
{
	struct store_upload *u;

	assert_int_equal(store_upload_open(s, key, NULL, &u), 0);
	return u;
}

static void end(struct store_upload *u)
{
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

static void test_kept_while_open(void **state)
{
	struct store *s = memstore_new("s");
	struct pending *p = pending_new(dir);
	struct store_upload *a = begin(s, "a"), *b = begin(s, "b/c d\n");
	unsigned of_a, of_b;
	struct stat st;

	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	of_a = pending_add(p, a);
	of_b = pending_add(p, b);
	assert_int_equal(count(".upload"), 2);
	pending_remove(p, of_a);
	pending_remove(p, of_a);
	assert_int_equal(count(".upload"), 1);
	pending_remove(p, of_b);
	pending_free(p);
	assert_int_equal(count("."), 2); /* . and .. */
	end(a);
	end(b);
	store_unref(s);
}

static void test_nothing_is_kept(void **state)
{
	struct store *s = memstore_new("s");
	struct store_upload *u = begin(s, "a");
	struct pending *p = pending_new(NULL);

	assert_int_equal(pending_add(p, u), 0);
	pending_remove(p, 0);
	pending_recover(p, find_store, s);
	pending_free(p);
	assert_int_equal(pending_add(NULL, u), 0);
	pending_remove(NULL, 0);
	p = pending_new("/dev/null/x");
	assert_non_null(p);
	assert_int_equal(pending_add(p, u), 0);
	pending_recover(p, find_store, s);
	pending_free(p);
	end(u);
	store_unref(s);
}

/* A daemon that dies with these uploads open. */
static void die_with(struct store_upload **u, unsigned n)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct pending *p = pending_new(dir);

		for (unsigned i = 0; p && i < n; i++)
			pending_add(p, u[i]);
		_exit(p ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_dead_ones_are_aborted(void **state)
{
	struct store *s = memstore_new("s");
	struct store_upload *u[2] = { begin(s, "a%2F\n/b"), begin(s, "\xff") };
	struct pending *p;

	die_with(u, 2);
	assert_int_equal(count(".upload"), 2);
	assert_int_equal(memstore_uploads(s), 2);
	p = pending_new(dir);
	pending_recover(p, find_store, s);
	assert_int_equal(memstore_uploads(s), 0);
	assert_int_equal(count(".upload"), 0);
	assert_int_equal(count(".lock"), 1);
	pending_free(p);
	assert_int_equal(count("."), 2);
	store_upload_free(u[0]);
	store_upload_free(u[1]);
	store_unref(s);
}

static void test_living_ones_are_left_alone(void **state)
{
	struct store *s = memstore_new("s");
	struct pending *other = pending_new(dir), *p = pending_new(dir);
	struct store_upload *u = begin(s, "a");
	unsigned number;

	number = pending_add(other, u);
	pending_recover(p, find_store, s);
	assert_int_equal(memstore_uploads(s), 1);
	assert_int_equal(count(".upload"), 1);
	pending_remove(other, number);
	pending_free(other);
	pending_free(p);
	end(u);
	store_unref(s);
}

/* A record that could not be dealt with waits for the next mount. */
static void test_tried_again(void **state)
{
	struct store *s = memstore_new("s");
	struct store_upload *u = begin(s, "a");
	struct pending *p;

	die_with(&u, 1);
	p = pending_new(dir);
	pending_recover(p, find_store, NULL);
	assert_int_equal(count(".upload"), 1);
	memstore_fail(s, "abort", 1, -EACCES);
	pending_recover(p, find_store, s);
	assert_int_equal(count(".upload"), 1);
	pending_recover(p, find_store, s);
	assert_int_equal(count(".upload"), 0);
	assert_int_equal(memstore_uploads(s), 0);
	pending_free(p);
	store_upload_free(u);
	store_unref(s);
}

/* An upload to a place that this mount does not have is no failure of it. */
static void test_another_mounts(void **state)
{
	struct store *s = memstore_new("s");
	struct store_upload *u = begin(s, "a");
	char path[160], text[512] = "";
	struct pending *p;
	FILE *log;

	snprintf(path, sizeof(path), "%s.log", dir);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	die_with(&u, 1);
	p = pending_new(dir);
	pending_recover(p, find_store, NULL);
	log_close();
	log = fopen(path, "r");
	assert_non_null(log);
	assert_true(fread(text, 1, sizeof(text) - 1, log) > 0);
	fclose(log);
	unlink(path);
	assert_non_null(strstr(text, "waits for that mount"));
	assert_null(strstr(text, "errno"));
	pending_recover(p, find_store, s);
	assert_int_equal(count(".upload"), 0);
	pending_free(p);
	store_upload_free(u);
	store_unref(s);
}

static void put_file(const char *name, const char *text)
{
	char path[160];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* Records that were cut short go; files that are not ours stay. */
static void test_garbage(void **state)
{
	static const char *const texts[] = { "", "s\n", "s\nmem://s/a\na",
					     "s\nmem://s/a\n%zz\nid\n",
					     "s\nmem://s/a\n\n\n" };
	struct store *s = memstore_new("s");
	struct pending *p = pending_new(dir);
	char name[32], path[160];

	for (unsigned i = 0; i < COUNT(texts); i++) {
		snprintf(name, sizeof(name), "1-2-3.%u.upload", i);
		put_file(name, texts[i]);
	}
	put_file("README", "hello\n");
	pending_recover(p, find_store, s);
	assert_int_equal(count(".upload"), 0);
	assert_int_equal(count("README"), 1);
	snprintf(path, sizeof(path), "%s/README", dir);
	unlink(path);
	pending_free(p);
	assert_int_equal(count("."), 2);
	store_unref(s);
}

/* Through a file: kept before the first part, gone when published; an abort
 * that failed keeps it. */
static void test_file(void **state)
{
	struct rig r;
	struct file *f;
	char bytes[20000];
	struct pending *p;

	file_rig_pattern(bytes, sizeof(bytes), 1);
	file_rig_open(&r, 4 * KIB, 64 * MIB);
	r.env.pending = pending_new(dir);
	f = file_rig_create(&r, "a");
	assert_int_equal(file_write(f, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(count(".upload"), 1);
	assert_int_equal(file_publish(f), 0);
	assert_int_equal(count(".upload"), 0);
	assert_int_equal(file_reset(f), 0);
	assert_int_equal(file_write(f, 0, bytes, sizeof(bytes)), 0);
	memstore_fail(r.store, "abort", 1, -EACCES);
	file_close(f);
	assert_int_equal(count(".upload"), 1);
	pending_free(r.env.pending);
	p = pending_new(dir);
	pending_recover(p, find_store, r.store);
	assert_int_equal(count(".upload"), 0);
	pending_free(p);
	assert_int_equal(count("."), 2);
	file_rig_close(&r);
}

SUITE(pending)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_while_open),
		cmocka_unit_test(test_nothing_is_kept),
		cmocka_unit_test(test_dead_ones_are_aborted),
		cmocka_unit_test(test_living_ones_are_left_alone),
		cmocka_unit_test(test_tried_again),
		cmocka_unit_test(test_another_mounts),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
