/* SPDX-License-Identifier: Apache-2.0 */
/* The PRESIGN row and its forms, by tables. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "presign/presign.h"
#include "memstore.h"

static const struct {
	const char *sentence;
	const char *text;
	int64_t max;
	int64_t wanted; /* 0: refused */
} expires[] = {
	{ "the least", "1", 0, 1 },
	{ "the most", "604800", 0, 604800 },
	{ "an hour", "3600", 604800, 3600 },
	{ "the mount's most", "600", 600, 600 },
	{ "nought", "0", 0, 0 },
	{ "a second too long", "604801", 0, 0 },
	{ "longer than the mount allows", "601", 600, 0 },
	{ "a mount cannot allow more than the most", "604801", 9999999, 0 },
	{ "negative", "-1", 0, 0 },
	{ "no number", "x", 0, 0 },
	{ "nothing", "", 0, 0 },
	{ "a unit", "1h", 0, 3600 },
	{ "another", "7d", 0, 604800 },
	{ "too many of them", "8d", 0, 0 },
	{ "no unit", "1y", 0, 0 },
	{ "a fraction", "1.5", 0, 0 },
	{ "a space", " 60", 0, 0 },
	{ "hexadecimal", "0x10", 0, 0 },
	{ "more than 64 bits", "99999999999999999999999", 0, 0 },
};

static void expire_is_bounded(void **state)
{
	for (size_t i = 0; i < COUNT(expires); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		int64_t got = 0;
		int rc = presign_parse_expire(expires[i].text, expires[i].max,
					      &got, &why);

		row_number(expires[i].sentence, got, expires[i].wanted);
		row_number(expires[i].sentence, rc,
			   expires[i].wanted ? 0 : -EINVAL);
		row_check(expires[i].sentence,
			  !rc || strstr(buf_str(&why), "expire = "));
		buf_clear(&why);
	}
}

static void actions_in_any_case(void **state)
{
	enum presign_action a = PRESIGN_UPLOAD;

	row_number("DOWNLOAD", presign_parse_action("DOWNLOAD", &a), 0);
	row_number("DOWNLOAD", a, PRESIGN_DOWNLOAD);
	row_number("Upload", presign_parse_action("Upload", &a), 0);
	row_number("Upload", a, PRESIGN_UPLOAD);
	row_number("INVALID", presign_parse_action("INVALID", &a), -EINVAL);
}

static const struct {
	const char *sentence;
	const char *prefix, *path;
	bool ro;
	struct presign_request req;
	int rc;
	const char *tells; /* in the URL, or in the refusal */
} requests[] = {
	{ "a download",
	  "p/",
	  "a.csv",
	  false,
	  { PRESIGN_DOWNLOAD, 60, 0, NULL },
	  0,
	  "/p/a.csv?X-Mem-Expires=60&X-Mem-Method=GET" },
	{ "an upload",
	  "",
	  "a b",
	  false,
	  { PRESIGN_UPLOAD, 60, 0, NULL },
	  0,
	  "/a%20b?X-Mem-Expires=60&X-Mem-Method=PUT" },
	{ "the stage itself is its prefix",
	  "p/",
	  "",
	  false,
	  { PRESIGN_DOWNLOAD, 60, 0, NULL },
	  0,
	  "/p/?" },
	{ "a whole bucket is no file",
	  "",
	  "",
	  false,
	  { PRESIGN_DOWNLOAD, 60, 0, NULL },
	  -EINVAL,
	  "no file" },
	{ "expire 0",
	  "p/",
	  "a",
	  false,
	  { PRESIGN_DOWNLOAD, 0, 0, NULL },
	  -EINVAL,
	  "expire = 0" },
	{ "expire -1",
	  "p/",
	  "a",
	  false,
	  { PRESIGN_DOWNLOAD, -1, 0, NULL },
	  -EINVAL,
	  "expire = -1" },
	{ "expire 604801",
	  "p/",
	  "a",
	  false,
	  { PRESIGN_DOWNLOAD, 604801, 0, NULL },
	  -EINVAL,
	  "604800" },
	{ "the mount's bound",
	  "p/",
	  "a",
	  false,
	  { PRESIGN_DOWNLOAD, 61, 60, NULL },
	  -EINVAL,
	  "from 1 to 60" },
	{ "no upload to a read-only stage",
	  "p/",
	  "a",
	  true,
	  { PRESIGN_UPLOAD, 60, 0, NULL },
	  -EROFS,
	  "read-only" },
	{ "a download from a read-only stage",
	  "p/",
	  "a",
	  true,
	  { PRESIGN_DOWNLOAD, 60, 0, NULL },
	  0,
	  "GET" },
	{ "a control byte in the content type",
	  "p/",
	  "a",
	  false,
	  { PRESIGN_UPLOAD, 60, 0, "a\r\nb: c" },
	  -EINVAL,
	  "control byte" },
};

static void requests_are_checked(void **state)
{
	struct store *store = memstore_new("s");

	for (size_t i = 0; i < COUNT(requests); i++) {
		struct stage *s =
			stage_new("s", STAGE_EXTERNAL, store,
				  requests[i].prefix, requests[i].ro, 0);
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct store_presigned p;
		int rc = presign(s, requests[i].path, &requests[i].req, &p,
				 &why);

		row_number(requests[i].sentence, rc, requests[i].rc);
		row_check(requests[i].sentence,
			  strstr(rc ? buf_str(&why) : p.url,
				 requests[i].tells));
		store_presign_clear(&p);
		buf_clear(&why);
		stage_unref(s);
	}
	store_unref(store);
}

static void a_key_has_an_end(void **state)
{
	const struct presign_request req = { PRESIGN_DOWNLOAD, 60, 0, NULL };
	struct store *store = memstore_new("s");
	struct stage *s = stage_new("s", STAGE_EXTERNAL, store, "p/", false, 0);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	char path[STORE_KEY_MAX];
	struct store_presigned p;

	memset(path, 'a', sizeof(path));
	path[STORE_KEY_MAX - 1] = '\0';
	row_number("1025 bytes", presign(s, path, &req, &p, &why),
		   -ENAMETOOLONG);
	row_check("the reason is told", strstr(buf_str(&why), "1024"));
	path[STORE_KEY_MAX - 2] = '\0';
	row_number("1024 bytes", presign(s, path, &req, &p, &why), 0);
	store_presign_clear(&p);
	buf_clear(&why);
	stage_unref(s);
	store_unref(store);
}

static void the_type_by_direction(void **state)
{
	struct presign_request req = { PRESIGN_UPLOAD, 60, 0, "text/csv" };
	struct store *store = memstore_new("s");
	struct stage *s = stage_new("s", STAGE_EXTERNAL, store, "", false, 0);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;

	row_number("an upload", presign(s, "a", &req, &p, &why), 0);
	row_equal("signs the type", p.headers,
		  "{\"content-type\":\"text/csv\"}");
	store_presign_clear(&p);
	req.action = PRESIGN_DOWNLOAD;
	row_number("a download", presign(s, "a", &req, &p, &why), 0);
	row_equal("has nothing to send", p.headers, "{}");
	row_check("and overrides the answer's",
		  strstr(p.url, "&response-content-type=text%2Fcsv"));
	store_presign_clear(&p);
	buf_clear(&why);
	stage_unref(s);
	store_unref(store);
}

#define URL "https://h/b/k?X-Amz-Signature=1"

static const struct {
	const char *sentence;
	struct store_presigned p;
	const char *wanted;
} rows[] = {
	{ "a plain row",
	  { (char *)URL, (char *)"{}", (char *)"", "GET", 0, NULL },
	  "{\"method\":\"GET\",\"headers\":{},\"url\":\"" URL
	  "\",\"expires_at\":null,\"warnings\":[]}" },
	{ "headers, an end and a warning",
	  { (char *)URL, (char *)"{\"a\":\"b\"}", (char *)"a: b\n", "PUT",
	    1369353600, (char *)"say \"when\"" },
	  "{\"method\":\"PUT\",\"headers\":{\"a\":\"b\"},\"url\":\"" URL
	  "\",\"expires_at\":\"2013-05-24T00:00:00Z\","
	  "\"warnings\":[\"say \\\"when\\\"\"]}" },
};

static void rows_as_json(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT(BUF_URL);

		presign_row_json(&rows[i].p, &out);
		row_equal(rows[i].sentence, buf_str(&out), rows[i].wanted);
		buf_clear(&out);
	}
}

static const struct {
	const char *sentence;
	const char *url, *lines;
	enum presign_action action;
	const char *wanted;
} curls[] = {
	{ "a download", "https://h/b/d/a.csv?x=1&y=2", "", PRESIGN_DOWNLOAD,
	  "curl -f -o a.csv 'https://h/b/d/a.csv?x=1&y=2'" },
	{ "an upload", "https://h/b/a.csv?x=1", "", PRESIGN_UPLOAD,
	  "curl -f -X PUT -T a.csv 'https://h/b/a.csv?x=1'" },
	{ "headers", "https://h/b/a?x=1", "content-type: text/csv\nx-a: it's\n",
	  PRESIGN_UPLOAD,
	  "curl -f -X PUT -T a -H 'content-type: text/csv' "
	  "-H 'x-a: it'\\''s' 'https://h/b/a?x=1'" },
	{ "a space in the name", "https://h/b/a%20b?x=1", "", PRESIGN_DOWNLOAD,
	  "curl -f -o 'a b' 'https://h/b/a%20b?x=1'" },
	{ "a quote in the name", "https://h/b/it%27s?x=1", "", PRESIGN_DOWNLOAD,
	  "curl -f -o 'it'\\''s' 'https://h/b/it%27s?x=1'" },
	{ "a substitution in the name", "https://h/b/%24%28id%29?x=1", "",
	  PRESIGN_UPLOAD,
	  "curl -f -X PUT -T '$(id)' 'https://h/b/%24%28id%29?x=1'" },
	{ "a name that looks like an option", "https://h/b/-K?x=1", "",
	  PRESIGN_DOWNLOAD, "curl -f -o ./-K 'https://h/b/-K?x=1'" },
	{ "a name that means standard input", "https://h/b/-?x=1", "",
	  PRESIGN_UPLOAD, "curl -f -X PUT -T ./- 'https://h/b/-?x=1'" },
	{ "a name with a glob", "https://h/b/a%5B1%5D?x=1", "", PRESIGN_UPLOAD,
	  "curl -g -f -X PUT -T 'a[1]' 'https://h/b/a%5B1%5D?x=1'" },
	{ "a dot segment", "https://h/b/a/./c?x=1", "", PRESIGN_DOWNLOAD,
	  "curl --path-as-is -f -o c 'https://h/b/a/./c?x=1'" },
	{ "dot dot at the end", "https://h/b/a/..?x=1", "", PRESIGN_DOWNLOAD,
	  "curl --path-as-is -f -o .. 'https://h/b/a/..?x=1'" },
	{ "three dots are a name", "https://h/b/.../c?x=1", "",
	  PRESIGN_DOWNLOAD, "curl -f -o c 'https://h/b/.../c?x=1'" },
	{ "a directory's marker", "https://h/b/d/?x=1", "", PRESIGN_UPLOAD,
	  "curl -f -X PUT -d '' -H Content-Type: 'https://h/b/d/?x=1'" },
	{ "a directory", "https://h/b/d/?x=1", "", PRESIGN_DOWNLOAD,
	  "curl -f -o d 'https://h/b/d/?x=1'" },
	{ "an unsigned URL", "https://h/b/a", "", PRESIGN_DOWNLOAD,
	  "curl -f -o a https://h/b/a" },
};

static void rows_as_curl(void **state)
{
	for (size_t i = 0; i < COUNT(curls); i++) {
		const struct store_presigned p = {
			.url = (char *)curls[i].url,
			.header_lines = (char *)curls[i].lines,
			.method = "GET",
		};
		struct buf out = BUF_INIT(BUF_URL);

		presign_row_curl(&p, curls[i].action, &out);
		row_equal(curls[i].sentence, buf_str(&out), curls[i].wanted);
		buf_clear(&out);
	}
}

/* What a shell makes of the line is what was meant. */
static void a_shell_reads_it_back(void **state)
{
	const struct store_presigned p = {
		.url = (char *)"https://h/b/a%20%27%60%24%22%0A%5Cb?x=1&y=%27",
		.header_lines = (char *)"x: $(id) `id` 'q'\n",
	};
	struct buf out = BUF_INIT(BUF_URL);
	char got[1024];
	size_t n;
	FILE *f;

	buf_adds(&out, "curl() { printf '%s\\001' \"$@\"; }; ");
	presign_row_curl(&p, PRESIGN_DOWNLOAD, &out);
	f = popen(buf_str(&out), "r");
	assert_non_null(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	pclose(f);
	row_equal("the words", got,
		  "-f\001-o\001a '`$\"\n\\b\001-H\001x: $(id) `id` 'q'\001"
		  "https://h/b/a%20%27%60%24%22%0A%5Cb?x=1&y=%27\001");
	buf_clear(&out);
}

SUITE(presign)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expire_is_bounded),
		cmocka_unit_test(actions_in_any_case),
		cmocka_unit_test(requests_are_checked),
		cmocka_unit_test(a_key_has_an_end),
		cmocka_unit_test(the_type_by_direction),
		cmocka_unit_test(rows_as_json),
		cmocka_unit_test(rows_as_curl),
		cmocka_unit_test(a_shell_reads_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
