/* SPDX-License-Identifier: Apache-2.0 */
/* Stages in files of their own, as a catalog that is open sees them. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "catalog_fixture.h"
#include "drop_ins_fixture.h"
#include "stage/external_folder.h"
#include "store/store.h"

static struct catalog_settings settings_with_dir(void)
{
	struct catalog_settings set = {
		.user = "root",
		.storage = &storage_conn,
		.external = externals,
		.n_external = 1,
		.metadata_ttl = 5,
		.drop_ins = dir,
		.deadline_max = 15,
		.open = open_memory,
	};

	drop_ins_stamp(dir, &set.stamp);
	return set;
}

static struct catalog *open_with_dir(void)
{
	struct catalog_settings set = settings_with_dir();
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = NULL;

	row_number("opened", catalog_new(&set, NULL, &c, &why), 0);
	buf_clear(&why);
	return c;
}

/* As if a second had gone by. */
static void a_second_later(struct catalog *c)
{
	struct external_folder *f = catalog_folder(c);

	lock_take(&f->lock);
	f->guarded_.looked_ms -= 1000;
	lock_drop(&f->lock);
}

static struct stage *find(struct catalog *c, const char *name)
{
	struct stage *s = NULL;

	return catalog_get(c, name, &s) ? NULL : s;
}

static void test_reload(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = open_with_dir();
	struct stage *one, *same, *other, *ext = find(c, "ext"), **all;
	unsigned n;
	int storage_rc;

	row_check("not yet", !find(c, "one"));
	write_stage("one", PAIRS("url", "s3://one/"), &why);
	row_check("not within the second", !find(c, "one"));
	a_second_later(c);
	one = find(c, "one");
	row_check("then it is there", one && one->kind == STAGE_EXTERNAL);
	row_equal("where it says", one->prefix, "");
	row_number("the list too", catalog_list(c, &all, &n, &storage_rc), 0);
	row_number("has it", n, 3);
	catalog_list_free(all, n);

	write_stage("two", PAIRS("url", "s3://two/"), &why);
	a_second_later(c);
	same = find(c, "one");
	row_check("another's coming leaves it the same", same == one);
	stage_unref(same);

	write_stage("one", PAIRS("url", "s3://one/sub/"), &why);
	a_second_later(c);
	other = find(c, "one");
	row_check("an altered one is another", other && other != one);
	row_equal("with its new place", other->prefix, "sub/");
	row_equal("who had the old one keeps it", one->prefix, "");
	stage_unref(other);

	put_file("one.conf", "rubbish\n", 0600);
	catalog_refresh(c);
	other = find(c, "one");
	row_check("a broken file keeps what was", other != NULL);
	stage_unref(other);

	drop_ins_remove(dir, "one", &why);
	a_second_later(c);
	row_check("a dropped one is not there", !find(c, "one"));
	same = find(c, "ext");
	row_check("the configuration's is the same", same == ext);
	stage_unref(same);
	stage_unref(ext);
	stage_unref(one);
	catalog_free(c);
	buf_clear(&why);
}

static void test_unusable(void **state)
{
	static const struct {
		const char *sentence, *name, *url;
		bool there;
	} rows[] = {
		{ "a place of its own", "fine", "s3://fine/", true },
		{ "below the storage", "below", "s3://bucket/root/stage/x/",
		  false },
		{ "above another", "above", "s3://other/", false },
		{ "beside another", "beside", "s3://other/beside/", true },
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = open_with_dir();

	log_open("/dev/null", LOG_LEVEL_WARN);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conn conn;
		struct stage *s;

		make_conn(&conn, PAIRS("url", rows[i].url, "endpoint_url",
				       "http://127.0.0.1:9000"));
		buf_reset(&why);
		row_number(rows[i].sentence,
			   catalog_check(c, rows[i].name, &conn, &why),
			   rows[i].there ? 0 : -EINVAL);
		row_check(rows[i].sentence,
			  rows[i].there || strstr(buf_str(&why), "overlap"));
		option_clear(conn_options, &conn);
		write_stage(rows[i].name,
			    PAIRS("url", rows[i].url, "endpoint_url",
				  "http://127.0.0.1:9000"),
			    &why);
		catalog_refresh(c);
		s = find(c, rows[i].name);
		row_check(rows[i].sentence, s != NULL);
		buf_reset(&why);
		row_number(rows[i].sentence, store_check(s->store, "", &why),
			   rows[i].there ? 0 : -ENODEV);
		row_check(rows[i].sentence,
			  rows[i].there || strstr(buf_str(&why), "overlap"));
		stage_unref(s);
		drop_ins_remove(dir, rows[i].name, &why);
	}
	write_stage("ext", PAIRS("url", "s3://elsewhere/"), &why);
	catalog_refresh(c);
	{
		struct stage *s = find(c, "ext");

		row_equal("the configuration wins", s->prefix, "data/");
		stage_unref(s);
	}
	log_close();
	catalog_free(c);
	buf_clear(&why);
}

/* One that cannot be used is a stage that says why, from the start and later,
 * until its file is mended. */
static void test_faults(void **state)
{
	const struct catalog_external first = { "one", NULL, true,
						"one.conf:7: a fault" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn empty = { 0 };
	bool drop_in;

	log_open("/dev/null", LOG_LEVEL_WARN);
	for (int i = 0; i < 2; i++) {
		struct catalog_settings set = settings_with_dir();
		struct catalog_external list[] = { first, set.external[0] };
		struct catalog *c;
		struct stage *s;

		put_file("one.conf", "rubbish\n", 0600);
		list[0].conn = &empty;
		set.external = i ? list + 1 : list;
		set.n_external = i ? 1 : 2;
		row_number("it opens", catalog_new(&set, NULL, &c, &why), 0);
		if (i)
			catalog_refresh(c);
		s = find(c, "one");
		row_check("the stage is there", s != NULL);
		buf_reset(&why);
		row_number("and fails", store_check(s->store, "", &why),
			   -ENODEV);
		row_check("and says why", strstr(buf_str(&why), "one.conf:"));
		stage_unref(s);
		row_number("it can be dropped",
			   catalog_conn(c, "one", &empty, &drop_in), 0);
		row_check("it can be dropped", drop_in);
		option_clear(conn_options, &empty);
		empty = (struct conn){ 0 };
		s = find(c, "ext");
		row_number("another works", store_check(s->store, "", &why), 0);
		stage_unref(s);
		write_stage("one", PAIRS("url", "s3://one/"), &why);
		a_second_later(c);
		catalog_refresh(c);
		s = find(c, "one");
		row_number("mended, it works", store_check(s->store, "", &why),
			   0);
		stage_unref(s);
		catalog_free(c);
		drop_ins_remove(dir, "one", &why);
	}
	log_close();
	buf_clear(&why);
}

static void test_conn(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c;
	struct conn conn;
	bool drop_in;

	c = open_with_dir();
	write_stage("one", PAIRS("url", "s3://one/", "comment", "hello"), &why);
	catalog_refresh(c);
	row_number("a drop-in's", catalog_conn(c, "one", &conn, &drop_in), 0);
	row_check("is one", drop_in);
	row_equal("has its comment", conn.comment, "hello");
	row_equal("has no keys", conn.creds.credentials, "anonymous");
	row_number("a person waits no longer", conn.lane.deadline_s, 15);
	option_clear(conn_options, &conn);
	row_number("the configuration's",
		   catalog_conn(c, "ext", &conn, &drop_in), 0);
	row_check("is none", !drop_in);
	option_clear(conn_options, &conn);
	row_number("nobody's", catalog_conn(c, "x", &conn, &drop_in), -ENOENT);
	catalog_free(c);
	buf_clear(&why);
}

/* ---- a directory that comes later ---- */

static bool is_gone;

static int open_maybe(const struct conn *conn, const char *name,
		      struct http_engine *engine, struct store **out,
		      struct buf *why)
{
	if (is_gone && conn_is_local(conn))
		return store_broken_new(name, "fs:///gone/", -ENOENT,
					"not there", out);
	return open_memory(conn, name, engine, out, why);
}

static int look_into(struct catalog *c, const char *name)
{
	struct stage *s = find(c, name);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct name_info info;
	int rc = s ? store_stat(s->store, "x", &info) : -ENXIO;

	if (rc && s) {
		row_number("its check", store_check(s->store, "", &why), rc);
		row_equal("says why", buf_str(&why), "not there");
	}
	stage_unref(s);
	buf_clear(&why);
	return rc;
}

static void test_absent(void **state)
{
	const struct conn gone = { .url = (char *)"fs:///gone/" };
	const struct catalog_external list[] = { { "disk", &gone } };
	struct catalog_settings set = {
		.user = "root",
		.storage = &storage_conn,
		.external = list,
		.n_external = 1,
		.open = open_maybe,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = NULL;

	for (int i = 0; i < 2; i++) {
		set.drop_ins = i ? dir : NULL;
		write_stage("usb", PAIRS("url", "fs:///usb/"), &why);
		is_gone = true;
		row_number("it opens without the disk",
			   catalog_new(&set, NULL, &c, &why), 0);
		catalog_refresh(c);
		row_number("who goes there hears so", look_into(c, "disk"),
			   -ENODEV);
		row_number("in the folder too", look_into(c, "usb"),
			   i ? -ENODEV : -ENXIO);
		is_gone = false;
		row_number("not within the second", look_into(c, "disk"),
			   -ENODEV);
		a_second_later(c);
		row_number("then it is there", look_into(c, "disk"), 0);
		row_number("the other too", look_into(c, "usb"),
			   i ? 0 : -ENXIO);
		catalog_free(c);
	}
	buf_clear(&why);
}

/* ---- many readers while stages change ---- */

struct looker {
	struct catalog *c;
	bool stop; /* atomic */
	unsigned odd; /* atomic: answers that cannot be */
};

static void *look(void *arg)
{
	struct looker *l = arg;

	while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) {
		struct stage *s = find(l->c, "one"), *ext = find(l->c, "ext");

		if (!ext ||
		    (s && strcmp(s->prefix, "") && strcmp(s->prefix, "sub/")))
			__atomic_add_fetch(&l->odd, 1, __ATOMIC_RELAXED);
		stage_unref(s);
		stage_unref(ext);
		a_second_later(l->c);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct looker l = { .c = open_with_dir() };
	pthread_t threads[4];
	struct stage *s;

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, &l),
				 0);
	for (int i = 0; i < 30; i++) {
		write_stage("one", PAIRS("url", "s3://one/"), &why);
		write_stage("one", PAIRS("url", "s3://one/sub/"), &why);
		drop_ins_remove(dir, "one", &why);
	}
	write_stage("one", PAIRS("url", "s3://one/sub/"), &why);
	__atomic_store_n(&l.stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	row_number("nobody saw what never was", l.odd, 0);
	catalog_refresh(l.c);
	s = find(l.c, "one");
	row_check("the last word counts", s && !strcmp(s->prefix, "sub/"));
	stage_unref(s);
	catalog_free(l.c);
	buf_clear(&why);
}

struct changer {
	struct external_folder *f;
	int rc;
};

static void *change(void *arg)
{
	struct changer *c = arg;
	struct external_set set;

	c->rc = external_folder_begin(c->f, clock_mono_ms() + 60000, &set);
	if (!c->rc)
		external_folder_end(c->f);
	return NULL;
}

/* One thread at a time changes the set; the next one waits for its end. */
static void test_one_changes(void **state)
{
	struct catalog *c = open_with_dir();
	struct changer other = { .f = catalog_folder(c), .rc = 1 };
	struct external_set set;
	pthread_t thread;

	row_number("mine", external_folder_begin(other.f, 0, &set), 0);
	row_number("not mine again", external_folder_begin(other.f, 0, &set),
		   -EBUSY);
	assert_int_equal(pthread_create(&thread, NULL, change, &other), 0);
	external_folder_end(other.f);
	pthread_join(thread, NULL);
	row_number("the other's, then", other.rc, 0);
	row_number("mine once more", external_folder_begin(other.f, 0, &set),
		   0);
	external_folder_end(other.f);
	catalog_free(c);
}

SUITE(drop_ins_catalog)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reload, empty_dir),
		cmocka_unit_test_setup(test_unusable, empty_dir),
		cmocka_unit_test_setup(test_faults, empty_dir),
		cmocka_unit_test_setup(test_conn, empty_dir),
		cmocka_unit_test_setup(test_absent, empty_dir),
		cmocka_unit_test_setup(test_threads, empty_dir),
		cmocka_unit_test_setup(test_one_changes, empty_dir),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
