/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog over stores in memory.
 *
 * Covers: stage/external.c stage/external_folder.c stage/internal.c
 * Covers: stage/internal_marker.c
 */
#include "catalog_fixture.h"

/* All names, with a space behind each. */
static const char *names_of(struct catalog *c, int storage_rc)
{
	static char text[512];
	struct stage **list;
	unsigned n;
	int rc;

	row_number("listed", catalog_list(c, &list, &n, &rc), 0);
	row_number("the storage", rc, storage_rc);
	text[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(text, list[i]->name);
		strcat(text, " ");
	}
	catalog_list_free(list, n);
	return text;
}

static void all_stages_side_by_side(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);

	poke("root/stage/internal/zoo/a");
	poke("root/stage/internal/empty/");
	poke("root/stage/internal/my-stage/a b");
	poke("root/stage/internal/ext/hidden");
	poke("root/stage/internal/Big/a");
	poke("root/stage/internal/file");
	poke("root/stage/internal/~/a");
	poke("root/stage/internal/../a");
	poke("root/stage/internal//a");
	poke("root/stage/internal/");
	poke("root/stage/user/root/a");
	poke("root/other/a");
	row_equal("user first, the rest in byte order", names_of(c, 0),
		  "~ Big empty ext my-stage zoo ");
	row_number("by one request", memstore_calls(storage, "list"), 1);
	row_number("which tells each", get(c, "zoo") || get(c, "my-stage"), 0);
	row_number("without another", memstore_calls(storage, "stat"), 0);
	row_number("there is no such stage", get(c, "nosuch"), -ENOENT);
	row_number("that is always asked", memstore_calls(storage, "stat"), 1);
	catalog_free(c);
}

static const struct {
	const char *sentence;
	const char *name;
	int rc;
	const char *prefix;
	enum stage_kind kind;
	unsigned stats; /* requests that it takes */
} gets[] = {
	{ "the user stage", "~", 0, "root/stage/user/root/", STAGE_USER, 0 },
	{ "an external one", "ext", 0, "data/", STAGE_EXTERNAL, 0 },
	{ "an internal one", "in", 0, "root/stage/internal/in/", STAGE_INTERNAL,
	  1 },
	{ "an odd internal one", "a b", 0, "root/stage/internal/a b/",
	  STAGE_INTERNAL, 1 },
	{ "no such stage", "nosuch", -ENOENT, NULL, 0, 1 },
	{ "a file is no stage", "file", -ENOENT, NULL, 0, 1 },
	{ "a slash is in no name", "in/x", -ENOENT, NULL, 0, 0 },
	{ "dot dot", "..", -ENOENT, NULL, 0, 0 },
	{ "no name", "", -ENOENT, NULL, 0, 0 },
};

static void one_stage_by_name(void **state)
{
	for (size_t i = 0; i < COUNT(gets); i++) {
		struct catalog *c = open_catalog(&storage_conn, 5);
		struct stage *s = NULL;
		int rc;

		poke("root/stage/internal/in/a");
		poke("root/stage/internal/a b/a");
		poke("root/stage/internal/file");
		rc = catalog_get(c, gets[i].name, &s);
		row_number(gets[i].sentence, rc, gets[i].rc);
		if (!rc) {
			row_equal(gets[i].sentence, s->name, gets[i].name);
			row_equal(gets[i].sentence, s->prefix, gets[i].prefix);
			row_number(gets[i].sentence, s->kind, gets[i].kind);
			stage_unref(s);
			row_number(gets[i].sentence, get(c, gets[i].name), 0);
		}
		row_number(gets[i].sentence, memstore_calls(storage, "stat"),
			   gets[i].stats);
		row_number(gets[i].sentence, memstore_calls(storage, "list"),
			   0);
		catalog_free(c);
	}
}

static void without_storage(void **state)
{
	struct catalog *c = open_catalog(NULL, 5);

	row_check("there is none", !catalog_has_storage(c));
	row_equal("external stages only", names_of(c, 0), "ext ");
	row_number("no user stage", get(c, "~"), -ENOENT);
	row_number("mkdir", create(c, "new"), -EROFS);
	row_number("mkdir of an external one", create(c, "ext"), -EEXIST);
	row_number("rmdir", catalog_drop(c, "new"), -ENOENT);
	catalog_free(c);
}

/* What is kept, a bar between. */
static const char *notes_of(struct catalog *c, const char *name,
			    char etag[STORE_ETAG_SIZE])
{
	static char text[256];
	struct conn n;

	row_number(name, catalog_properties(c, name, &n, etag), 0);
	snprintf(text, sizeof(text), "%s|%s|%s|%s", n.comment ? n.comment : "",
		 n.file_format ? n.file_format : "",
		 n.copy_options ? n.copy_options : "",
		 n.created_on ? n.created_on : "");
	option_clear(conn_options, &n);
	return text;
}

static void notes_of_internal_stages(void **state)
{
	static const struct conn all = {
		.comment = (char *)"100%\n\xc3\xbc: it's",
		.file_format = (char *)"TYPE = CSV",
		.copy_options = (char *)"PURGE = TRUE",
		.created_on = (char *)"now",
	};
	static const struct conn one = { .comment = (char *)"one" };
	struct catalog *c = open_catalog(&storage_conn, 5);
	char long_text[1100], etag[STORE_ETAG_SIZE];
	struct conn much = { .comment = long_text };
	struct stage *s;

	memset(long_text, '/', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	row_number("made with notes", catalog_create(c, "a", &all, &s), 0);
	stage_unref(s);
	row_equal("any text is kept", notes_of(c, "a", etag),
		  "100%\n\xc3\xbc: it's|TYPE = CSV|PURGE = TRUE|now");
	row_number("replaced", catalog_properties_set(c, "a", &one, etag), 0);
	row_equal("by what there is now", notes_of(c, "a", etag), "one|||");
	row_check("too much",
		  catalog_properties_size(&much) > CATALOG_PROPERTIES_MAX);
	row_number("is refused", catalog_properties_set(c, "a", &much, etag),
		   -E2BIG);
	row_number("by create too", catalog_create(c, "b", &much, &s), -E2BIG);
	row_number("which makes nothing", get(c, "b"), -ENOENT);
	row_equal("and changes nothing", notes_of(c, "a", etag), "one|||");
	row_number("dropped", catalog_drop(c, "a"), 0);
	row_number("and not made again by a change",
		   catalog_properties_set(c, "a", &one, etag), -ESTALE);
	poke("root/stage/internal/implied/a");
	row_equal("an implied one has none", notes_of(c, "implied", etag),
		  "|||");
	row_equal("and no marker", etag, "");
	row_number("until it gets some",
		   catalog_properties_set(c, "implied", &one, etag), 0);
	row_equal("which it keeps", notes_of(c, "implied", etag), "one|||");
	row_number("a marker that came since stays",
		   catalog_properties_set(c, "implied", &all, ""), -ESTALE);
	catalog_free(c);
}

enum change { CREATE, DROP };

static const struct {
	const char *sentence;
	enum change change;
	const char *name;
	int rc;
} changes[] = {
	{ "mkdir of a new one", CREATE, "new", 0 },
	{ "mkdir of one that has files", CREATE, "full", -EEXIST },
	{ "mkdir of an empty one", CREATE, "empty", -EEXIST },
	{ "mkdir of an external one", CREATE, "ext", -EEXIST },
	{ "mkdir of the user stage", CREATE, "~", -EEXIST },
	{ "mkdir of a bad name", CREATE, "my-stage", -EINVAL },
	{ "mkdir of a reserved name", CREATE, "v1", -EINVAL },
	{ "rmdir of an empty one", DROP, "empty", 0 },
	{ "rmdir of one that has files", DROP, "full", -ENOTEMPTY },
	{ "rmdir of one that has a marker and files", DROP, "both",
	  -ENOTEMPTY },
	{ "rmdir of none", DROP, "nosuch", -ENOENT },
	{ "rmdir of an external one", DROP, "ext", -EPERM },
	{ "rmdir of the user stage", DROP, "~", -EPERM },
};

static void fill(void)
{
	poke("root/stage/internal/full/a");
	poke("root/stage/internal/empty/");
	poke("root/stage/internal/both/");
	poke("root/stage/internal/both/a");
	poke("root/stage/internal/emptyish/a");
}

static void changes_at_the_root(void **state)
{
	for (unsigned ttl = 0; ttl <= 5; ttl += 5) {
		for (size_t i = 0; i < COUNT(changes); i++) {
			struct catalog *c = open_catalog(&storage_conn, ttl);
			bool create_it = changes[i].change == CREATE;

			fill();
			if (i % 2)
				names_of(c, 0);
			row_number(changes[i].sentence,
				   create_it ? create(c, changes[i].name)
					     : catalog_drop(c, changes[i].name),
				   changes[i].rc);
			if (!changes[i].rc)
				row_number(changes[i].sentence,
					   get(c, changes[i].name),
					   create_it ? 0 : -ENOENT);
			catalog_free(c);
		}
	}
}

static void made_and_dropped_is_seen_by_others(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);
	struct name_info info;

	row_number("mkdir", create(c, "new"), 0);
	row_equal("it is listed", names_of(c, 0), "~ ext new ");
	store_stat(storage, "root/stage/internal/new", &info);
	row_check("the store has it", info.is_prefix);
	row_number("once more", create(c, "new"), -EEXIST);
	row_number("rmdir", catalog_drop(c, "new"), 0);
	row_equal("it is listed no more", names_of(c, 0), "~ ext ");
	store_stat(storage, "root/stage/internal/new", &info);
	row_check("the store has nothing of it", !info.is_prefix);
	row_number("rmdir once more", catalog_drop(c, "new"), -ENOENT);
	row_number("mkdir again", create(c, "new"), 0);
	catalog_free(c);
}

static void read_only_storage(void **state)
{
	struct conn conn = storage_conn;
	struct catalog *c;

	conn.ro = true;
	c = open_catalog(&conn, 5);
	fill();
	row_number("mkdir", create(c, "new"), -EROFS);
	row_number("rmdir", catalog_drop(c, "empty"), -EROFS);
	row_number("reading is allowed", get(c, "full"), 0);
	catalog_free(c);
}

static void the_last_file_does_not_take_the_stage_along(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 0);
	struct stage *s;

	poke("root/stage/internal/s/a");
	row_number("it is there", catalog_get(c, "s", &s), 0);
	row_number("rm", store_remove(storage, "root/stage/internal/s/a"), 0);
	catalog_keep(c, s);
	stage_unref(s);
	row_number("it is still there", get(c, "s"), 0);
	row_equal("and listed", names_of(c, 0), "~ ext s ");
	row_number("rmdir", catalog_drop(c, "s"), 0);
	row_number("now it is gone", get(c, "s"), -ENOENT);
	row_equal("for good", names_of(c, 0), "~ ext ");
	catalog_free(c);
}

static void another_machine_within_the_ttl(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 0);

	row_equal("nothing yet", names_of(c, 0), "~ ext ");
	poke("root/stage/internal/s/");
	row_equal("ttl 0 asks every time", names_of(c, 0), "~ ext s ");
	memstore_poke_remove(storage, "root/stage/internal/s/");
	row_equal("also when it goes", names_of(c, 0), "~ ext ");
	row_number("and by name", get(c, "s"), -ENOENT);
	catalog_free(c);
}

static void a_dead_storage_hides_no_other_stage(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);

	memstore_fail(storage, "list", 0, -ETIMEDOUT);
	memstore_fail(storage, "stat", 0, -ETIMEDOUT);
	row_equal("the others are listed", names_of(c, -ETIMEDOUT), "~ ext ");
	row_number("external stages answer", get(c, "ext"), 0);
	row_number("so does the user stage", get(c, "~"), 0);
	row_number("an internal one tells why not", get(c, "in"), -ETIMEDOUT);
	row_number("mkdir as well", create(c, "in"), -ETIMEDOUT);
	memstore_fail(storage, "list", 0, 0);
	row_equal("a failure is not remembered", names_of(c, 0), "~ ext ");
	catalog_free(c);
}

static void hidden_stages_are_found(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);
	bool hidden = true;

	row_number("asked", catalog_hidden(c, "ext", &hidden), 0);
	row_check("nothing is hidden", !hidden);
	poke("root/stage/internal/ext/a");
	row_number("asked", catalog_hidden(c, "ext", &hidden), 0);
	row_check("an internal one is", hidden);
	row_number("asked", catalog_hidden(c, "nosuch", &hidden), 0);
	row_check("no external one of the name", !hidden);
	catalog_free(c);
}

/* ---- overlaps and names ---- */

static const struct {
	const char *sentence;
	const char *name;
	const char *url, *endpoint;
	bool allow; /* both */
	const char *tells; /* NULL: accepted */
} places[] = {
	{ "another bucket", "s", "s3://other/", "http://127.0.0.1:9000", false,
	  NULL },
	{ "beside stage/ in the storage's bucket", "s",
	  "s3://bucket/root/data/", "http://127.0.0.1:9000", false, NULL },
	{ "another server", "s", "s3://bucket/root/stage/",
	  "http://127.0.0.1:9001", false, NULL },
	{ "above the storage", "s", "s3://bucket/", "http://127.0.0.1:9000",
	  false, "[storage] and s overlap" },
	{ "an internal stage's keys", "s", "s3://bucket/root/stage/internal/x/",
	  "http://127.0.0.1:9000", false, "[storage] and s overlap" },
	{ "the same server in other letters", "s", "s3://bucket/",
	  "HTTP://127.0.0.1:9000/", false, "allow_overlap" },
	{ "both permit it", "s", "s3://bucket/", "http://127.0.0.1:9000", true,
	  NULL },
	{ "a similar name is another", "s", "s3://bucket/root/stagecoach/",
	  "http://127.0.0.1:9000", false, NULL },
	{ "a bad name", "a-b", "s3://other/", NULL, false, "name of a stage" },
	{ "the user stage's name", "~", "s3://other/", NULL, false,
	  "name of a stage" },
	{ "no url", "s", NULL, NULL, false, "url" },
};

static void places_are_compared(void **state)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		struct conn in = storage_conn;
		const struct conn out = {
			.url = (char *)places[i].url,
			.s3.endpoint_url = (char *)places[i].endpoint,
			.allow_overlap = places[i].allow,
		};
		const struct catalog_external x = { places[i].name, &out };
		const struct catalog_settings set = {
			.user = "root",
			.storage = &in,
			.external = &x,
			.n_external = 1,
			.open = open_memory,
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct catalog *c = NULL;
		int rc;

		in.allow_overlap = places[i].allow;
		rc = catalog_new(&set, NULL, &c, &why);
		row_number(places[i].sentence, rc,
			   places[i].tells ? -EINVAL : 0);
		row_check(places[i].sentence,
			  !rc || strstr(buf_str(&why), places[i].tells));
		catalog_free(c);
		buf_clear(&why);
	}
}

static void two_external_stages_overlap(void **state)
{
	const struct catalog_settings set = {
		.external = externals,
		.n_external = 2,
		.open = open_memory,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = NULL;

	row_number("refused", catalog_new(&set, NULL, &c, &why), -EINVAL);
	row_check("both are named", strstr(buf_str(&why), "ext and both"));
	buf_clear(&why);
}

SUITE(catalog)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_stages_side_by_side),
		cmocka_unit_test(one_stage_by_name),
		cmocka_unit_test(without_storage),
		cmocka_unit_test(notes_of_internal_stages),
		cmocka_unit_test(changes_at_the_root),
		cmocka_unit_test(made_and_dropped_is_seen_by_others),
		cmocka_unit_test(read_only_storage),
		cmocka_unit_test(the_last_file_does_not_take_the_stage_along),
		cmocka_unit_test(another_machine_within_the_ttl),
		cmocka_unit_test(a_dead_storage_hides_no_other_stage),
		cmocka_unit_test(hidden_stages_are_found),
		cmocka_unit_test(places_are_compared),
		cmocka_unit_test(two_external_stages_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
