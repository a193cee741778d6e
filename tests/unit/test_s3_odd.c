/*
 * Servers that are good enough but odd: answers without a size, listings in
 * other dialects, rights that are given in part, ETags that differ.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "s3_rig.h"
#include "store/store.h"

static struct s3_rig rig;

#define ALWAYS(m) "\"method\": \"" m "\", \"count\": 0"
#define TEXT "0123456789abcdef"

static struct object_info put(const char *key, const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(store_put(rig.s, key, &body, NULL, NULL, &info), 0);
	return info;
}

/* Reads all of TEXT and more; what came is in `have`. */
static int get(const char *key, const char *etag, char have[64])
{
	size_t n = 0;
	int err = store_get_sync(rig.s, key, etag, 0, have, 63, &n, NULL);

	have[err ? 0 : n] = '\0';
	return err;
}

static void assert_read(const char *key)
{
	char have[64];

	assert_int_equal(get(key, NULL, have), 0);
	assert_string_equal(have, TEXT);
}

static void assert_log_has(const char *text)
{
	char *log = standin_get(&rig.standin, "/_requests");

	if (!strstr(log, text))
		fail_msg("no `%s` in %s", text, log);
	free(log);
}

static int fresh(void **state)
{
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	rig_open(&rig, NULL);
	put("k", TEXT);
	free(standin_post(&rig.standin, "/_reset", ""));
	return 0;
}

/* A store that gives up soon. */
static void impatient(void)
{
	struct s3_rig_options options = { .deadline_s = 1 };

	rig_open(&rig, &options);
}

/* ---- answers that tell no size ---- */

#define NO_LENGTH "\"type\": \"no_length\""

static void assert_size(const char *key, uint64_t size)
{
	struct object_details d;
	struct name_info there;

	assert_int_equal(store_head(rig.s, key, &d), 0);
	assert_int_equal(d.info.size, size);
	assert_int_equal(store_stat(rig.s, key, &there), 0);
	assert_true(there.is_object);
	assert_int_equal(there.info.size, size);
}

static void head_has_no_length(void **state)
{
	put("empty", "");
	standin_fault(&rig.standin, ALWAYS("HEAD"), NO_LENGTH);
	assert_size("k", sizeof(TEXT) - 1);
	assert_size("empty", 0);
	assert_int_equal(store_copy(rig.s, "k", NULL, "copy", NULL, NULL), 0);
	/* ... of a server that knows no ranges either */
	standin_fault(&rig.standin, ALWAYS("GET") ", \"key\": \"k$\"",
		      NO_LENGTH ", \"as\": \"whole\"");
	assert_size("k", sizeof(TEXT) - 1);
}

static void nothing_tells_a_size(void **state)
{
	struct object_details d;

	standin_fault(&rig.standin, ALWAYS("HEAD"), NO_LENGTH);
	standin_fault(&rig.standin, ALWAYS("GET"),
		      "\"type\": \"status\", \"status\": 403, \"code\": "
		      "\"AccessDenied\"");
	assert_int_equal(store_head(rig.s, "k", &d), -EIO);
}

static void body_has_no_length(void **state)
{
	char have[64];
	size_t n;

	standin_fault(&rig.standin, "\"method\": \"GET\"", NO_LENGTH);
	assert_read("k"); /* a 206: its range tells */
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\"");
	assert_read("k");
	assert_int_equal(store_get_sync(rig.s, "k", NULL, 4, have, 5, &n, NULL),
			 0);
	assert_int_equal(n, 5);
	assert_memory_equal(have, &TEXT[4], 5);
	assert_int_equal(
		store_get_sync(rig.s, "k", NULL, 14, have, 5, &n, NULL), 0);
	assert_int_equal(n, 2);
}

static void end_cannot_be_told(void **state)
{
	char have[64];

	impatient();
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\", \"close\": true");
	assert_int_equal(get("k", NULL, have), -EIO);
}

static void encoded_on_the_way(void **state)
{
	char have[64];

	impatient();
	standin_fault(&rig.standin, ALWAYS("GET"),
		      NO_LENGTH ", \"as\": \"whole\", \"headers\": "
				"{\"Content-Encoding\": \"gzip\"}");
	assert_int_equal(get("k", NULL, have), -EIO);
	assert_log_has("\"accept-encoding\": \"identity\"");
}

static void longer_than_it_said(void **state)
{
	char have[64];

	standin_fault(&rig.standin, ALWAYS("GET"), NO_LENGTH ", \"append\": 5");
	assert_int_equal(get("k", NULL, have), -EIO);
}

static int setup(void **state)
{
	rig_start(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	rig_stop(&rig);
	return 0;
}

#define ROW(sentence, f) \
	{ \
		sentence, f, fresh, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW("a HEAD without a length", head_has_no_length),
		ROW("a size that nothing tells is EIO", nothing_tells_a_size),
		ROW("a body without a length", body_has_no_length),
		ROW("a body whose end cannot be told is EIO",
		    end_cannot_be_told),
		ROW("a body that was encoded on the way is EIO",
		    encoded_on_the_way),
		ROW("a body that is longer than it said is EIO",
		    longer_than_it_said),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("s3_odd", tests, setup, teardown);
}
