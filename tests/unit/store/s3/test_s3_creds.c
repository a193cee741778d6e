/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that a store refuses: others are tried once they are there, by
 * requests that a thread waits for and by those that none does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aws_home.h"
#include "base/buf.h"
#include "base/waiter.h"
#include "s3_suite.h"
#include "store/store.h"

static int put(const char *key)
{
	struct store_body body = { .data = "text", .fd = -1, .len = 4 };

	return store_put(rig.s, key, &body, NULL, NULL, NULL);
}

static int fresh(void **state)
{
	standin_reset(&rig.standin);
	s3_rig_open(&rig, NULL);
	return put("k");
}

static void credentials_change(void **state)
{
	struct s3_rig_options options = { .creds = { .credentials =
							     "profile:p" } };
	struct list_query q = { .prefix = "k" };
	struct object_details details;
	struct name_info info;
	struct store_list *l;
	struct list_entry e;

	aws_home_init();
	aws_home_write("credentials", "[p]\naws_access_key_id = old\n"
				      "aws_secret_access_key = old\n");
	s3_rig_open(&rig, &options);
	assert_int_equal(put("k"), -EACCES);
	aws_home_write("credentials",
		       "[p]\naws_access_key_id = " RIG_KEY
		       "\naws_secret_access_key = " RIG_SECRET "\n");
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	assert_int_equal(store_list_next(l, &e), 1);
	store_list_close(l);
	assert_int_equal(put("k"), 0);
	aws_home_write("credentials", NULL);
	s3_rig_open(&rig, &options);
	assert_int_equal(put("k"), -EACCES);
	assert_int_equal(store_stat(rig.s, "k", &info), -EACCES);
	assert_int_equal(store_head(rig.s, "k", &details), -EACCES);
	s3_rig_open(&rig, NULL);
	aws_home_clear();
}

/* Keys that a file has and that are other ones now: tried with those, however
 * the request is waited for. */
struct rotation {
	char path[64], from[80];
	struct s3_rig_options options;
};

static void write_secret(const struct rotation *r, const char *secret)
{
	FILE *f = fopen(r->path, "w");

	assert_non_null(f);
	fputs(secret, f);
	fclose(f);
}

/* A store that has read what is no good any more. */
static void rotate(struct rotation *r)
{
	int fd;

	*r = (struct rotation){ .path = "/tmp/stagefs-secret-XXXXXX" };
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(r->from, sizeof(r->from), "${file:%s}", r->path);
	r->options.creds = (struct cred_settings){
		.access_key_id = RIG_KEY,
		.secret_access_key = "old",
		.secret_access_key_from = r->from,
	};
	write_secret(r, RIG_SECRET "\n");
	s3_rig_open(&rig, &r->options);
}

struct reading {
	struct store_get get;
	struct waiter *waiter;
	size_t got;
	int rc;
	bool done; /* atomic */
};

static void take_data(struct store_get *get, const void *bytes, size_t n)
{
	((struct reading *)get)->got += n;
}

static void take_end(struct store_get *get, int rc,
		     const struct object_info *info)
{
	struct reading *r = (struct reading *)get;

	r->rc = rc;
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	waiter_unpark(r->waiter);
}

static int read_object(const char *key)
{
	struct reading r = {
		.get = { .key = key,
			 .len = 100,
			 .data = take_data,
			 .done = take_end },
		.waiter = waiter_self(),
	};

	store_get(rig.s, &r.get);
	while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE))
		waiter_park(r.waiter, WAIT_FOREVER);
	return r.rc;
}

struct sending {
	struct store_part part;
	struct waiter *waiter;
	int rc;
	bool done; /* atomic */
};

static void part_ended(struct store_part *part, int rc)
{
	struct sending *s = (struct sending *)part;

	s->rc = rc;
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	waiter_unpark(s->waiter);
}

static int send_part(struct store_upload *u)
{
	struct sending s = {
		.part = { .upload = u,
			  .number = 1,
			  .body = { .data = "part", .len = 4, .fd = -1 },
			  .done = part_ended },
		.waiter = waiter_self(),
	};

	store_part(&s.part);
	while (!__atomic_load_n(&s.done, __ATOMIC_ACQUIRE))
		waiter_park(s.waiter, WAIT_FOREVER);
	return s.rc;
}

static void keys_rotate(void **state)
{
	struct object_details details;
	struct store_upload *u;
	struct name_info info;
	struct rotation r;

	assert_int_equal(put("k"), 0);
	rotate(&r);
	row_number("a PUT", put("k"), 0);
	row_number("with the keys that it found", put("k"), 0);
	s3_rig_open(&rig, &r.options);
	row_number("a HEAD, whose refusal has no words",
		   store_head(rig.s, "k", &details), 0);
	s3_rig_open(&rig, &r.options);
	row_number("a HEAD and a LIST", store_stat(rig.s, "k", &info), 0);
	s3_rig_open(&rig, &r.options);
	row_number("a GET that no thread waits for", read_object("k"), 0);

	write_secret(&r, "wrong");
	s3_rig_open(&rig, &r.options);
	row_number("wrong ones stay refused", read_object("k"), -EACCES);
	row_number("wherever", put("k"), -EACCES);
	unlink(r.path);
	s3_rig_open(&rig, &r.options);
	row_number("without the file too", read_object("k"), -EACCES);

	s3_rig_open(&rig, NULL);
	row_number("an upload", store_upload_open(rig.s, "u", NULL, &u), 0);
	rotate(&r);
	u->store = rig.s;
	row_number("a part that no thread waits for", send_part(u), 0);
	row_number("aborted", store_upload_abort(u), 0);
	store_upload_free(u);
	unlink(r.path);
	s3_rig_open(&rig, NULL);
}

SUITE(s3_creds)
{
	const struct CMUnitTest tests[] = {
		ROW("refused credentials are read again", credentials_change),
		ROW("keys that a file has are read again", keys_rotate),
	};

	return S3_SUITE_RUN("s3_creds", tests);
}
