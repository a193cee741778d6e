/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes by pre-signed URLs: of an object whose keys are at hand, and by a row
 * that was handed over.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/waiter.h"
#include "s3_rig.h"
#include "store/s3/s3_url.h"
#include "store/store_presign.h"
#include "store/upload_parts.h"

static struct s3_rig rig;
static struct http_lane *lane;

static struct store *open_url(const struct store_presigned *row)
{
	const struct s3_url_settings set = {
		.lane = lane,
		.of = row ? NULL : rig.s,
		.method = row ? row->method : NULL,
		.url = row ? row->url : NULL,
		.headers = row ? row->header_lines : NULL,
	};
	struct store *s;

	assert_int_equal(s3_url_new(&set, &s), 0);
	return s;
}

static struct store_presigned sign(enum presign_action action, const char *key)
{
	const struct store_presign req = { .action = action,
					   .key = key,
					   .expire = 60 };
	struct store_presigned row;

	assert_int_equal(store_presign(rig.s, &req, &row, NULL), 0);
	return row;
}

static int put(struct store *s, const char *key, const char *text)
{
	const struct store_body body = { .data = text,
					 .fd = -1,
					 .len = strlen(text) };

	return store_put(s, key, &body, NULL, NULL, NULL);
}

static int get(struct store *s, const char *key, char out[32],
	       struct object_info *info)
{
	size_t n = 0;
	int rc = store_get_sync(s, key, NULL, 0, out, 31, &n, info);

	out[n] = '\0';
	return rc;
}

static void because(struct store *s, const char *why)
{
	struct buf b = BUF_INIT(BUF_MESSAGE);

	s3_url_why(s, &b);
	assert_string_equal(buf_str(&b), why);
	buf_clear(&b);
}

/* How many requests so far were signed in a header, and how many in a URL. */
static void signatures(unsigned *headers, unsigned *urls)
{
	char *log = standin_get(&rig.standin, "/_requests"), *p;

	*headers = *urls = 0;
	for (p = log; (p = strstr(p, "\"authorization\"")); p++)
		++*headers;
	for (p = log; (p = strstr(p, "X-Amz-Signature=")); p++)
		++*urls;
	free(log);
}

static void signed_in_the_url(void **state)
{
	struct store *s = open_url(NULL);
	struct object_info info;
	unsigned headers, urls;
	char text[32];

	standin_reset(&rig.standin);
	assert_int_equal(put(s, "a b", "hello"), 0);
	assert_int_equal(get(s, "a b", text, &info), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(info.size, 5);
	assert_true(*info.etag);
	signatures(&headers, &urls);
	assert_int_equal(headers, 0);
	assert_true(urls >= 2);
	because(s, "");
	assert_int_equal(get(s, "none", text, &info), -ENOENT);
	because(s, "NoSuchKey: The specified key does not exist. (HTTP 404)");
	because(s, "");
	store_unref(s);
}

static void by_a_row(void **state)
{
	struct store_presigned up = sign(PRESIGN_UPLOAD, "row");
	struct store_presigned down = sign(PRESIGN_DOWNLOAD, "row");
	struct store *s = open_url(&up);
	struct object_info info;
	char text[32];

	assert_int_equal(put(s, "?", "by a row"), 0);
	/* A bucket that demands a checksum gets one, which is not signed. */
	standin_fault(&rig.standin,
		      "\"method\": \"PUT\", \"count\": 0, "
		      "\"lacking\": \"content-md5\"",
		      "\"type\": \"status\", \"status\": 400, "
		      "\"code\": \"InvalidRequest\", \"message\": "
		      "\"Content-MD5 is required\"");
	assert_int_equal(put(s, "?", "by a row"), 0);
	standin_reset(&rig.standin);
	store_unref(s);
	s = open_url(&down);
	assert_int_equal(get(s, "?", text, &info), 0);
	assert_string_equal(text, "by a row");
	store_unref(s);
	strcpy(strstr(down.url, "Signature=") + 10, "0");
	s = open_url(&down);
	assert_int_equal(get(s, "?", text, &info), -EACCES);
	store_unref(s);
	store_presign_clear(&up);
	store_presign_clear(&down);
}

static void parts_go_by_urls(void **state)
{
	struct store *s = open_url(NULL);
	const struct upload_part part = {
		.number = 1,
		.body = { .data = "part", .fd = -1, .len = 4 },
	};
	struct upload_parts *p;
	struct object_info info;
	char text[32];
	unsigned headers, urls;

	standin_reset(&rig.standin);
	assert_int_equal(upload_parts_open(s, "parts", NULL, 2, &p), 0);
	assert_int_equal(upload_parts_send(p, &part), 0);
	assert_int_equal(upload_parts_wait(p, 0), 0);
	signatures(&headers, &urls);
	assert_int_equal(headers, 1); /* it was begun */
	assert_true(urls >= 1);
	assert_int_equal(upload_parts_complete(p, 1, NULL, &info), 0);
	upload_parts_free(p);
	assert_int_equal(get(s, "parts", text, &info), 0);
	assert_string_equal(text, "part");
	store_unref(s);
}

static void a_server_without_ranges(void **state)
{
	struct store *s = open_url(NULL);
	struct object_info info;
	char text[32];

	assert_int_equal(put(s, "plain", "hello"), 0);
	standin_fault(&rig.standin, "\"method\": \"GET\", \"count\": 0",
		      "\"type\": \"no_length\", \"as\": \"whole\"");
	assert_int_equal(get(s, "plain", text, &info), 0);
	assert_string_equal(text, "hello");
	standin_reset(&rig.standin);
	standin_fault(&rig.standin, "\"method\": \"GET\", \"count\": 0",
		      "\"type\": \"no_length\", \"as\": \"whole\", "
		      "\"close\": true");
	assert_int_equal(get(s, "plain", text, &info), -EIO);
	because(s, "the answer does not say where it ends");
	standin_reset(&rig.standin);
	store_unref(s);
}

/* What the server says of the request is not repeated. */
static void no_url_is_told(void **state)
{
	struct store *s = open_url(NULL);
	struct object_info info;
	char text[32];

	standin_fault(&rig.standin, "\"method\": \"GET\", \"count\": 0",
		      "\"type\": \"status\", \"status\": 403, "
		      "\"code\": \"AccessDenied\", \"message\": "
		      "\"see http://h/?X-Amz-Signature=1\"");
	assert_int_equal(get(s, "a b", text, &info), -EACCES);
	because(s, "AccessDenied (HTTP 403)");
	standin_reset(&rig.standin);
	store_unref(s);
}

static void regions_and_checksums_are_learnt(void **state)
{
	struct buf region = BUF_INIT(256);
	struct store *s = open_url(NULL);

	standin_fault(&rig.standin, "\"method\": \"PUT\", \"count\": 0",
		      "\"type\": \"redirect\", \"status\": 307, "
		      "\"region\": \"eu-west-3\"");
	assert_false(s3_url_moved(s, &region));
	assert_int_equal(put(s, "moved", "there"), 0);
	assert_true(s3_url_moved(s, &region));
	assert_string_equal(buf_str(&region), "eu-west-3");
	standin_reset(&rig.standin);
	assert_int_equal(put(s, "moved", "and back"), 0);
	standin_reset(&rig.standin);
	standin_fault(&rig.standin,
		      "\"method\": \"PUT\", \"count\": 0, "
		      "\"lacking\": \"content-md5\"",
		      "\"type\": \"status\", \"status\": 400, "
		      "\"code\": \"InvalidRequest\", \"message\": "
		      "\"Content-MD5 is required\"");
	assert_int_equal(put(s, "locked", "md5"), 0);
	assert_int_equal(put(s, "locked", "md5 at once"), 0);
	assert_int_equal(standin_stat(&rig.standin, "requests"), 3);
	standin_reset(&rig.standin);
	buf_clear(&region);
	store_unref(s);
}

static void what_is_refused(void **state)
{
	const struct s3_url_settings odd = { .lane = lane,
					     .method = "BREW",
					     .url = "http://h/",
					     .headers = "" };
	const struct store_cond absent = { .if_absent = true };
	const struct store_body empty = { .data = "", .fd = -1 };
	struct store *s;

	assert_int_equal(s3_url_new(&odd, &s), -EINVAL);
	s = open_url(NULL);
	assert_int_equal(store_put(s, "k", &empty, NULL, &absent, NULL),
			 -EOPNOTSUPP);
	store_unref(s);
}

static int set_up(void **state)
{
	const struct http_lane_settings set = { .connections = 4,
						.connect_timeout_s = 5,
						.idle_timeout_s = 5,
						.deadline_s = 10 };
	const struct s3_rig_options options = { .deadline_s = 10 };

	s3_rig_start(&rig, NULL);
	s3_rig_open(&rig, &options);
	lane = http_lane_new(rig.engine, &set);
	return lane ? 0 : -1;
}

static int tear_down(void **state)
{
	http_lane_free(lane);
	s3_rig_stop(&rig);
	return 0;
}

SUITE(s3_url)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_in_the_url),
		cmocka_unit_test(by_a_row),
		cmocka_unit_test(parts_go_by_urls),
		cmocka_unit_test(a_server_without_ranges),
		cmocka_unit_test(no_url_is_told),
		cmocka_unit_test(regions_and_checksums_are_learnt),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
