/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upload API, request by request: what it answers, and what is there.
 *
 * Covers: gateway/upload/upload.c
 */
#include <stdio.h>

#include "base/buf.h"
#include "memstore.h"
#include "upload_rig.h"

#define S1 "stage/internal/s1/"
#define USER "stage/user/"
#define IN_S1 FORM_TYPE "stage_name: s1\r\n"
#define IN_MEM BOB FORM_TYPE "stage_name: mem\r\n"
#define TWO PART("1.csv") "one\r\n" FORM("2.csv", "two")

static struct upload_rig rig;

/* What the mount of this process hears: keys, a space behind each. */
static struct buf heard = BUF_INIT(BUF_MESSAGE);

static void hear(void *arg, struct store *s, const char *key,
		 const struct object_info *info)
{
	struct object_details d;

	buf_addf(&heard, " %s ", key);
	row_number("it is there by then", store_head(s, key, &d), 0);
	row_equal("as it is told", info->etag, d.info.etag);
}

static void with_mount(struct gateway_settings *set)
{
	set->changed = hear;
}

static int setup(void **state)
{
	upload_rig_open(&rig, with_mount);
	return 0;
}

static int teardown(void **state)
{
	upload_rig_close(&rig);
	buf_clear(&heard);
	return 0;
}

/* in: d the disk of storage, o the one of `disk`, m memory. */
static const struct {
	const char *sentence, *lines, *body;
	unsigned status;
	const char *says;
	char in;
	const char *key, *text; /* NULL: it is not there */
} rows[] = {
	{ "a file", IN_S1, FORM("a.csv", "1,2"), 200,
	  "\"stage_name\":\"s1\",\"state\":\"SUCCESS\",\"files\":[\"a.csv\"]}",
	  'd', S1 "a.csv", "1,2" },
	{ "the other name of the header",
	  FORM_TYPE "x-databend-stage-name: s1\r\n", FORM("b.csv", "x"), 200,
	  "\"s1\"", 'd', S1 "b.csv", "x" },
	{ "both names: Databend's own wins",
	  FORM_TYPE "stage_name: nowhere\r\nX-Databend-Stage-Name: s1\r\n",
	  FORM("c.csv", "x"), 200, "\"s1\"", 'd', S1 "c.csv", "x" },
	{ "a folder", IN_S1 "relative_path: /x/y/\r\n", FORM("a.csv", "3"), 200,
	  "[\"a.csv\"]", 'd', S1 "x/y/a.csv", "3" },
	{ "a folder by the other name",
	  IN_S1 "x-databend-relative-path: z\r\nrelative_path: x\r\n",
	  FORM("a.csv", "4"), 200, "[\"a.csv\"]", 'd', S1 "z/a.csv", "4" },
	{ "a path for a name", IN_S1 "relative_path: p\r\n",
	  FORM("q/r.csv", "5"), 200, "[\"q/r.csv\"]", 'd', S1 "p/q/r.csv",
	  "5" },
	{ "an older file is replaced", IN_S1, FORM("a.csv", "new"), 200, "",
	  'd', S1 "a.csv", "new" },
	{ "two files", IN_S1, TWO, 200, "\"files\":[\"1.csv\",\"2.csv\"]", 'd',
	  S1 "1.csv", "one" },
	{ "no file", IN_S1, "--b--\r\n", 200, "\"files\":[]}", 'd', S1 "none",
	  NULL },
	{ "an empty file", IN_S1, FORM("empty", ""), 200, "[\"empty\"]", 'd',
	  S1 "empty", "" },
	{ "a name with a quote and a euro", IN_S1,
	  FORM("a\\\"\xe2\x82\xac.csv", "6"), 200,
	  "[\"a\\\"\xe2\x82\xac.csv\"]", 'd', S1 "a\"\xe2\x82\xac.csv", "6" },
	{ "the user's own stage", FORM_TYPE "stage_name: ~\r\n", FORM("a", "7"),
	  200, "\"stage_name\":\"~\"", 'd', USER "alice/a", "7" },
	{ "the same as it is written elsewhere", FORM_TYPE "stage_name: @~\r\n",
	  FORM("b", "8"), 200, "\"stage_name\":\"@~\"", 'd', USER "alice/b",
	  "8" },
	{ "another user's own stage", BOB FORM_TYPE "stage_name: ~\r\n",
	  FORM("a", "9"), 200, "", 'd', USER "bob/a", "9" },
	{ "a password and a stage that is listed",
	  BOB FORM_TYPE "stage_name: s1\r\n", FORM("bob", "10"), 200, "", 'd',
	  S1 "bob", "10" },
	{ "an external stage on a disk", FORM_TYPE "stage_name: disk\r\n",
	  FORM("a", "11"), 200, "", 'o', "a", "11" },
	{ "a stage elsewhere", IN_MEM, FORM("a", "12"), 200, "\"mem\"", 'm',
	  "p/a", "12" },
	{ "two files elsewhere", IN_MEM "relative_path: two\r\n", TWO, 200,
	  "\"files\":[\"1.csv\",\"2.csv\"]", 'm', "p/two/2.csv", "two" },
	{ "a page that is let in",
	  IN_S1 "Origin: https://app.example.com\r\n"
		"Sec-Fetch-Site: cross-site\r\n",
	  FORM("page", "13"), 200, "", 'd', S1 "page", "13" },

	{ "no stage", FORM_TYPE, FORM("n0", "x"), 400,
	  "{\"error\":{\"code\":400,\"message\":\"[HTTP-STAGE] Missing "
	  "required parameter 'stage-name' in request headers\"}}",
	  'd', S1 "n0", NULL },
	{ "an empty name of a stage", FORM_TYPE "stage_name:\r\n",
	  FORM("n0", "x"), 400, "[HTTP-STAGE]", 'd', S1 "n0", NULL },
	{ "a stage that is not there", FORM_TYPE "stage_name: s9\r\n",
	  FORM("n0", "x"), 500,
	  "{\"error\":{\"code\":500,\"message\":\"Unknown stage s9\"}}", 'd',
	  "stage/internal/s9/n0", NULL },
	{ "a stage that leads out", FORM_TYPE "stage_name: ../user/bob\r\n",
	  FORM("n0", "x"), 500, "Unknown stage", 'd', USER "bob/n0", NULL },
	{ "a stage in the query is none",
	  FORM_TYPE "X-Original-Url: /?stage_name=s1\r\n", FORM("n0", "x"), 400,
	  "[HTTP-STAGE]", 'd', S1 "n0", NULL },
	{ "two stages", IN_S1 "stage_name: s2\r\n", FORM("n1", "x"), 400,
	  "twice", 'd', S1 "n1", NULL },
	{ "two folders", IN_S1 "relative_path: a\r\nRelative_Path: b\r\n",
	  FORM("n1", "x"), 400, "twice", 'd', S1 "a/n1", NULL },
	{ "no @ before a file", IN_S1,
	  "--b\r\nContent-Disposition: form-data; name=\"upload\"\r\n\r\n"
	  "books.parquet\r\n--b--\r\n",
	  400,
	  "Invalid form-data field 'upload': expected a file upload with a "
	  "filename. If you are using curl, did you forget the '@' in -F "
	  "'upload=@/path/to/file'?",
	  'd', S1 "books.parquet", NULL },
	{ "an empty filename", IN_S1, FORM("", "x"), 400,
	  "expected a file upload with a filename", 'd', S1 "", NULL },
	{ "a name that leads out", IN_S1, FORM("../s2/n2", "x"), 500,
	  "{\"error\":{\"code\":500,", 'd', "stage/internal/s2/n2", NULL },
	{ "a name that leads out behind a folder", IN_S1,
	  FORM("x/../../n2", "x"), 500, "leads out", 'd', "stage/internal/n2",
	  NULL },
	{ "a folder that leads out", IN_S1 "relative_path: ../..\r\n",
	  FORM("n2", "x"), 500, "leads out", 'd', "stage/n2", NULL },
	{ "a name in backslashes", IN_S1, FORM("C:\\\\n3", "x"), 400,
	  "backslash", 'd', S1 "n3", NULL },
	{ "a NUL in a name", IN_S1,
	  "--b\r\nContent-Disposition: form-data; name=u; "
	  "filename*=UTF-8''n4%00.csv\r\n\r\nx\r\n--b--\r\n",
	  400, "bad escape", 'd', S1 "n4", NULL },
	{ "a line end in a name", IN_S1,
	  "--b\r\nContent-Disposition: form-data; name=u; "
	  "filename*=UTF-8''n4%0Ax\r\n\r\nx\r\n--b--\r\n",
	  400, "control", 'd', S1 "n4\nx", NULL },
	{ "a folder of ours at a disk's root",
	  FORM_TYPE "stage_name: disk\r\nrelative_path: .stagefs\r\n",
	  FORM("keys2", "x"), 400, "may be called so", 'o', ".stagefs/keys2",
	  NULL },
	{ "a file where a folder would have to be", IN_S1, FORM("1.csv/x", "x"),
	  400, "a file stands where", 'd', S1 "1.csv/x", NULL },
	{ "a folder of that name", IN_S1, FORM("x", "x"), 400,
	  "there is a folder", 'd', S1 "x", NULL },
	{ "another type", "Content-Type: text/csv\r\nstage_name: s1\r\n", "x",
	  415, "not multipart/form-data", 'd', S1 "n5", NULL },
	{ "no type", "stage_name: s1\r\n", "x", 415, "not multipart/form-data",
	  'd', S1 "n5", NULL },
	{ "no boundary",
	  "Content-Type: multipart/form-data\r\nstage_name: s1\r\n", "x", 400,
	  "boundary", 'd', S1 "n5", NULL },
	{ "two boundaries",
	  "Content-Type: multipart/form-data; boundary=b; boundary=c\r\n"
	  "stage_name: s1\r\n",
	  FORM("n5", "x"), 400, "boundary", 'd', S1 "n5", NULL },
	{ "a form that does not end", IN_S1, PART("n6") "half", 400,
	  "ends before its last boundary", 'd', S1 "n6", NULL },
	{ "a form that breaks", IN_S1, PART("n6") "half\r\n--bx\r\n--b--", 400,
	  "the form is broken", 'd', S1 "n6x", NULL },
	{ "what was whole before it breaks stays", IN_S1,
	  PART("n7") "whole\r\n" PART("n8") "half", 400, "the form is broken",
	  'd', S1 "n7", "whole" },
	{ "what was not is not there", IN_S1, "--b--", 200, "", 'd', S1 "n8",
	  NULL },
	{ "no body", IN_S1, "", 400, "the form is broken", 'd', S1 "n9", NULL },

	{ "a stage elsewhere without a password",
	  FORM_TYPE "stage_name: mem\r\n", FORM("n10", "x"), 401,
	  "{\"error\":{\"code\":5100,", 'm', "p/n10", NULL },
	{ "a stage that is not open to the API",
	  BOB FORM_TYPE "stage_name: closed\r\n", FORM("n10", "x"), 403,
	  "upload_api", 'm', "n10", NULL },
	{ "a read-only stage", BOB FORM_TYPE "stage_name: ro\r\n",
	  FORM("n10", "x"), 403, "read-only", 'm', "n10", NULL },
	{ "a stage that is not listed", BOB FORM_TYPE "stage_name: disk\r\n",
	  FORM("n10", "x"), 403, "user bob may not write to stage disk", 'o',
	  "n10", NULL },
	{ "whether a stage is there is not told to those who may not",
	  EVE FORM_TYPE "stage_name: s9\r\n", FORM("n10", "x"), 403,
	  "user eve may not write to stage s9", 'd', S1 "n10", NULL },
	{ "a wrong password", "Authorization: Basic Ym9iOndyb25n\r\n" IN_S1,
	  FORM("n10", "x"), 401,
	  "{\"error\":{\"code\":5100,\"message\":\"wrong user or password\"}}",
	  'd', S1 "n10", NULL },
	{ "a page that is not let in",
	  IN_S1 "Origin: https://evil.example.com\r\n", FORM("n11", "x"), 403,
	  "origin", 'd', S1 "n11", NULL },
	{ "a page that hides its name", IN_S1 "Origin: null\r\n",
	  FORM("n11", "x"), 403, "origin", 'd', S1 "n11", NULL },
	{ "a page of another site, without Origin",
	  IN_S1 "Sec-Fetch-Site: cross-site\r\n", FORM("n11", "x"), 403, "",
	  'd', S1 "n11", NULL },
	{ "a page of this very host", IN_S1 "Sec-Fetch-Site: same-origin\r\n",
	  FORM("n11", "x"), 403, "", 'd', S1 "n11", NULL },
	{ "a forged host", IN_S1 "X: y\r\nHost: evil.example.com\r\n",
	  FORM("n11", "x"), 400, "", 'd', S1 "n11", NULL },
};

static struct store *store_of(char in)
{
	return in == 'd'   ? rig.base.disk.s
	       : in == 'o' ? rig.base.other.s
			   : rig.mem;
}

static void check_object(const char *sentence, char in, const char *key,
			 const char *text)
{
	struct object_info info;
	char got[256] = "";
	size_t n = 0;
	int rc = -1;

	if (*key && key[strlen(key) - 1] != '/')
		rc = store_get_sync(store_of(in), key, NULL, 0, got,
				    sizeof(got) - 1, &n, &info);
	if (!text) {
		row_check(sentence, rc);
		return;
	}
	row_number(sentence, rc, 0);
	row_equal(sentence, got, text);
}

static void requests(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char key[256];
		struct reply r;

		buf_reset(&heard);
		upload_rig_send(&rig, rows[i].lines, rows[i].body,
				strlen(rows[i].body), &r);
		reply_expect(rows[i].sentence, &r, rows[i].status, NULL);
		if (!strstr(r.body, rows[i].says))
			fail_msg("%s: %s", rows[i].sentence, r.body);
		row_equal(rows[i].sentence, reply_header(&r, "Content-Type"),
			  "application/json");
		check_object(rows[i].sentence, rows[i].in, rows[i].key,
			     rows[i].text);
		snprintf(key, sizeof(key), " %s ", rows[i].key);
		row_check(rows[i].sentence,
			  !strstr(buf_str(&heard), key) == !rows[i].text);
		reply_clear(&r);
	}
}

static void answers_have_what_clients_expect(void **state)
{
	static const char body[] = FORM("h", "x");
	struct reply a, b;
	const char *id;

	upload_rig_send(&rig, IN_S1 "Origin: https://app.example.com\r\n", body,
			sizeof(body) - 1, &a);
	upload_rig_send(&rig, IN_S1, body, sizeof(body) - 1, &b);
	id = a.body + strlen("{\"id\":\"");
	row_check("an id", !strncmp(a.body, "{\"id\":\"", 7) &&
				   strspn(id, "0123456789abcdef-") == 36 &&
				   id[14] == '4');
	row_check("another one", strncmp(id, b.body + 7, 36));
	row_equal("CORS", reply_header(&a, "Access-Control-Allow-Origin"),
		  "https://app.example.com");
	row_check("no CORS", !reply_header(&b, "Access-Control-Allow-Origin"));
	reply_clear(&a);
	reply_clear(&b);
	upload_rig_send(&rig, BOB "Authorization: Basic eA==\r\n" IN_S1, body,
			sizeof(body) - 1, &a);
	reply_expect("two logins", &a, 401, NULL);
	row_check("asks",
		  strstr(reply_header(&a, "WWW-Authenticate"), "Basic realm"));
	reply_clear(&a);
}

static const struct {
	const char *sentence, *line;
	unsigned status;
} lines[] = {
	{ "POST", "POST /v1/upload_to_stage", 200 },
	{ "a slash at the end", "PUT /v1/upload_to_stage/", 200 },
	{ "a query is of no meaning", "PUT /v1/upload_to_stage?stage_name=s2",
	  200 },
	{ "GET", "GET /v1/upload_to_stage", 405 },
	{ "DELETE", "DELETE /v1/upload_to_stage", 405 },
	{ "a longer path", "PUT /v1/upload_to_stage/x", 404 },
	{ "an escaped path", "PUT /v1/upload%5fto_stage", 404 },
	{ "another API", "POST /v1/query", 404 },
};

static void request_lines(void **state)
{
	static const char body[] = FORM("line", "x");

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct buf text = BUF_INIT(BUF_LINE);
		struct reply r;

		buf_addf(&text,
			 "%s HTTP/1.1\r\nHost: %s\r\n" IN_S1
			 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			 lines[i].line, rig.base.host, sizeof(body) - 1, body);
		rig_raw(&rig.base, text.data, text.len, &r);
		reply_expect(lines[i].sentence, &r, lines[i].status, NULL);
		reply_clear(&r);
		buf_clear(&text);
	}
}

static void a_page_asks_first(void **state)
{
	static const char *const origins[] = { "https://app.example.com",
					       "https://evil.example.com" };

	for (size_t i = 0; i < 2; i++) {
		struct buf text = BUF_INIT(BUF_LINE);
		const char *headers;
		struct reply r;

		buf_addf(&text,
			 "OPTIONS /v1/upload_to_stage HTTP/1.1\r\nHost: %s\r\n"
			 "Origin: %s\r\nAccess-Control-Request-Method: PUT\r\n"
			 "Access-Control-Request-Headers: stage_name\r\n"
			 "Connection: close\r\n\r\n",
			 rig.base.host, origins[i]);
		rig_raw(&rig.base, text.data, text.len, &r);
		headers = reply_header(&r, "Access-Control-Allow-Headers");
		reply_expect(origins[i], &r, i ? 403 : 204, NULL);
		row_check(origins[i], i ? !headers : headers != NULL);
		reply_clear(&r);
		buf_clear(&text);
	}
}

/* In chunks, of a length that was not announced. */
static void in_chunks(void **state)
{
	static const char *const bodies[] = { IN_MEM, IN_S1 };

	for (size_t k = 0; k < 2; k++) {
		struct buf form = BUF_INIT(32 << 20), text = BUF_INIT(32 << 20);
		const size_t size = (17 << 20) + 3;
		struct reply r;

		upload_rig_form(&form, "chunks", size, 5);
		upload_rig_head(&rig, bodies[k], -1, &text);
		for (size_t at = 0, n = 1; at < form.len; at += n) {
			n = n * 3 % 70001 + 1;
			n = n < form.len - at ? n : form.len - at;
			buf_addf(&text, "%zx\r\n", n);
			buf_add(&text, form.data + at, n);
			buf_adds(&text, "\r\n");
		}
		buf_adds(&text, "0\r\n\r\n");
		rig_raw(&rig.base, text.data, text.len, &r);
		reply_expect("in chunks", &r, 200, NULL);
		row_check("whole",
			  upload_rig_there(k ? rig.base.disk.s : rig.mem,
					   k ? S1 "chunks" : "p/chunks", size,
					   5));
		reply_clear(&r);
		buf_clear(&form);
		buf_clear(&text);
	}
}

/* A client that waits for `100 Continue` does not send a body that is
 * refused. */
static void expectations(void **state)
{
	struct buf text = BUF_INIT(BUF_LINE);
	struct reply r;

	upload_rig_head(&rig,
			FORM_TYPE "stage_name: s9\r\nExpect: 100-continue\r\n",
			(int64_t)10 << 30, &text);
	rig_raw(&rig.base, text.data, text.len, &r);
	reply_expect("refused before 10 GiB", &r, 500, NULL);
	reply_clear(&r);
	buf_clear(&text);
}

SUITE(upload)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(answers_have_what_clients_expect),
		cmocka_unit_test(request_lines),
		cmocka_unit_test(a_page_asks_first),
		cmocka_unit_test(in_chunks),
		cmocka_unit_test(expectations),
	};

	return cmocka_run_group_tests_name("upload", tests, setup, teardown);
}
