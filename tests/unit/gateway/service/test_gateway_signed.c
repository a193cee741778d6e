/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-signed URLs that the server accepts, at the server itself and its
 * threads.
 *
 * Covers: gateway/health.c gateway/stores.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway_rig.h"

#define KEY "stage/user/root/a b+c.txt"
#define TEXT "hello, stage"

static struct gateway_rig rig;

static int setup(void **state)
{
	gateway_rig_open(&rig, NULL);
	local_rig_put(rig.disk.s, KEY, TEXT);
	local_rig_put(rig.other.s, "x.txt", TEXT);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

/* ---- as it was signed, or else ---- */

static void test_valid(void **state)
{
	struct reply r;
	struct ask a = { .key = KEY };

	rig_ask(&rig, &a, NULL, &r);
	reply_expect("as it was signed", &r, 200, NULL);
	row_equal("the bytes", r.body, TEXT);
	reply_clear(&r);
	a = (struct ask){ .store = "ext", .key = "x.txt" };
	rig_expect(&rig, "an external stage on a local disk", &a, 200, NULL);
}

/* Every byte of the target is signed, or is the signature. */
static void test_each_byte(void **state)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a);
	size_t n = strlen(target);

	for (size_t i = 1; i < n; i++) {
		char was = target[i], sentence[64];
		struct reply r;

		target[i] = was == '7' ? '8' : '7';
		snprintf(sentence, sizeof(sentence), "byte %zu was `%c`", i,
			 was);
		rig_ask(&rig, &a, target, &r);
		if (r.status != 403 && r.status != 400 && r.status != 404)
			fail_msg("%s: %u", sentence, r.status);
		reply_clear(&r);
		target[i] = was;
	}
	free(target);
}

static void test_each_byte_cut(void **state)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a);

	for (size_t n = strlen(target) - 1; n; n -= n < 8 ? 1 : 7) {
		struct reply r;

		target[n] = '\0';
		rig_ask(&rig, &a, target, &r);
		if (r.status < 400 || r.status > 404)
			fail_msg("cut to %zu bytes: %u", n, r.status);
		reply_clear(&r);
	}
	free(target);
}

static const struct {
	const char *sentence;
	int64_t later; /* s, after it was signed */
	unsigned status;
	const char *code;
} moments[] = {
	{ "in its first second", 0, 200, NULL },
	{ "in its last second", 3600, 200, NULL },
	{ "a second too late", 3601, 403, "AccessDenied" },
	{ "by a clock of ours that is a little slow", -900, 200, NULL },
	{ "long before it was signed", -901, 403, "RequestTimeTooSkewed" },
};

static void test_time(void **state)
{
	const struct ask a = { .key = KEY };

	for (size_t i = 0; i < COUNT(moments); i++) {
		char *target = rig_target(&rig, &a);
		struct reply r;

		rig_now += moments[i].later;
		rig_ask(&rig, &a, target, &r);
		rig_now -= moments[i].later;
		reply_expect(moments[i].sentence, &r, moments[i].status,
			     moments[i].code);
		reply_clear(&r);
		free(target);
	}
}

static void test_method(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "PUT" };

	for (size_t i = 0; i < COUNT(methods); i++)
		for (size_t j = 0; j < COUNT(methods); j++) {
			struct ask a = { .method = methods[i], .key = KEY };
			char *target = rig_target(&rig, &a);
			struct reply r;

			a.method = methods[j];
			a.body = !strcmp(a.method, "PUT") ? TEXT : NULL;
			rig_ask(&rig, &a, target, &r);
			reply_expect(methods[j], &r, i == j ? 200 : 403, NULL);
			reply_clear(&r);
			free(target);
		}
}

static void test_rotated(void **state)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct reply r;

	assert_int_equal(local_key_rotate(rig.disk.root, &why), 0);
	rig_ask(&rig, &a, target, &r);
	reply_expect("of the old key", &r, 403, "InvalidAccessKeyId");
	reply_clear(&r);
	rig_expect(&rig, "of the new key", &a, 200, NULL);
	free(target);
	buf_clear(&why);
}

/* ---- what the request says beside ---- */

static const struct {
	const char *sentence;
	struct ask ask;
	unsigned status;
	const char *code;
} rows[] = {
	{ "metadata that is not signed",
	  { .method = "PUT",
	    .key = KEY,
	    .body = "x",
	    .sends = { { "x-amz-meta-a", "b" } } },
	  403,
	  "AccessDenied" },
	{ "metadata that is signed",
	  { .method = "PUT",
	    .key = KEY,
	    .body = TEXT,
	    .signs = { { "x-amz-meta-a", "b" } } },
	  200,
	  NULL },
	{ "an unsigned header that changes what is done",
	  { .method = "PUT",
	    .key = KEY,
	    .body = "",
	    .sends = { { "X-Amz-Copy-Source", "/storage/x" } } },
	  403,
	  "AccessDenied" },
	{ "a signed one that we do not know how to obey",
	  { .method = "PUT",
	    .key = KEY,
	    .body = "",
	    .signs = { { "x-amz-copy-source", "/storage/x" } } },
	  501,
	  "NotImplemented" },
	{ "signed chunks, which would be stored with their signatures",
	  { .method = "PUT",
	    .key = KEY,
	    .body = "",
	    .sends = { { "Content-Encoding", "gzip, AWS-chunked" } } },
	  501,
	  "NotImplemented" },
	{ "a part of an upload",
	  { .method = "PUT",
	    .key = KEY,
	    .body = "x",
	    .query = { { "partNumber", "1" }, { "uploadId", "u" } } },
	  501,
	  "NotImplemented" },
	{ "an ACL",
	  { .key = KEY, .query = { { "acl", "" } } },
	  501,
	  "NotImplemented" },
	{ "a parameter that means nothing",
	  { .key = KEY, .query = { { "x-id", "GetObject" } } },
	  200,
	  NULL },
	{ "a Host of nobody's",
	  { .key = KEY, .host = "evil.example.com" },
	  421,
	  "MisdirectedRequest" },
	{ "a Host of ours that was not signed",
	  { .key = KEY, .sends = { { "Host", "localhost" } } },
	  403,
	  "SignatureDoesNotMatch" },
	{ "a Host of allowed_hosts",
	  { .key = KEY, .host = "stages.example.com" },
	  200,
	  NULL },
	{ "localhost, by any port",
	  { .key = KEY, .host = "localhost:81" },
	  200,
	  NULL },
	{ "a key outside what is a stage's",
	  { .key = "secret.txt" },
	  403,
	  "AccessDenied" },
	{ "the folder of ours",
	  { .store = "ext", .key = ".stagefs/keys" },
	  403,
	  "AccessDenied" },
	{ "a way up", { .key = "stage/../secret.txt" }, 400, NULL },
	{ "a way up at the root",
	  { .store = "ext", .key = "../x" },
	  400,
	  NULL },
	{ "an empty segment", { .store = "ext", .key = "a//b" }, 400, NULL },
	{ "no key", { .store = "ext", .key = "" }, 501, "NotImplemented" },
	{ "nothing is there",
	  { .store = "ext", .key = "no/such" },
	  404,
	  "NoSuchKey" },
	{ "a page of another site may be shown a picture",
	  { .key = KEY, .sends = { { "Origin", "https://evil.example.com" } } },
	  200,
	  NULL },
};

static void test_requests(void **state)
{
	local_rig_write(&rig.disk, "secret.txt", "secret");
	for (size_t i = 0; i < COUNT(rows); i++)
		rig_expect(&rig, rows[i].sentence, &rows[i].ask, rows[i].status,
			   rows[i].code);
}

/* ---- targets that are not signed ---- */

static const struct {
	const char *sentence, *target;
	unsigned status;
	const char *code;
} targets[] = {
	{ "no signature", "/storage/stage/x", 403, "AccessDenied" },
	{ "no signature, no store", "/nothing/x", 403, "AccessDenied" },
	{ "no store", "/nothing/x?X-Amz-Signature=1", 404, "NoSuchBucket" },
	{ "a NUL in the path", "/storage/stage/a%00b?X-Amz-Signature=1", 400,
	  "InvalidURI" },
	{ "a NUL in the query", "/storage/stage/a?X-Amz-Signature=%00", 400,
	  "InvalidURI" },
	{ "a broken escape", "/storage/stage/a%2?X-Amz-Signature=1", 400,
	  "InvalidURI" },
	{ "a whole URL as the target", "http://127.0.0.1/storage/x", 400,
	  "InvalidRequest" },
	{ "the root", "/", 403, "AccessDenied" },
};

static void test_targets(void **state)
{
	const struct ask a = { .key = "" };

	for (size_t i = 0; i < COUNT(targets); i++) {
		struct reply r;

		rig_ask(&rig, &a, targets[i].target, &r);
		reply_expect(targets[i].sentence, &r, targets[i].status,
			     targets[i].code);
		reply_clear(&r);
	}
}

/* A parameter that is there twice: which of them was signed? */
static void test_twice(void **state)
{
	const struct ask a = { .key = KEY };
	char *target = rig_target(&rig, &a), *more = NULL;
	struct reply r;

	assert_true(asprintf(&more, "%s&X-Amz-Expires=604800", target) > 0);
	rig_ask(&rig, &a, more, &r);
	reply_expect("an expiry of their own", &r, 400,
		     "AuthorizationQueryParametersError");
	reply_clear(&r);
	free(more);
	free(target);
}

/* ---- the disk ---- */

static void test_symlinks(void **state)
{
	static const char *const keys[] = { "stage/link", "stage/dir/passwd" };

	assert_int_equal(symlink("/etc/passwd",
				 local_rig_path(&rig.disk, "stage/link")),
			 0);
	assert_int_equal(
		symlink("/etc", local_rig_path(&rig.disk, "stage/dir")), 0);
	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct ask get = { .key = keys[i] };
		const struct ask put = { .method = "PUT",
					 .key = keys[i],
					 .body = "x" };
		struct reply r;

		rig_ask(&rig, &get, NULL, &r);
		if (r.status != 403 && r.status != 404)
			fail_msg("%s: %u", keys[i], r.status);
		assert_null(strstr(r.body, "root:"));
		reply_clear(&r);
		rig_ask(&rig, &put, NULL, &r);
		if (r.status != 403 && r.status != 409)
			fail_msg("%s, written: %u", keys[i], r.status);
		reply_clear(&r);
	}
	assert_int_equal(access("/etc/passwd", R_OK), 0);
}

/* A key that cannot be read is the server's fault, not the request's. */
static void test_spoilt_key(void **state)
{
	const struct ask a = { .key = "stage/x" };
	char *target = rig_target(&rig, &a);
	const char *path = local_rig_path(&rig.disk, ".stagefs/keys");
	FILE *f = fopen(path, "w");
	struct reply r;

	assert_non_null(f);
	assert_true(fputs("nothing\n", f) > 0);
	assert_int_equal(fclose(f), 0);
	rig_ask(&rig, &a, target, &r);
	reply_expect("keys without a key", &r, 500, "InternalError");
	reply_clear(&r);
	free(target);
}

/* A page that a user stored is no page of ours. */
static void test_stored_page(void **state)
{
	struct ask a = { .method = "PUT",
			 .key = "stage/page.html",
			 .body = "<script>alert(1)</script>",
			 .sends = { { "Content-Type", "text/html" } } };
	struct reply r;

	rig_expect(&rig, "a page is stored", &a, 200, NULL);
	a = (struct ask){ .key = "stage/page.html" };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("and read", &r, 200, NULL);
	row_equal("its type", reply_header(&r, "Content-Type"), "text/html");
	row_equal("policy", reply_header(&r, "Content-Security-Policy"),
		  "sandbox");
	row_equal("sniffing", reply_header(&r, "X-Content-Type-Options"),
		  "nosniff");
	reply_clear(&r);
}

SUITE(gateway_signed)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_valid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_byte, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_each_byte_cut, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_method, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symlinks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stored_page, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_spoilt_key, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
