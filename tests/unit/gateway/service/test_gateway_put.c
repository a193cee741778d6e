/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT of objects, at the server itself, on its own threads: what is stored, and
 * what is not.
 *
 * Covers: gateway/objects/object_put.c
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "gateway_rig.h"

#define KEY "stage/user/root/a.txt"
#define TEXT "hello, stage"
#define MD5 "vMz3XGG6sEsDS8WsMh2fCg=="
#define BIG (3 << 20)

static struct gateway_rig rig;

/* What the mount of this process would hear. */
static struct {
	unsigned n;
	char etag[STORE_ETAG_SIZE];
} heard;

static void hear(void *arg, struct store *s, const char *key,
		 const struct object_info *info)
{
	row_equal("its store", s->name, "storage");
	if (!strcmp(key, KEY))
		heard.n++;
	strcpy(heard.etag, info->etag);
}

static void with_mount(struct gateway_settings *set)
{
	set->changed = hear;
}

static int setup(void **state)
{
	gateway_rig_open(&rig, with_mount);
	return 0;
}

static int teardown(void **state)
{
	gateway_rig_close(&rig);
	return 0;
}

static struct ask put(const char *body)
{
	return (struct ask){ .method = "PUT", .key = KEY, .body = body };
}

/* What is there: its text, or "none". */
static const char *there(void)
{
	static char text[4096];

	return local_rig_get(rig.disk.s, KEY, text) ? "none" : text;
}

/* Nothing but whole objects: no file of ours is left anywhere. */
static void check_clean(const char *sentence, const char *keys)
{
	char *list = local_rig_list(rig.disk.s, "", 0);
	char command[4200], line[256] = "";
	FILE *left;

	row_equal(sentence, list, keys);
	free(list);
	snprintf(command, sizeof(command),
		 "find %s/.stagefs/tmp %s/.stagefs/uploads -type f 2>/dev/null",
		 rig.disk.root, rig.disk.root);
	left = popen(command, "r");
	assert_non_null(left);
	row_check(sentence, !fgets(line, sizeof(line), left));
	pclose(left);
}

/* ---- checksums ---- */

static const char *sum(const char *kind, const char *text)
{
	static char out[4][128];
	static unsigned next;
	unsigned char bytes[SHA256_SIZE];
	struct buf b = BUF_INIT(128);
	size_t n;

	if (!strcmp(kind, "md5")) {
		md5(text, strlen(text), bytes);
		n = MD5_SIZE;
	} else if (!strcmp(kind, "sha256")) {
		sha256(text, strlen(text), bytes);
		n = SHA256_SIZE;
	} else {
		uint32_t c = crc32c(0, text, strlen(text));

		for (n = 0; n < 4; n++)
			bytes[n] = c >> (24 - 8 * n);
	}
	base64_encode(bytes, n, &b);
	snprintf(out[next %= 4], sizeof(out[0]), "%s", buf_str(&b));
	buf_clear(&b);
	return out[next++];
}

static const struct {
	const char *sentence, *header, *kind;
	bool is_signed;
} sums[] = {
	{ "Content-MD5", "Content-MD5", "md5", false },
	{ "Content-MD5, signed", "content-md5", "md5", true },
	{ "SHA-256", "x-amz-checksum-sha256", "sha256", true },
	{ "CRC-32C", "x-amz-checksum-crc32c", "crc32c", true },
};

static void test_sums(void **state)
{
	for (size_t i = 0; i < COUNT(sums); i++) {
		struct ask good = put(TEXT);
		struct field *field =
			sums[i].is_signed ? good.signs : good.sends;
		struct object_details d;
		struct ask bad;

		field[0] = (struct field){ sums[i].header,
					   sum(sums[i].kind, TEXT) };
		bad = good;
		bad.body = "HELLO, stage";
		heard.n = 0;
		rig_expect(&rig, sums[i].sentence, &bad, 400, "BadDigest");
		row_equal(sums[i].sentence, there(), "none");
		row_number("the mount hears nothing", heard.n, 0);
		rig_expect(&rig, sums[i].sentence, &good, 200, NULL);
		row_equal(sums[i].sentence, there(), TEXT);
		row_number("the mount hears of it once", heard.n, 1);
		assert_int_equal(store_head(rig.disk.s, KEY, &d), 0);
		row_equal("and what it is", heard.etag, d.info.etag);
		store_remove(rig.disk.s, KEY);
		field[0].value = "x!";
		rig_expect(&rig, sums[i].sentence, &good, 400, "InvalidDigest");
	}
	check_clean("sums", "");
}

static void test_other_sum(void **state)
{
	struct ask a = put(TEXT);

	a.signs[0] = (struct field){ "x-amz-checksum-sha1", "aaaa" };
	rig_expect(&rig, "a checksum that would not be checked", &a, 501,
		   "NotImplemented");
	/* SDKs move it to the query. */
	a = put(TEXT);
	a.query[0] = (struct field){ "x-amz-checksum-crc32c",
				     sum("crc32c", "other") };
	rig_expect(&rig, "one in the query", &a, 400, "BadDigest");
}

/* ---- what is kept ---- */

static void test_kept(void **state)
{
	struct ask a = put(TEXT);
	struct object_details d;
	struct reply r;

	a.signs[0] = (struct field){ "content-type", "text/csv" };
	a.signs[1] = (struct field){ "x-amz-meta-color", "blue" };
	a.query[0] = (struct field){ "x-amz-meta-size", "4" };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("stored", &r, 200, NULL);
	assert_int_equal(store_head(rig.disk.s, KEY, &d), 0);
	row_equal("ETag", reply_header(&r, "ETag"), d.info.etag);
	row_equal("type", props_get(&d.props, PROP_TYPE), "text/csv");
	row_equal("metadata", props_get(&d.props, "x-amz-meta-color"), "blue");
	row_equal("metadata", props_get(&d.props, "x-amz-meta-size"), "4");
	reply_clear(&r);
}

/* ---- conditions ---- */

static void test_conditions(void **state)
{
	struct ask a = put("first");
	char etag[STORE_ETAG_SIZE];
	struct object_details d;

	a.sends[0] = (struct field){ "If-None-Match", "*" };
	rig_expect(&rig, "nothing is there", &a, 200, NULL);
	a.body = "second";
	rig_expect(&rig, "something is there", &a, 412, "PreconditionFailed");
	row_equal("it stays", there(), "first");
	assert_int_equal(store_head(rig.disk.s, KEY, &d), 0);
	snprintf(etag, sizeof(etag), "%s", d.info.etag);
	a.sends[0] = (struct field){ "If-Match", etag };
	rig_expect(&rig, "it is that one", &a, 200, NULL);
	row_equal("replaced", there(), "second");
	rig_expect(&rig, "it no longer is", &a, 412, "PreconditionFailed");
	a.key = "stage/none";
	rig_expect(&rig, "there is none", &a, 404, "NoSuchKey");
	a.sends[0] = (struct field){ "If-None-Match", "\"x\"" };
	rig_expect(&rig, "a condition that is not held", &a, 501,
		   "NotImplemented");
	check_clean("conditions", KEY " ");
}

/* ---- how it comes ---- */

static void test_chunked(void **state)
{
	struct ask a = put("5\r\nhello\r\n7;x=y\r\n, stage\r\n0\r\n\r\n");

	a.sends[0] = (struct field){ "Transfer-Encoding", "chunked" };
	rig_expect(&rig, "in chunks", &a, 200, NULL);
	row_equal("put together", there(), TEXT);
	a.body = "0\r\n\r\n";
	rig_expect(&rig, "no chunk", &a, 200, NULL);
	row_equal("empty", there(), "");
	a.sends[0].value = "gzip, chunked";
	rig_expect(&rig, "another coding", &a, 501, "NotImplemented");
}

static const struct {
	const char *sentence;
	struct field sends[RIG_FIELDS];
	unsigned status;
} lengths[] = {
	{ "two lengths",
	  { { "Content-Length", "12" }, { "Content-Length", "5" } },
	  400 },
	{ "a length and chunks",
	  { { "Content-Length", "12" }, { "Transfer-Encoding", "chunked" } },
	  400 },
	{ "a length that is none", { { "Content-Length", "twelve" } }, 400 },
	{ "a negative length", { { "Content-Length", "-1" } }, 400 },
	{ "a length of many digits",
	  { { "Content-Length", "99999999999999999999999" } },
	  400 },
	{ "part of an object",
	  { { "Content-Length", "12" }, { "Content-Range", "bytes 0-11/20" } },
	  400 },
};

static void test_lengths(void **state)
{
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct ask a = put(TEXT);
		struct reply r;

		memcpy(a.sends, lengths[i].sends, sizeof(a.sends));
		rig_ask(&rig, &a, NULL, &r);
		/* libmicrohttpd itself may end what it cannot read. */
		if (r.status != lengths[i].status && r.status != 413 &&
		    r.status != 0)
			fail_msg("%s: %u", lengths[i].sentence, r.status);
		row_equal(lengths[i].sentence, there(), "none");
		reply_clear(&r);
	}
	check_clean("lengths", "");
}

static char *big(void)
{
	char *text = malloc(BIG);

	assert_non_null(text);
	for (size_t i = 0; i < BIG; i++)
		text[i] = (char)(i * 2654435761u >> 13);
	return text;
}

static void test_big(void **state)
{
	char *text = big();
	struct ask a = put(text);
	struct reply r;

	a.len = BIG;
	rig_expect(&rig, "3 MiB", &a, 200, NULL);
	a = (struct ask){ .key = KEY };
	rig_ask(&rig, &a, NULL, &r);
	reply_expect("and back", &r, 200, NULL);
	row_number("its length", r.len, BIG);
	assert_memory_equal(r.body, text, BIG);
	reply_clear(&r);
	free(text);
}

/* A client that waits before it sends. */
static void test_continue(void **state)
{
	const struct ask good = put(TEXT);
	char *target = rig_target(&rig, &good), room[256] = "";
	struct buf head = BUF_INIT(BUF_URL);
	struct reply r;
	int fd = rig_connect(&rig);

	buf_addf(&head,
		 "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 12\r\n"
		 "Expect: 100-continue\r\nConnection: close\r\n\r\n",
		 target, rig.host);
	assert_int_equal(send(fd, head.data, head.len, 0), head.len);
	assert_true(recv(fd, room, sizeof(room) - 1, 0) > 0);
	assert_non_null(strstr(room, "100 Continue"));
	assert_int_equal(send(fd, TEXT, 12, 0), 12);
	rig_read(fd, &r);
	reply_expect("told to go on", &r, 200, NULL);
	row_equal("stored", there(), TEXT);
	reply_clear(&r);
	buf_clear(&head);
	free(target);
}

static void test_no_continue(void **state)
{
	struct ask a = put(NULL);
	struct reply r;

	a.method = "PUT";
	a.sends[0] = (struct field){ "Expect", "100-continue" };
	a.sends[1] = (struct field){ "Content-Length", "1000000000" };
	rig_ask(&rig, &a, "/storage/stage/x?X-Amz-Signature=0", &r);
	reply_expect("told before the body", &r, 400, NULL);
	reply_clear(&r);
}

/* ---- broken uploads ---- */

static void test_broken(void **state)
{
	const struct ask a = put(TEXT);
	char *target = rig_target(&rig, &a);
	struct buf head = BUF_INIT(BUF_URL);
	int64_t until = clock_mono_ms() + 5000;

	local_rig_put(rig.disk.s, KEY, "old");
	buf_addf(&head,
		 "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 12\r\n\r\n"
		 "hello",
		 target, rig.host);
	for (int i = 0; i < 5; i++) {
		int fd = rig_connect(&rig);

		assert_int_equal(send(fd, head.data, head.len, 0), head.len);
		close(fd);
	}
	while (clock_mono_ms() < until && gateway_stop(rig.gateway, 0) == false)
		usleep(10000);
	row_equal("the old one stays", there(), "old");
	check_clean("a broken upload", KEY " ");
	buf_clear(&head);
	free(target);
}

static void test_refused_bodies(void **state)
{
	char *text = big();
	struct ask a = put(text);
	struct reply r;

	a.len = BIG;
	rig_ask(&rig, &a, "/storage/stage/x?X-Amz-Signature=0", &r);
	reply_expect("a body that was refused is swallowed", &r, 400, NULL);
	reply_clear(&r);
	free(text);
	a = (struct ask){ .method = "PUT", .key = "stage/d/", .body = "x" };
	rig_expect(&rig, "bytes of a directory", &a, 409, "KeyConflict");
	a.body = "";
	rig_expect(&rig, "a directory", &a, 200, NULL);
	a = (struct ask){ .method = "PUT", .key = "stage/d", .body = "x" };
	rig_expect(&rig, "a file where a directory is", &a, 409, "KeyConflict");
	check_clean("refused", "stage/d/ ");
}

/* As on a full disk: the answer is read after all that was sent. */
static void test_failed_in_its_middle(void **state)
{
	const size_t n = (size_t)40 << 20;
	char *text = malloc(n + 1);
	struct ask a = put(text);
	struct rlimit old, low;
	struct reply r;

	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 1 << 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	a.len = n;
	rig_ask(&rig, &a, NULL, &r);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	reply_expect("a long body that the disk does not take", &r, 400,
		     "EntityTooLarge");
	reply_clear(&r);
	free(text);
	check_clean("a body that the disk does not take", "");
}

static void test_read_only(void **state)
{
	const struct ask a = {
		.method = "PUT", .store = "ext", .key = "a", .body = "x"
	};

	gateway_rig_close(&rig);
	gateway_rig_open_ro(&rig);
	rig_expect(&rig, "a stage that is read-only", &a, 403, "AccessDenied");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

SUITE(gateway_put)
{
	const struct CMUnitTest tests[] = {
		WITH(test_sums),
		WITH(test_other_sum),
		WITH(test_kept),
		WITH(test_conditions),
		WITH(test_chunked),
		WITH(test_lengths),
		WITH(test_big),
		WITH(test_continue),
		WITH(test_no_continue),
		WITH(test_broken),
		WITH(test_refused_bodies),
		WITH(test_failed_in_its_middle),
		WITH(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
