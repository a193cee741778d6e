/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept with a file, and when it no longer counts.
 *
 * Covers: store/local/local_read.c store/local/local_record.c
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/digest.h"
#include "local_rig.h"
#include "store/local/local_record.h"
#include "unit.h"

#define ATTRIBUTE "user.stagefs"

static struct local_rig rig;

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

static struct object_info info_of(const char *key)
{
	struct object_details d;

	assert_int_equal(store_head(rig.s, key, &d), 0);
	return d.info;
}

/* ---- ETags ---- */

static void changes_with_every_put(void **state)
{
	enum { ROUNDS = 200 };
	static char seen[ROUNDS][STORE_ETAG_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		struct object_info put = local_rig_put(rig.s, "same", "same");

		memcpy(seen[i], put.etag, sizeof(seen[i]));
		assert_string_equal(info_of("same").etag, put.etag);
		/* strong: quotes, and no W/ before them */
		assert_int_equal(put.etag[0], '"');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(seen[i], seen[k]);
	}
}

static void lists_what_head_tells(void **state)
{
	const struct list_query q = { .prefix = "tell/" };
	struct store_list *l;
	struct list_entry e;

	local_rig_put(rig.s, "tell/ours", "1");
	local_rig_write(&rig, "tell/theirs", "22");
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	while (store_list_next(l, &e) == 1) {
		struct object_info head = info_of(e.key);

		row_equal(e.key, e.info.etag, head.etag);
		row_number(e.key, e.info.size, head.size);
		row_number(e.key, e.info.mtime.tv_nsec, head.mtime.tv_nsec);
		row_number(e.key, e.info.mode, head.mode);
	}
	store_list_close(l);
}

/* ---- what other programs do ---- */

static void set_mtime(const char *name, time_t s, long ns)
{
	const struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { s, ns } };

	assert_int_equal(utimensat(AT_FDCWD, local_rig_path(&rig, name), t, 0),
			 0);
}

static void run_shell(const char *command)
{
	char line[8192];

	snprintf(line, sizeof(line), "cd '%s' && %s", rig.root, command);
	assert_int_equal(system(line), 0);
}

/* Each begins with one object "n", of type text/csv. */
static const struct {
	const char *sentence;
	const char *command;
	const char *key; /* that is looked at then */
	bool same_etag, same_type;
} changes[] = {
	{ "nothing happened", "true", "n", true, true },
	{ "its mode changed", "chmod 600 n", "n", true, true },
	{ "it was read", "cat n >/dev/null", "n", true, true },
	{ "it was moved by mv", "mv n n2", "n2", true, true },
	{ "its folder was moved by mv", "mkdir f && mv n f && mv f g", "g/n",
	  true, true },
	{ "it was written to in place",
	  "printf X | dd of=n conv=notrunc "
	  "status=none",
	  "n", false, false },
	{ "it was appended to", "printf X >>n", "n", false, false },
	{ "it was emptied", ": >n", "n", false, false },
	{ "its time was changed", "touch -d 2001-01-01 n", "n", false, false },
	{ "it was replaced", "printf 123456 >t && mv t n", "n", false, false },
	{ "it was copied with its attributes", "cp -a n n3", "n3", false,
	  false },
	{ "sed -i wrote another", "sed -i s/1/2/ n", "n", false, false },
};

static void other_programs(void **state)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		const struct store_body body = { .data = "123456",
						 .fd = -1,
						 .len = 6 };
		const struct store_meta meta = { .content_type = "text/csv" };
		const char *row = changes[i].sentence;
		struct object_info put;
		struct object_details d;

		run_shell("rm -rf n* f g t");
		assert_int_equal(
			store_put(rig.s, "n", &body, &meta, NULL, &put), 0);
		run_shell(changes[i].command);
		row_number(row, store_head(rig.s, changes[i].key, &d), 0);
		row_number(row, !strcmp(d.info.etag, put.etag),
			   changes[i].same_etag);
		row_equal(row, props_get(&d.props, PROP_TYPE),
			  changes[i].same_type ? "text/csv"
					       : "binary/octet-stream");
	}
}

static void foreign_etag_is_of_the_inode(void **state)
{
	struct object_info a, b;

	local_rig_write(&rig, "foreign", "one");
	a = info_of("foreign");
	assert_int_equal(a.size, 3);
	assert_string_equal(info_of("foreign").etag, a.etag);
	assert_true(strlen(a.etag) < STORE_ETAG_SIZE - 1);
	local_rig_write(&rig, "foreign", "two");
	b = info_of("foreign");
	assert_string_not_equal(a.etag, b.etag);
	/* the time set back does not bring the ETag back */
	set_mtime("foreign", a.mtime.tv_sec, a.mtime.tv_nsec);
	assert_string_not_equal(info_of("foreign").etag, a.etag);
	/* times before 1970 and far ahead fit */
	set_mtime("foreign", -1, 999999999);
	assert_true(strlen(info_of("foreign").etag) < STORE_ETAG_SIZE - 1);
	/* a pinned read does not mix */
	assert_int_equal(store_get_sync(rig.s, "foreign", b.etag, 0,
					(char[4]){ 0 }, 3, &(size_t){ 0 },
					NULL),
			 -ESTALE);
}

/* ---- a file of another program keeps its ETag while we change it ---- */

static void attributes_keep_etags(void **state)
{
	static const struct {
		const char *sentence;
		struct store_attr attr;
	} rows[] = {
		{ "mode", { .which = STORE_SET_MODE, .mode = 0600 } },
		{ "a mode that its owner cannot read",
		  { .which = STORE_SET_MODE, .mode = 0 } },
		{ "mode again", { .which = STORE_SET_MODE, .mode = 0644 } },
		{ "the time",
		  { .which = STORE_SET_MTIME,
		    .mtime = { 1000000000, 123456789 } } },
		{ "the time, before 1970",
		  { .which = STORE_SET_MTIME, .mtime = { -1000, 1 } } },
		{ "the present",
		  { .which = STORE_SET_MTIME, .mtime = { 0, UTIME_NOW } } },
		{ "access and change",
		  { .which = STORE_SET_ATIME | STORE_SET_MTIME,
		    .atime = { 5, 0 },
		    .mtime = { 1234567890, 0 } } },
	};

	local_rig_write(&rig, "attr", "theirs");
	for (int ours = 0; ours < 2; ours++) {
		struct object_info before, after;

		if (ours)
			local_rig_put(rig.s, "attr", "ours");
		before = info_of("attr");
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct store_attr *a = &rows[i].attr;

			row_number(rows[i].sentence,
				   store_set_attr(rig.s, "attr", a, &after), 0);
			row_equal(rows[i].sentence, after.etag, before.etag);
			/* Its owner, unless he is root, cannot look. */
			if (after.mode & S_IRUSR)
				row_equal(rows[i].sentence,
					  info_of("attr").etag, before.etag);
			if (a->which & STORE_SET_MTIME &&
			    a->mtime.tv_nsec != UTIME_NOW)
				row_check(rows[i].sentence,
					  after.mtime.tv_sec ==
							  a->mtime.tv_sec &&
						  after.mtime.tv_nsec ==
							  a->mtime.tv_nsec);
		}
		/* and it is still seen when another process writes */
		local_rig_write(&rig, "attr", "again!");
		assert_string_not_equal(info_of("attr").etag, before.etag);
	}
}

static void renames_keep_etags(void **state)
{
	struct object_info ours = local_rig_put(rig.s, "mv/ours", "1"), theirs;

	local_rig_write(&rig, "mv/theirs", "2");
	theirs = info_of("mv/theirs");
	assert_int_equal(store_rename(rig.s, "mv/ours", "mv2/a", false), 0);
	assert_int_equal(store_rename(rig.s, "mv/theirs", "mv2/b", false), 0);
	assert_string_equal(info_of("mv2/a").etag, ours.etag);
	assert_string_equal(info_of("mv2/b").etag, theirs.etag);
	assert_int_equal(store_rename(rig.s, "mv2/", "mv3/", true), 0);
	assert_string_equal(info_of("mv3/a").etag, ours.etag);
	assert_string_equal(info_of("mv3/b").etag, theirs.etag);
}

/* ---- MD5 ---- */

static char *md5_of(const char *key)
{
	struct object_info info = info_of(key);
	struct buf out = BUF_INIT(256);

	buf_adds(&out, "");
	store_md5(rig.s, &info, &out);
	return out.len ? buf_detach(&out) : strdup("");
}

static void assert_md5(const char *key, const char *want)
{
	char *have = md5_of(key);

	assert_string_equal(have, want);
	free(have);
}

static void md5_where_computed(void **state)
{
	const struct field sum = { "content-md5", "XUFAKrxLKna5cZ2REBfFkg==" };
	const struct field bad = { "content-md5", "XUFAKrxLKna5" };
	const struct store_meta meta = { .headers = &sum, .n_headers = 1 };
	const struct store_meta worse = { .headers = &bad, .n_headers = 1 };
	const struct store_body body = { .data = "hello", .fd = -1, .len = 5 };
	const char *hello = "\"5d41402abc4b2a76b9719d911017c592\"";
	const struct store_attr attr = { .which = STORE_SET_MTIME };
	struct object_info a, b;

	assert_int_equal(store_put(rig.s, "sum", &body, &meta, NULL, &a), 0);
	assert_md5("sum", hello);
	/* twice the same bytes are two versions all the same */
	assert_int_equal(store_put(rig.s, "sum", &body, &meta, NULL, &b), 0);
	assert_string_not_equal(a.etag, b.etag);
	assert_int_equal(store_copy(rig.s, "sum", NULL, "sum2", NULL, NULL), 0);
	assert_md5("sum2", hello);
	assert_int_equal(store_set_attr(rig.s, "sum2", &attr, NULL), 0);
	assert_md5("sum2", hello);
	local_rig_put(rig.s, "nosum", "hello");
	assert_md5("nosum", "");
	local_rig_write(&rig, "sum", "HELLO");
	assert_md5("sum", "");
	assert_int_equal(store_put(rig.s, "sum", &body, &worse, NULL, NULL),
			 -EINVAL);
}

/* ---- metadata ---- */

static void too_much_metadata(void **state)
{
	static char value[4096];
	const struct field field = { "x-amz-meta-big", value };
	const struct store_meta meta = { .headers = &field, .n_headers = 1 };
	const struct store_body body = { .data = "", .fd = -1 };
	struct object_details d;

	memset(value, 'v', 2000);
	assert_int_equal(store_put(rig.s, "meta", &body, &meta, NULL, NULL), 0);
	assert_int_equal(store_head(rig.s, "meta", &d), 0);
	assert_int_equal(strlen(props_get(&d.props, "x-amz-meta-big")), 2000);
	memset(value, 'v', sizeof(value) - 1);
	assert_int_equal(store_put(rig.s, "meta", &body, &meta, NULL, NULL),
			 -E2BIG);
	assert_int_equal(store_head(rig.s, "meta", &d), 0);
	assert_int_equal(strlen(props_get(&d.props, "x-amz-meta-big")), 2000);
}

/* ---- notes that others have written ---- */

struct bytes {
	unsigned char at[256];
	size_t n;
};

static void add(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->at + b->n, p, n);
	b->n += n;
}

/* The head of a note that is bound to the file as it is, literal ETag. */
static void head(struct bytes *b, const struct stat *st)
{
	const uint64_t s = htole64(st->st_mtim.tv_sec);
	const uint32_t ns = htole32(st->st_mtim.tv_nsec);
	const uint64_t ino = htole64(st->st_ino), size = htole64(st->st_size);

	b->n = 0;
	add(b, "\x01\x04", 2);
	add(b, &ino, 8);
	add(b, &size, 8);
	add(b, &s, 8);
	add(b, &ns, 4);
}

static void add_string(struct bytes *b, const char *s)
{
	const unsigned char n = strlen(s);

	add(b, &n, 1);
	add(b, s, n);
}

static const struct {
	const char *sentence;
	const char *etag, *type, *metadata;
	bool counts;
} notes[] = {
	{ "one that is well", "\"x\"", "text/csv", "a: b\n", true },
	{ "an ETag without quotes", "x", "text/csv", "", false },
	{ "an empty ETag", "\"\"", "", "", false },
	{ "an ETag with a quote inside", "\"a\"b\"", "", "", false },
	{ "an ETag that ends a header", "\"a\r\nX: y\"", "", "", false },
	{ "an ETag beyond ASCII", "\"\xc3\xa9\"", "", "", false },
	{ "a type that ends a header", "\"x\"", "a\r\nX: y", "", false },
	{ "metadata without an end", "\"x\"", "", "a: b", false },
	{ "metadata without a name", "\"x\"", "", "ab\n", false },
	{ "metadata with a control byte", "\"x\"", "", "a: b\rc\n", false },
	{ "what looks like an MD5 and is none",
	  "\"s-0123456789abcdef01234567-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"", "",
	  "", true },
};

static void planted_notes(void **state)
{
	const char *path = local_rig_path(&rig, "planted");
	struct object_details d;
	struct bytes b;
	struct stat st;
	char *md5;

	local_rig_write(&rig, "planted", "x");
	assert_int_equal(stat(path, &st), 0);
	for (size_t i = 0; i < COUNT(notes); i++) {
		head(&b, &st);
		add_string(&b, notes[i].etag);
		add_string(&b, notes[i].type);
		add(&b, notes[i].metadata, strlen(notes[i].metadata));
		assert_int_equal(setxattr(path, ATTRIBUTE, b.at, b.n, 0), 0);
		row_number(notes[i].sentence, store_head(rig.s, "planted", &d),
			   0);
		row_number(notes[i].sentence,
			   !strcmp(d.info.etag, notes[i].etag),
			   notes[i].counts);
		if (!notes[i].counts)
			assert_null(props_get(&d.props, "x-amz-meta-a"));
		md5 = md5_of("planted");
		row_equal(notes[i].sentence, md5, "");
		free(md5);
		/* cut anywhere it is ignored, or a shorter one */
		for (size_t n = 0; n < b.n; n++) {
			assert_int_equal(setxattr(path, ATTRIBUTE, b.at, n, 0),
					 0);
			row_number(notes[i].sentence,
				   store_head(rig.s, "planted", &d), 0);
			row_check(notes[i].sentence, d.info.etag[0] == '"');
		}
	}
}

/* Any bytes at all: an ETag comes of it. */
static void random_notes(void **state)
{
	const char *path = local_rig_path(&rig, "random");
	struct object_details d;
	struct bytes b;
	struct stat st;

	srand(1);
	local_rig_write(&rig, "random", "x");
	assert_int_equal(stat(path, &st), 0);
	for (int i = 0; i < 3000; i++) {
		head(&b, &st);
		b.at[1] = rand();
		for (int k = rand() % 128; k; k--)
			b.at[b.n++] = rand() % 4 ? rand() % 64 : rand();
		assert_int_equal(setxattr(path, ATTRIBUTE, b.at, b.n, 0), 0);
		assert_int_equal(store_head(rig.s, "random", &d), 0);
		assert_int_equal(d.info.etag[0], '"');
		assert_int_equal(d.info.etag[strlen(d.info.etag) - 1], '"');
	}
}

SUITE(local_record)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_with_every_put),
		cmocka_unit_test(lists_what_head_tells),
		cmocka_unit_test(other_programs),
		cmocka_unit_test(foreign_etag_is_of_the_inode),
		cmocka_unit_test(attributes_keep_etags),
		cmocka_unit_test(renames_keep_etags),
		cmocka_unit_test(md5_where_computed),
		cmocka_unit_test(too_much_metadata),
		cmocka_unit_test(planted_notes),
		cmocka_unit_test(random_notes),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_record", tests, start, stop);
}
