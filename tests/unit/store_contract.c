#include "store_contract.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/wait.h"
#include "store/store.h"

#define PART (5u << 20)

/* ---- small helpers ---- */

static char names[32][STORE_KEY_MAX + 64];
static unsigned next_name;

/* A key of this run; good for the next 31 calls. */
static const char *key(struct contract *c, const char *name)
{
	char *out = names[next_name++ % 32];

	snprintf(out, sizeof(names[0]), "%s%s", c->prefix, name);
	return out;
}

static struct object_info put(struct contract *c, const char *name,
			      const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(
		store_put(c->s, key(c, name), &body, NULL, NULL, &info), 0);
	return info;
}

static int get(struct contract *c, const char *name, const char *etag,
	       uint64_t offset, char *text, size_t len)
{
	size_t n = 0;
	int err = store_get_sync(c->s, key(c, name), etag, offset, text,
				 len - 1, &n, NULL);

	text[err ? 0 : n] = '\0';
	return err;
}

static void assert_text(struct contract *c, const char *name, const char *want)
{
	char text[256];

	assert_int_equal(get(c, name, NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, want);
}

/* Listed names, with the run's prefix cut off, one a line. */
static char *list(struct contract *c, const char *prefix, char delimiter,
		  unsigned page)
{
	struct list_query q = { .prefix = key(c, prefix),
				.delimiter = delimiter,
				.page = page,
				.ahead = true };
	struct buf out = BUF_INIT(1 << 20);
	struct store_list *l;
	struct list_entry e;
	int more;

	buf_adds(&out, "");
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	while ((more = store_list_next(l, &e)) == 1) {
		buf_addf(&out, "%s\n", e.key + strlen(c->prefix));
		if (!e.is_prefix)
			assert_true(e.info.etag[0] == '"');
	}
	assert_int_equal(more, 0);
	assert_int_equal(store_list_next(l, &e), 0);
	store_list_close(l);
	return out.len ? buf_detach(&out) : strdup("");
}

static void assert_list(struct contract *c, const char *prefix, char delimiter,
			unsigned page, const char *want)
{
	char *have = list(c, prefix, delimiter, page);

	assert_string_equal(have, want);
	free(have);
}

/* A part or a get that somebody waits for. */
struct pending_locked {
	bool done;
	int err;
	struct object_info info;
	struct wait_list waiters;
};

struct pending {
	struct lock lock;
	struct pending_locked guarded_;
};

static struct pending_locked *pending_locked(struct pending *p)
	REQUIRES(&p->lock)
{
	return &p->guarded_;
}

static void pending_finish(struct pending *p, int err,
			   const struct object_info *info)
{
	lock_take(&p->lock);
	pending_locked(p)->done = true;
	pending_locked(p)->err = err;
	if (info)
		pending_locked(p)->info = *info;
	wait_list_wake(&pending_locked(p)->waiters);
	lock_drop(&p->lock);
}

static int pending_wait(struct pending *p)
{
	struct wait_entry e = { .waiter = waiter_self() };
	int64_t until_ms = clock_mono_ms() + 60000;
	int err;

	lock_take(&p->lock);
	wait_list_add(&pending_locked(p)->waiters, &e);
	while (!pending_locked(p)->done) {
		lock_drop(&p->lock);
		assert_int_not_equal(waiter_park_uninterrupted(e.waiter,
							       until_ms),
				     -ETIMEDOUT);
		lock_take(&p->lock);
	}
	wait_list_remove(&pending_locked(p)->waiters, &e);
	err = pending_locked(p)->err;
	lock_drop(&p->lock);
	return err;
}

struct test_part {
	struct store_part part;
	struct pending pending;
};

static void part_done(struct store_part *part, int err)
{
	pending_finish(&((struct test_part *)part)->pending, err, NULL);
}

static void part_start(struct test_part *t, struct store_upload *u,
		       unsigned number, uint64_t offset, const void *bytes,
		       size_t n)
{
	memset(t, 0, sizeof(*t));
	lock_init(&t->pending.lock);
	t->part.upload = u;
	t->part.number = number;
	t->part.offset = offset;
	t->part.body = (struct store_body){ .data = bytes, .fd = -1, .len = n };
	t->part.done = part_done;
	store_part(&t->part);
}

static void part_end(struct test_part *t, struct store_part_done *out)
{
	assert_int_equal(pending_wait(&t->pending), 0);
	out->number = t->part.number;
	memcpy(out->etag, t->part.etag, sizeof(out->etag));
	assert_true(out->etag[0] != '\0');
}

static char *filled(size_t n, unsigned seed)
{
	char *p = malloc(n);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = (char)(seed >> 16);
	}
	return p;
}

static void assert_bytes(struct contract *c, const char *name, const char *want,
			 size_t n)
{
	char *have = malloc(n + 1);
	size_t got = 0;
	struct object_info info;

	assert_non_null(have);
	assert_int_equal(store_get_sync(c->s, key(c, name), NULL, 0, have,
					n + 1, &got, &info),
			 0);
	assert_int_equal(got, n);
	assert_int_equal(info.size, n);
	assert_true(memcmp(have, want, n) == 0);
	free(have);
}

/* ---- objects ---- */

static void put_then_get(struct contract *c)
{
	struct object_info info = put(c, "o/a", "hello");
	int64_t age = clock_now_s() - info.mtime.tv_sec;

	assert_int_equal(info.size, 5);
	assert_true(info.etag[0] == '"');
	assert_in_range(age + 3600, 0, 7200);
	assert_text(c, "o/a", "hello");
}

static void put_replaces(struct contract *c)
{
	struct object_info a = put(c, "o/r", "one"), b = put(c, "o/r", "three");

	assert_string_not_equal(a.etag, b.etag);
	assert_text(c, "o/r", "three");
}

static void put_empty(struct contract *c)
{
	struct object_details d;
	char text[8];

	assert_int_equal(put(c, "o/empty", "").size, 0);
	assert_int_equal(store_head(c->s, key(c, "o/empty"), &d), 0);
	assert_int_equal(d.info.size, 0);
	assert_int_equal(get(c, "o/empty", NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void put_from_file(struct contract *c)
{
	struct store_body body = { .offset = 3, .len = 4 };
	FILE *f = tmpfile();

	assert_non_null(f);
	fputs("0123456789", f);
	fflush(f);
	body.fd = fileno(f);
	assert_int_equal(
		store_put(c->s, key(c, "o/file"), &body, NULL, NULL, NULL), 0);
	fclose(f);
	assert_text(c, "o/file", "3456");
}

static void odd_keys(struct contract *c)
{
	static const char *const odd[] = {
		"o/sp ace", "o/pl+us",     "o/per%cent", "o/a//b",
		"o/til~de", "o/q?x=1&y#z", "o/\xc3\xa9", "o/./x/../y",
		"o/dir/",   "o/tab\there", "o/<&>\"'",   "o/\xe2\x82\xac",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s\n", odd[i]);
		put(c, odd[i], odd[i]);
		assert_text(c, odd[i], odd[i]);
		assert_list(c, odd[i], 0, 0, line);
		assert_int_equal(store_remove(c->s, key(c, odd[i])), 0);
	}
}

static void get_missing(struct contract *c)
{
	char text[8];

	assert_int_equal(get(c, "o/none", NULL, 0, text, sizeof(text)),
			 -ENOENT);
}

static void get_ranges(struct contract *c)
{
	char text[4];

	put(c, "o/range", "0123456789");
	assert_int_equal(get(c, "o/range", NULL, 4, text, 4), 0);
	assert_string_equal(text, "456");
	assert_int_equal(get(c, "o/range", NULL, 8, text, 4), 0);
	assert_string_equal(text, "89");
	assert_int_equal(get(c, "o/range", NULL, 10, text, 4), 0);
	assert_string_equal(text, "");
	assert_int_equal(get(c, "o/range", NULL, 1 << 20, text, 4), 0);
	assert_string_equal(text, "");
}

static void get_tells_info(struct contract *c)
{
	struct object_info put_info = put(c, "o/info", "0123456789"), info;
	char text[3];
	size_t n;

	assert_int_equal(store_get_sync(c->s, key(c, "o/info"), NULL, 2, text,
					3, &n, &info),
			 0);
	assert_int_equal(info.size, 10);
	assert_string_equal(info.etag, put_info.etag);
}

static void get_pinned(struct contract *c)
{
	struct object_info old = put(c, "o/pin", "first");
	char text[16];

	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "first");
	put(c, "o/pin", "second");
	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)),
			 -ESTALE);
	assert_int_equal(store_remove(c->s, key(c, "o/pin")), 0);
	assert_int_equal(get(c, "o/pin", old.etag, 0, text, sizeof(text)),
			 -ESTALE);
}

static void head_tells(struct contract *c)
{
	struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	struct store_meta meta = { .content_type = "text/csv" };
	struct object_info info;
	struct object_details d;

	assert_int_equal(
		store_put(c->s, key(c, "o/h"), &body, &meta, NULL, &info), 0);
	assert_int_equal(store_head(c->s, key(c, "o/h"), &d), 0);
	assert_int_equal(d.info.size, 1);
	assert_string_equal(d.info.etag, info.etag);
	assert_string_equal(d.content_type, "text/csv");
	assert_int_equal(store_head(c->s, key(c, "o/none"), &d), -ENOENT);
}

static void stat_tells(struct contract *c)
{
	struct name_info i;

	put(c, "s/a", "1");
	put(c, "s/a/b", "22");
	put(c, "s/d/", "");
	assert_int_equal(store_stat(c->s, key(c, "s/a"), &i), 0);
	assert_true(i.is_object && i.is_prefix);
	assert_int_equal(i.info.size, 1);
	assert_int_equal(store_stat(c->s, key(c, "s/a/b"), &i), 0);
	assert_true(i.is_object && !i.is_prefix);
	assert_int_equal(store_stat(c->s, key(c, "s/d"), &i), 0);
	assert_true(!i.is_object && i.is_prefix);
	assert_int_equal(store_stat(c->s, key(c, "s/n"), &i), 0);
	assert_true(!i.is_object && !i.is_prefix);
	/* "s/a" is no directory of "s/ab" */
	put(c, "s/abc", "1");
	assert_int_equal(store_stat(c->s, key(c, "s/ab"), &i), 0);
	assert_true(!i.is_object && !i.is_prefix);
}

static int put_if(struct contract *c, const char *name, const char *text,
		  const struct store_cond *cond)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };

	return store_put(c->s, key(c, name), &body, NULL, cond, NULL);
}

static void put_conditions(struct contract *c)
{
	struct store_cond absent = { .if_absent = true }, match = { 0 };
	struct object_info old;

	assert_int_equal(put_if(c, "o/cond", "1", &absent), 0);
	assert_int_equal(put_if(c, "o/cond", "2", &absent), -EEXIST);
	assert_text(c, "o/cond", "1");
	old = put(c, "o/cond", "3");
	match.if_match = old.etag;
	assert_int_equal(put_if(c, "o/cond", "4", &match), 0);
	assert_int_equal(put_if(c, "o/cond", "5", &match), -ESTALE);
	assert_text(c, "o/cond", "4");
}

static void removes(struct contract *c)
{
	struct object_details d;

	put(c, "o/rm", "x");
	assert_int_equal(store_remove(c->s, key(c, "o/rm")), 0);
	assert_int_equal(store_head(c->s, key(c, "o/rm"), &d), -ENOENT);
	assert_int_equal(store_remove(c->s, key(c, "o/rm")), 0);
}

static void removes_many(struct contract *c)
{
	static const char *const left = "";
	const char *keys[5];
	char *own[5];
	int results[5];

	put(c, "rm/a", "1");
	put(c, "rm/b&<c>", "2");
	put(c, "rm/d e", "3");
	put(c, "rm/\xc3\xa9", "4");
	own[0] = strdup(key(c, "rm/a"));
	own[1] = strdup(key(c, "rm/b&<c>"));
	own[2] = strdup(key(c, "rm/d e"));
	own[3] = strdup(key(c, "rm/\xc3\xa9"));
	own[4] = strdup(key(c, "rm/never was"));
	for (int i = 0; i < 5; i++) {
		keys[i] = own[i];
		results[i] = 1;
	}
	assert_int_equal(store_remove_many(c->s, keys, 5, results), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(results[i], 0);
		free(own[i]);
	}
	assert_list(c, "rm/", 0, 0, left);
}

/* ---- listing ---- */

static void list_names(struct contract *c)
{
	put(c, "l/a", "1");
	put(c, "l/a.b", "1");
	put(c, "l/a/x", "1");
	put(c, "l/a/y", "1");
	put(c, "l/b", "1");
	put(c, "l/c d/z", "1");
	put(c, "l/\xc3\xa9", "1");
	assert_list(c, "l/", 0, 0,
		    "l/a\nl/a.b\nl/a/x\nl/a/y\nl/b\nl/c d/z\nl/\xc3\xa9\n");
	assert_list(c, "l/", '/', 0,
		    "l/a\nl/a.b\nl/a/\nl/b\nl/c d/\nl/\xc3\xa9\n");
	assert_list(c, "l/a/", '/', 0, "l/a/x\nl/a/y\n");
	assert_list(c, "l/nothing", '/', 0, "");
}

static void list_pages(struct contract *c)
{
	char name[32];
	struct buf want = BUF_INIT(65536);

	for (int i = 0; i < 23; i++) {
		snprintf(name, sizeof(name), i % 3 ? "p/%02d" : "p/%02d/x", i);
		put(c, name, "1");
		buf_addf(&want, i % 3 ? "p/%02d\n" : "p/%02d/\n", i);
	}
	assert_list(c, "p/", '/', 1, buf_str(&want));
	assert_list(c, "p/", '/', 2, buf_str(&want));
	assert_list(c, "p/", '/', 5, buf_str(&want));
	assert_list(c, "p/", '/', 23, buf_str(&want));
	assert_list(c, "p/", '/', 0, buf_str(&want));
	buf_clear(&want);
}

static void list_closed_early(struct contract *c)
{
	struct list_query q = { .delimiter = '/', .page = 1, .ahead = true };
	struct store_list *l;
	struct list_entry e;

	put(c, "le/a", "1");
	put(c, "le/b", "1");
	put(c, "le/c", "1");
	q.prefix = key(c, "le/");
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	store_list_close(l);
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), 1);
	assert_int_equal(e.info.size, 1);
	store_list_close(l);
}

/* ---- copies and uploads ---- */

static void copies(struct contract *c)
{
	struct object_info info, from = put(c, "c/from \xc3\xa9+", "copied");
	struct store_cond absent = { .if_absent = true };
	char *source = strdup(key(c, "c/from \xc3\xa9+"));

	assert_int_equal(store_copy(c->s, source, from.etag, key(c, "c/to"),
				    NULL, &info),
			 0);
	assert_int_equal(info.size, 6);
	assert_true(info.etag[0] == '"');
	assert_text(c, "c/to", "copied");
	assert_int_equal(store_copy(c->s, source, "\"other\"", key(c, "c/to2"),
				    NULL, NULL),
			 -ESTALE);
	assert_int_equal(store_copy(c->s, key(c, "c/none"), NULL,
				    key(c, "c/to2"), NULL, NULL),
			 -ENOENT);
	assert_int_equal(store_copy(c->s, source, NULL, key(c, "c/new"),
				    &absent, NULL),
			 0);
	free(source);
}

static void upload_in_parts(struct contract *c)
{
	char *bytes = filled(2 * PART + 1000, 7);
	struct store_upload *u;
	struct test_part t[3];
	struct store_part_done done[3];
	struct object_info info;
	struct object_details d;

	assert_int_equal(store_upload_open(c->s, key(c, "u/big"), NULL, &u), 0);
	part_start(&t[2], u, 3, 2 * PART, bytes + 2 * PART, 1000);
	part_start(&t[0], u, 1, 0, bytes, PART);
	part_start(&t[1], u, 2, PART, bytes + PART, PART);
	for (int i = 0; i < 3; i++)
		part_end(&t[i], &done[i]);
	assert_int_equal(store_head(c->s, key(c, "u/big"), &d), -ENOENT);
	assert_int_equal(store_upload_complete(u, done, 3, NULL, &info), 0);
	store_upload_free(u);
	assert_int_equal(info.size, 2 * PART + 1000);
	assert_true(info.etag[0] == '"');
	assert_bytes(c, "u/big", bytes, 2 * PART + 1000);
	assert_int_equal(store_head(c->s, key(c, "u/big"), &d), 0);
	assert_string_equal(d.info.etag, info.etag);
	free(bytes);
}

static void part_again(struct contract *c)
{
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done;

	assert_int_equal(store_upload_open(c->s, key(c, "u/again"), NULL, &u),
			 0);
	part_start(&t, u, 1, 0, "first", 5);
	part_end(&t, &done);
	part_start(&t, u, 1, 0, "second", 6);
	part_end(&t, &done);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_text(c, "u/again", "second");
}

static void part_by_copy(struct contract *c)
{
	char *bytes = filled(PART + 10, 9);
	struct store_body body = { .data = bytes, .fd = -1, .len = PART + 10 };
	struct store_upload *u;
	struct store_part_done done[2];
	struct test_part t;
	struct object_info info;

	assert_int_equal(
		store_put(c->s, key(c, "u/src"), &body, NULL, NULL, &info), 0);
	assert_int_equal(store_upload_open(c->s, key(c, "u/copy"), NULL, &u),
			 0);
	assert_int_equal(store_part_copy(u, 1, key(c, "u/src"), info.etag, 10,
					 PART, &done[0]),
			 0);
	part_start(&t, u, 2, PART, "tail", 4);
	part_end(&t, &done[1]);
	assert_int_equal(store_part_copy(u, 3, key(c, "u/src"), "\"x\"", 0, 10,
					 &(struct store_part_done){ 0 }),
			 -ESTALE);
	assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL), 0);
	store_upload_free(u);
	memmove(bytes, bytes + 10, PART);
	bytes = realloc(bytes, PART + 10);
	memcpy(bytes + PART, "tail", 4);
	assert_bytes(c, "u/copy", bytes, PART + 4);
	free(bytes);
}

static int count_pending(void *arg, const struct store_pending *p)
{
	assert_true(p->id[0] && p->key[0]);
	return ++*(unsigned *)arg == 100 ? -EIO : 0;
}

static unsigned pending_count(struct contract *c, const char *prefix)
{
	unsigned n = 0;

	assert_int_equal(store_pending(c->s, key(c, prefix), count_pending, &n),
			 0);
	return n;
}

static int abort_pending(void *arg, const struct store_pending *p)
{
	return store_pending_abort(arg, p);
}

static void upload_aborted(struct contract *c)
{
	struct store_upload *u, *v;
	struct test_part t;
	struct store_part_done done;
	struct object_details d;

	assert_int_equal(store_upload_open(c->s, key(c, "ua/x y"), NULL, &u),
			 0);
	assert_int_equal(store_upload_open(c->s, key(c, "ua/z"), NULL, &v), 0);
	assert_string_not_equal(store_upload_id(u), store_upload_id(v));
	part_start(&t, u, 1, 0, "bytes", 5);
	part_end(&t, &done);
	assert_int_equal(pending_count(c, "ua/"), 2);
	assert_int_equal(pending_count(c, "ub/"), 0);
	assert_int_equal(store_upload_abort(u), 0);
	assert_int_equal(pending_count(c, "ua/"), 1);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), -EIO);
	store_upload_free(u);
	store_upload_free(v);
	assert_int_equal(
		store_pending(c->s, key(c, "ua/"), abort_pending, c->s), 0);
	assert_int_equal(pending_count(c, "ua/"), 0);
	assert_int_equal(store_head(c->s, key(c, "ua/x y"), &d), -ENOENT);
}

static void complete_conditions(struct contract *c)
{
	struct store_cond absent = { .if_absent = true };
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done;

	put(c, "uc/there", "old");
	assert_int_equal(store_upload_open(c->s, key(c, "uc/there"), NULL, &u),
			 0);
	part_start(&t, u, 1, 0, "new", 3);
	part_end(&t, &done);
	assert_int_equal(store_upload_complete(u, &done, 1, &absent, NULL),
			 -EEXIST);
	assert_text(c, "uc/there", "old");
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_text(c, "uc/there", "new");
}

static void wrong_parts(struct contract *c)
{
	struct store_upload *u;
	struct test_part t;
	struct store_part_done done[2] = { { .number = 2, .etag = "\"a\"" },
					   { .number = 1, .etag = "\"b\"" } };

	assert_int_equal(store_upload_open(c->s, key(c, "uw/x"), NULL, &u), 0);
	assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL),
			 -EINVAL);
	assert_int_equal(store_upload_complete(u, done, 0, NULL, NULL),
			 -EINVAL);
	part_start(&t, u, 0, 0, "x", 1);
	assert_int_equal(pending_wait(&t.pending), -EINVAL);
	part_start(&t, u, 10001, 0, "x", 1);
	assert_int_equal(pending_wait(&t.pending), -EFBIG);
	/* the first of two is under the least size of a part */
	for (unsigned i = 0; i < 2; i++) {
		part_start(&t, u, i + 1, i, "x", 1);
		part_end(&t, &done[i]);
	}
	assert_int_equal(store_upload_complete(u, done, 2, NULL, NULL),
			 -EINVAL);
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

/* ---- the wrapper ---- */

struct seen {
	struct store_watcher w;
	unsigned n;
	char last[STORE_KEY_MAX + 1];
	bool removed;
	char etag[STORE_ETAG_SIZE];
};

static void on_change(struct store_watcher *w, struct store *s, const char *k,
		      const struct object_info *info)
{
	struct seen *seen = (struct seen *)w;

	seen->n++;
	snprintf(seen->last, sizeof(seen->last), "%s", k);
	seen->removed = !info;
	snprintf(seen->etag, sizeof(seen->etag), "%s", info ? info->etag : "");
}

static void announces(struct contract *c)
{
	struct store_cond absent = { .if_absent = true };
	struct seen seen = { .w.changed = on_change };
	struct object_info info;

	store_watch(c->s, &seen.w);
	info = put(c, "w/a", "1");
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.last, key(c, "w/a"));
	assert_string_equal(seen.etag, info.etag);
	assert_int_equal(put_if(c, "w/a", "2", &absent), -EEXIST);
	assert_int_equal(seen.n, 1);
	assert_int_equal(store_copy(c->s, key(c, "w/a"), NULL, key(c, "w/b"),
				    NULL, NULL),
			 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.last, key(c, "w/b"));
	assert_int_equal(store_remove(c->s, key(c, "w/a")), 0);
	assert_int_equal(seen.n, 3);
	assert_true(seen.removed);
	store_unwatch(c->s, &seen.w);
	assert_int_equal(store_remove(c->s, key(c, "w/b")), 0);
	assert_int_equal(seen.n, 3);
}

static void refuses_keys(struct contract *c)
{
	struct object_details d;
	struct name_info i;
	char text[8], big[STORE_KEY_MAX + 2];
	size_t n;

	memset(big, 'k', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(store_head(c->s, "", &d), -EINVAL);
	assert_int_equal(store_head(c->s, big, &d), -ENAMETOOLONG);
	assert_int_equal(store_stat(c->s, big, &i), -ENAMETOOLONG);
	assert_int_equal(store_remove(c->s, ""), -EINVAL);
	assert_int_equal(store_get_sync(c->s, big, NULL, 0, text, 1, &n, NULL),
			 -ENAMETOOLONG);
	assert_int_equal(store_get_sync(c->s, "k", NULL, 0, text, 0, &n, NULL),
			 -EINVAL);
	assert_int_equal(store_get_sync(c->s, "k", NULL, UINT64_MAX, text, 1,
					&n, NULL),
			 -EINVAL);
	assert_int_equal(store_get_sync(c->s, "k", "\"a\nb\"", 0, text, 1, &n,
					NULL),
			 -EINVAL);
}

static void presigns(struct contract *c)
{
	struct store_presign req = { .action = PRESIGN_UPLOAD,
				     .expire = 600,
				     .content_type = "text/csv" };
	struct store_presigned p;
	struct buf err = BUF_INIT(BUF_MESSAGE);

	req.key = key(c, "pre/a b.csv");
	assert_int_equal(store_presign(c->s, &req, &p, &err), 0);
	assert_string_equal(p.method, "PUT");
	assert_non_null(strstr(p.url, "pre/a%20b.csv?"));
	assert_string_equal(p.headers, "{\"content-type\":\"text/csv\"}");
	assert_string_equal(p.header_lines, "content-type: text/csv\n");
	assert_in_range(p.expires_at - clock_now_s(), 590, 600);
	store_presigned_clear(&p);
	req.action = PRESIGN_DOWNLOAD;
	req.content_type = NULL;
	assert_int_equal(store_presign(c->s, &req, &p, &err), 0);
	assert_string_equal(p.method, "GET");
	assert_string_equal(p.headers, "{}");
	assert_string_equal(p.header_lines, "");
	store_presigned_clear(&p);
	req.expire = 604801;
	assert_int_equal(store_presign(c->s, &req, &p, &err), -EINVAL);
	assert_string_equal(buf_str(&err),
			    "EXPIRE is 604801: it must be 1 to 604800 seconds");
	assert_null(p.url);
	buf_clear(&err);
}

static void checks(struct contract *c)
{
	struct buf err = BUF_INIT(BUF_MESSAGE), text = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(store_check(c->s, &err), 0);
	assert_int_equal(store_describe(c->s, &text), 0);
	assert_true(text.len > 0);
	buf_reset(&text);
	store_locate(c->s, "a/b c", &text);
	assert_non_null(strstr(buf_str(&text), "/a/b c"));
	buf_clear(&err);
	buf_clear(&text);
}

const struct contract_test contract_tests[] = {
	{ "what was put is there", put_then_get },
	{ "a put replaces, and the ETag changes", put_replaces },
	{ "an empty object is an object", put_empty },
	{ "a put sends a range of a file", put_from_file },
	{ "odd bytes in keys stay as they are", odd_keys },
	{ "a get of nothing is ENOENT", get_missing },
	{ "a get answers the range, and less at the end", get_ranges },
	{ "a ranged get tells the object's size and ETag", get_tells_info },
	{ "a get pinned to an ETag is ESTALE after a change", get_pinned },
	{ "head tells type, size and ETag", head_tells },
	{ "stat tells object and prefix", stat_tells },
	{ "conditional puts hold", put_conditions },
	{ "remove removes, and again is fine", removes },
	{ "many keys are removed at once", removes_many },
	{ "a listing is in key order, grouped", list_names },
	{ "a listing is the same for every page size", list_pages },
	{ "a listing may be closed early", list_closed_early },
	{ "a copy copies, if the source is the same", copies },
	{ "parts in any order make an object", upload_in_parts },
	{ "the same part number again replaces", part_again },
	{ "a part is copied by the server", part_by_copy },
	{ "an aborted upload leaves nothing", upload_aborted },
	{ "completion holds only if", complete_conditions },
	{ "parts that cannot be are refused", wrong_parts },
	{ "changes are announced once", announces },
	{ "keys and ranges that cannot be are refused", refuses_keys },
	{ "URLs are signed", presigns },
	{ "the store answers a check", checks },
};
const size_t contract_n_tests =
	sizeof(contract_tests) / sizeof(*contract_tests);
