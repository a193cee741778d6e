/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads on one local store: the gateway has one for each connection.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "local_rig.h"
#include "store/local/local.h"
#include "unit.h"

#define THREADS 8
#define ROUNDS 25

static struct local_rig rig;

static int start(void **state)
{
	/* Lost conditions are not worth a line each. */
	log_open("stderr", LOG_LEVEL_ERROR);
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

/* cmocka's checks belong to its own thread: others tell what they found. */
static void run_all(void *(*run)(void *arg))
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, run, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_null(result);
	}
}

#define FOUND(sentence) ((void *)(sentence))

static int put_if(const char *key, const char *text,
		  const struct store_cond *cond)
{
	const struct store_body body = { .data = text,
					 .fd = -1,
					 .len = strlen(text) };

	return store_put(rig.s, key, &body, NULL, cond, NULL);
}

static void *count_up(void *arg)
{
	for (int done = 0; done < ROUNDS;) {
		char text[32] = "", next[32];
		struct object_info info;
		const struct store_cond cond = { .if_match = info.etag };
		size_t n;
		int rc;

		if (store_get_sync(rig.s, "n", NULL, 0, text, sizeof(text) - 1,
				   &n, &info))
			return FOUND("a read failed");
		snprintf(next, sizeof(next), "%d", atoi(text) + 1);
		rc = put_if("n", next, &cond);
		if (rc && rc != -ESTALE)
			return FOUND("a write failed");
		done += !rc;
	}
	return NULL;
}

static void conditions_hold(void **state)
{
	char text[4096];

	local_rig_put(rig.s, "n", "0");
	run_all(count_up);
	assert_int_equal(local_rig_get(rig.s, "n", text), 0);
	assert_int_equal(atoi(text), THREADS * ROUNDS);
}

/* Each of its own, in folders that all of them make and remove. */
static void *busy(void *arg)
{
	const int me = (int)(intptr_t)arg;
	struct local_key key;
	char name[64], text[4096], want[32];

	for (int k = 0; k < ROUNDS; k++) {
		const struct store_presign req = { .key = "x", .expire = 60 };
		char *list;
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct store_presigned p;

		snprintf(name, sizeof(name), "b/%d/%d", k % 3, me);
		snprintf(want, sizeof(want), "%d of %d", k, me);
		if (put_if(name, want, NULL))
			return FOUND("a write failed");
		if (local_rig_get(rig.s, name, text) || strcmp(text, want))
			return FOUND("something else was read");
		list = local_rig_list(rig.s, "b/", 0);
		if (!strstr(list, name))
			return FOUND("it is not listed");
		free(list);
		if (store_remove(rig.s, name))
			return FOUND("a removal failed");
		/* while others rotate */
		if (me == 0 && local_key_rotate(rig.root, &why))
			return FOUND("a rotation failed");
		if (local_key(rig.s, &key) ||
		    store_presign(rig.s, &req, &p, &why))
			return FOUND("no key");
		store_presign_clear(&p);
		buf_clear(&why);
	}
	return NULL;
}

static void all_at_once(void **state)
{
	run_all(busy);
	assert_int_equal(access(local_rig_path(&rig, "b"), F_OK), -1);
}

/* ---- parts ---- */

static struct store_upload *upload;
static struct store_part_done done[THREADS];

static void part_done(struct store_part *part, int rc)
{
	part->state = (void *)(intptr_t)rc;
}

static void *send(void *arg)
{
	const unsigned me = (unsigned)(intptr_t)arg;
	char bytes[1000];
	struct store_part part = {
		.upload = upload,
		.number = me + 1,
		.offset = me * sizeof(bytes),
		.body = { .data = bytes, .fd = -1, .len = sizeof(bytes) },
		.done = part_done
	};

	for (int k = 0; k < ROUNDS; k++) {
		memset(bytes, 'a' + me, sizeof(bytes));
		store_part(&part);
		if (part.state)
			return FOUND("a part failed");
	}
	done[me].number = part.number;
	memcpy(done[me].etag, part.etag, sizeof(part.etag));
	return NULL;
}

static void parts_side_by_side(void **state)
{
	char bytes[THREADS * 1000 + 1];
	size_t n = 0;

	assert_int_equal(store_upload_open(rig.s, "parts", NULL, &upload), 0);
	run_all(send);
	assert_int_equal(
		store_upload_complete(upload, done, THREADS, NULL, NULL), 0);
	store_upload_free(upload);
	assert_int_equal(store_get_sync(rig.s, "parts", NULL, 0, bytes,
					sizeof(bytes), &n, NULL),
			 0);
	assert_int_equal(n, THREADS * 1000);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(bytes[i], 'a' + i / 1000);
}

SUITE(local_threads)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_hold),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(parts_side_by_side),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_threads", tests, start, stop);
}
