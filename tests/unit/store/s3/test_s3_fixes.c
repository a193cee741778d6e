/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store puts right by itself (region, clock), what it
 * says when it cannot, and how a caller gets away from it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/waiter.h"
#include "s3_suite.h"
#include "store/s3/s3_upload.h"
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
	assert_int_equal(put("k"), 0);
	free(standin_post(&rig.standin, "/_reset", ""));
	return 0;
}

static long requests(void)
{
	return standin_stat(&rig.standin, "requests");
}

/* ---- a server that decodes a part's source twice ---- */

static void source_with_percent(void **state)
{
	const struct store_range from = { .key = "a%41", .len = 4 };
	struct store_part_done done;
	struct store_upload *u;
	char *id;

	assert_int_equal(put("a%41"), 0);
	assert_int_equal(store_upload_open(rig.s, "to", NULL, &u), 0);
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done), 0);
	/* As RGW names its uploads. */
	id = s3_upload_of(u)->id;
	s3_upload_of(u)->id = (char *)"2~x";
	free(standin_post(&rig.standin, "/_reset", ""));
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done), -ENOTSUP);
	assert_int_equal(requests(), 0);
	s3_upload_of(u)->id = id;
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

/* ---- a server that copies a part whatever its source is by then ---- */

static void look_at(const char *key, struct object_info *out)
{
	struct object_details d;

	assert_int_equal(store_head(rig.s, key, &d), 0);
	*out = d.info;
}

static void parts_of_the_replaced(void **state)
{
	const struct store_body other = { .data = "other", .fd = -1, .len = 5 };
	struct object_info now;
	const struct store_range from = { .key = "k",
					  .len = 4,
					  .etag = now.etag };
	const struct store_cond same = { .if_match = now.etag };
	struct store_part_done done;
	struct store_upload *u;
	long before;

	look_at("k", &now);
	for (int replaced = 0; replaced < 2; replaced++) {
		assert_int_equal(store_upload_open(rig.s, "k", NULL, &u), 0);
		before = requests();
		assert_int_equal(store_part_copy(u, 1, 0, &from, &done), 0);
		assert_int_equal(store_part_copy(u, 1, 0, &from, &done), 0);
		assert_int_equal(requests() - before, 2);
		if (replaced)
			assert_int_equal(store_put(rig.s, "k", &other, NULL,
						   NULL, NULL),
					 0);
		before = requests();
		assert_int_equal(store_upload_complete(u, &done, 1,
						       replaced ? NULL : &same,
						       NULL),
				 replaced ? -ESTALE : 0);
		/* a look, and where it still is that one the answer's, too */
		assert_int_equal(requests() - before, replaced ? 1 : 3);
		if (replaced)
			assert_int_equal(store_upload_abort(u), 0);
		store_upload_free(u);
		look_at("k", &now);
	}
}

/* They are looked at one by one. */
static void parts_of_another(void **state)
{
	struct object_info now;
	const struct store_range from = { .key = "a",
					  .len = 4,
					  .etag = now.etag };
	struct store_part_done done;
	struct store_upload *u;
	long before;

	assert_int_equal(put("a"), 0);
	look_at("a", &now);
	assert_int_equal(store_upload_open(rig.s, "k", NULL, &u), 0);
	before = requests();
	assert_int_equal(store_part_copy(u, 1, 0, &from, &done), 0);
	assert_int_equal(requests() - before, 2);
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
}

/* ---- the region ---- */

static void region_redirect(void **state)
{
	static const char *const statuses[] = { "301", "307", "400" };
	struct object_details d;
	char action[200];

	for (size_t i = 0; i < COUNT(statuses); i++) {
		fresh(NULL);
		snprintf(action, sizeof(action),
			 "\"type\": \"redirect\", \"status\": %s, "
			 "\"region\": \"eu-west-1\"",
			 statuses[i]);
		standin_fault(&rig.standin, "\"count\": 0", action);
		row_number(statuses[i], put("region"), 0);
		row_number(statuses[i], requests(), 2);
		/* known from now on */
		row_number(statuses[i], store_head(rig.s, "region", &d), 0);
		row_number(statuses[i], requests(), 3);
	}
}

static void region_of_a_head(void **state)
{
	struct object_details d;
	struct name_info info;

	standin_fault(&rig.standin, "\"count\": 0",
		      "\"type\": \"redirect\", \"region\": \"eu-west-1\"");
	assert_int_equal(store_head(rig.s, "k", &d), 0);
	fresh(NULL);
	standin_fault(&rig.standin, "\"count\": 0",
		      "\"type\": \"redirect\", \"status\": 400, "
		      "\"region\": \"eu-west-1\"");
	assert_int_equal(store_stat(rig.s, "k", &info), 0);
	assert_true(info.is_object);
}

static void region_in_a_wrong_credential(void **state)
{
	struct s3_rig_options options = { .set.region = "ap-south-2" };

	s3_rig_open(&rig, &options);
	assert_int_equal(put("k"), 0);
	assert_int_equal(requests(), 2);
}

/* ---- the clock ---- */

static void clock_is_off(void **state)
{
	static const char *const shifts[] = { "3600", "-3600", "86000" };
	struct object_details d;
	char action[100];

	for (size_t i = 0; i < COUNT(shifts); i++) {
		fresh(NULL);
		snprintf(action, sizeof(action),
			 "\"type\": \"skew\", \"seconds\": %s", shifts[i]);
		standin_fault(&rig.standin, "", action);
		row_number(shifts[i], store_head(rig.s, "k", &d), 0);
		row_number(shifts[i], put("clock"), 0);
	}
}

static void clock_is_days_off(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	standin_fault(&rig.standin, "",
		      "\"type\": \"skew\", \"seconds\": 90000");
	assert_int_equal(put("k"), -EIO);
	assert_int_equal(store_check(rig.s, "", &why), -EIO);
	assert_non_null(strstr(buf_str(&why), "more than a day off"));
	buf_clear(&why);
}

/* A server without TLS must not be able to date our URLs forward. */
static void clock_of_urls(void **state)
{
	struct store_presign req = { .action = PRESIGN_DOWNLOAD,
				     .key = "k",
				     .expire = 600 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	int64_t late;

	standin_fault(&rig.standin, "",
		      "\"type\": \"skew\", \"seconds\": 7200");
	assert_int_equal(put("k"), 0);
	assert_int_equal(store_presign(rig.s, &req, &p, &why), 0);
	late = p.expires_at - clock_now_s() - 600;
	assert_true(late >= -2 && late <= 0);
	assert_non_null(strstr(p.warning, "seconds behind the store's, and the "
					  "URL is dated by this machine's"));
	store_presign_clear(&p);
	buf_clear(&why);
}

/* Ten minutes: nothing is refused, and a URL of five minutes is dead. */
static void clock_is_minutes_off(void **state)
{
	struct store_presign req = { .action = PRESIGN_DOWNLOAD,
				     .key = "k",
				     .expire = 300 };
	struct buf why = BUF_INIT(BUF_MESSAGE), text = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	struct object_details d;

	s3_rig_open(&rig, NULL);
	standin_fault(&rig.standin, "", "\"type\": \"skew\", \"seconds\": 600");
	assert_int_equal(store_presign(rig.s, &req, &p, &why), 0);
	assert_null(p.warning); /* nothing was asked yet */
	store_presign_clear(&p);
	assert_int_equal(store_head(rig.s, "k", &d), 0);
	assert_int_equal(store_presign(rig.s, &req, &p, &why), 0);
	assert_non_null(p.warning);
	assert_non_null(strstr(p.warning, "seconds behind the store's, and the "
					  "URL is dated by this machine's"));
	assert_int_equal(store_describe(rig.s, &text), 0);
	assert_non_null(strstr(buf_str(&text), "seconds behind the store's"));
	store_presign_clear(&p);
	buf_clear(&text);
	buf_clear(&why);
}

/* One whose certificate is trusted may. */
static void clock_of_urls_over_tls(void **state)
{
	struct store_presign req = { .action = PRESIGN_DOWNLOAD,
				     .key = "k",
				     .expire = 600 };
	struct buf why = BUF_INIT(BUF_MESSAGE), text = BUF_INIT(BUF_MESSAGE);
	struct s3_rig_options o = { 0 };
	struct store_presigned p;
	struct s3_rig tls;
	char pem[64];
	int64_t late;

	snprintf(pem, sizeof(pem), "/tmp/stagefs-s3-%d.pem", (int)getpid());
	standin_certificate(pem);
	s3_rig_start(&tls, (const char *const[]){ "--tls", pem, "--skew",
						  "7200", NULL });
	snprintf(tls.url, sizeof(tls.url), "https://127.0.0.1:%u",
		 tls.standin.port);
	o.ca_file = pem;
	s3_rig_open(&tls, &o);
	/* not known yet */
	assert_int_equal(store_presign(tls.s, &req, &p, &why), 0);
	assert_null(p.warning);
	store_presign_clear(&p);
	assert_int_equal(store_check(tls.s, "", &why), 0);
	assert_int_equal(store_presign(tls.s, &req, &p, &why), 0);
	late = p.expires_at - clock_now_s() - 600 - 7200;
	assert_true(late >= -2 && late <= 2);
	assert_null(p.warning);
	store_presign_clear(&p);
	assert_int_equal(store_describe(tls.s, &text), 0);
	assert_non_null(strstr(buf_str(&text), "seconds behind the store's"));
	assert_null(strstr(buf_str(&text), "plain http"));
	buf_clear(&text);
	buf_clear(&why);
	s3_rig_stop(&tls);
	unlink(pem);
}

/* ---- sentences ---- */

static void check_says(const struct s3_rig_options *options, int want,
		       const char *sentence)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	s3_rig_open(&rig, options);
	row_number(sentence, store_check(rig.s, "", &why), want);
	if (!strstr(buf_str(&why), sentence))
		fail_msg("wanted `%s`, got `%s`", sentence, buf_str(&why));
	buf_clear(&why);
}

static void check_sentences(void **state)
{
	struct s3_rig_options o = { .set.bucket = "nowhere" };
	char dead[64];

	check_says(&o, -ENODEV, "there is no bucket `nowhere`");
	o = (struct s3_rig_options){ .creds = { .credentials = "static",
						.access_key_id = "wrong",
						.secret_access_key =
							RIG_SECRET } };
	check_says(&o, -EACCES, "does not know the access key id");
	o.creds.access_key_id = RIG_KEY;
	o.creds.secret_access_key = "wrong";
	check_says(&o, -EACCES, "the secret key is wrong");
	o = (struct s3_rig_options){ .creds.credentials = "anonymous" };
	check_says(&o, -EPERM, "may not list the bucket");
	o = (struct s3_rig_options){ .deadline_s = 1 };
	snprintf(dead, sizeof(dead), "http://127.0.0.1:%u",
		 standin_dead_port());
	o.set.endpoint_url = dead;
	check_says(&o, -EIO, "connection refused");
	o.set.endpoint_url = "http://no-such-host.invalid";
	check_says(&o, -EIO, "there is no host `no-such-host.invalid`");
	o.set.endpoint_url = NULL;
	standin_fault(&rig.standin, "\"count\": 0", "\"type\": \"garbage\"");
	check_says(&o, -EIO, "no S3 server");
}

static void bad_settings(void **state)
{
	static const struct {
		const char *url, *bucket, *region, *why;
		bool virtual_host;
	} rows[] = {
		{ "ftp://x", "b", NULL, "http or https", false },
		{ NULL, "b", NULL, "no endpoint", false },
		{ "http://x", "a/b", NULL, "no name of a bucket", false },
		{ "http://x", "", NULL, "no name of a bucket", false },
		{ "http://127.0.0.1", "b", NULL, "addressing = path", true },
		{ "http://x", "b", "a/b", "is no region", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cred_settings creds = { .credentials = "anonymous" };
		struct s3_settings set = {
			.endpoint_url = rows[i].url,
			.bucket = rows[i].bucket,
			.region = rows[i].region,
			.virtual_host = rows[i].virtual_host,
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct store *s;

		row_number(rows[i].why,
			   s3_new(&set, NULL,
				  signer_new(cred_cache_new(&creds), "s3"), &s,
				  &why),
			   -EINVAL);
		if (!strstr(buf_str(&why), rows[i].why))
			fail_msg("%s: %s", rows[i].why, buf_str(&why));
		buf_clear(&why);
	}
}

/* ---- getting away ---- */

static void *interrupt_soon(void *waiter)
{
	usleep(200000);
	waiter_interrupt(waiter);
	return NULL;
}

static void interrupted(void **state)
{
	struct list_query q = { .prefix = "k" };
	struct store_list *l;
	struct list_entry e;
	struct name_info info;
	struct object_details details;
	char text[8];
	size_t n;
	pthread_t t;
	int64_t began = clock_mono_ms();

	standin_fault(&rig.standin, "\"count\": 0",
		      "\"type\": \"stall\", \"seconds\": 60");
	for (int i = 0; i < 5; i++) {
		int rc;

		pthread_create(&t, NULL, interrupt_soon, waiter_self());
		if (i == 0) {
			rc = store_get_sync(rig.s, "k", NULL, 0, text, 4, &n,
					    NULL);
		} else if (i == 1) {
			rc = put("k");
		} else if (i == 2) {
			rc = store_stat(rig.s, "k", &info);
		} else if (i == 3) {
			rc = store_head(rig.s, "k", &details);
		} else {
			assert_int_equal(store_list_open(rig.s, &q, &l), 0);
			rc = store_list_next(l, &e);
			store_list_close(l);
		}
		pthread_join(t, NULL);
		waiter_begin(waiter_self());
		assert_int_equal(rc, -EINTR);
	}
	assert_in_range(clock_mono_ms() - began, 0, 40000);
}

static bool dying(void *arg, int64_t since_ms)
{
	return true;
}

/* A page whose reader was killed is there for the next one that reads on. */
static void interrupted_listing_goes_on(void **state)
{
	struct list_query q = { .prefix = "p/", .page = 1, .ahead = true };
	struct store_list *l;
	struct list_entry e;
	int rc = 1, n = -1;

	assert_int_equal(put("p/1") | put("p/2") | put("p/3"), 0);
	standin_fault(&rig.standin, "\"query\": \"list-type\", \"count\": 0",
		      "\"type\": \"latency\", \"seconds\": 0.3");
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	for (; rc > 0; n++) {
		waiter_begin_judged(waiter_self(), dying, NULL);
		waiter_ask(waiter_self());
		rc = store_list_next(l, &e);
		waiter_begin(waiter_self());
		rc = rc == -EINTR ? store_list_next(l, &e) : rc;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, 3);
	store_list_close(l);
}

static void closed_while_fetching(void **state)
{
	struct list_query q = { .prefix = "k", .ahead = true };
	struct store_list *l;
	int64_t began = clock_mono_ms();

	standin_fault(&rig.standin, "\"count\": 0",
		      "\"type\": \"stall\", \"seconds\": 60");
	assert_int_equal(store_list_open(rig.s, &q, &l), 0);
	store_list_close(l);
	assert_in_range(clock_mono_ms() - began, 0, 40000);
}

/* ---- what is sent ---- */

static void requests_are_paid(void **state)
{
	struct s3_rig_options options = { .set = { .requester_pays = true } };
	char *log;

	s3_rig_open(&rig, &options);
	assert_int_equal(put("k"), 0);
	log = standin_get(&rig.standin, "/_requests");
	assert_non_null(strstr(log, "\"x-amz-request-payer\": \"requester\""));
	assert_non_null(strstr(log, "\"x-amz-checksum-crc32c\""));
	assert_non_null(strstr(log, "UNSIGNED-PAYLOAD"));
	free(log);
}

static void empty_put_has_a_length(void **state)
{
	struct store_body body = { .data = "", .fd = -1 };
	char *log;

	assert_int_equal(store_put(rig.s, "e", &body, NULL, NULL, NULL), 0);
	log = standin_get(&rig.standin, "/_requests");
	assert_non_null(strstr(log, "\"content-length\": \"0\""));
	free(log);
}

SUITE(s3_fixes)
{
	const struct CMUnitTest tests[] = {
		ROW("an interrupted listing goes on where it was",
		    interrupted_listing_goes_on),
		ROW("a part whose source RGW would misread is not copied",
		    source_with_percent),
		ROW("copied parts of what is replaced take one look",
		    parts_of_the_replaced),
		ROW("... those of another object one each", parts_of_another),
		ROW("a region redirect is followed, once", region_redirect),
		ROW("... by a HEAD too", region_of_a_head),
		ROW("a wrong region in the configuration is put right",
		    region_in_a_wrong_credential),
		ROW("a clock that is hours off is corrected", clock_is_off),
		ROW("a clock that is days off is an error", clock_is_days_off),
		ROW("a clock that is minutes off is said with URLs",
		    clock_is_minutes_off),
		ROW("URLs keep our own time over plain HTTP", clock_of_urls),
		ROW("... and have the store's over TLS",
		    clock_of_urls_over_tls),
		ROW("a check says what is wrong", check_sentences),
		ROW("settings that cannot be are refused", bad_settings),
		ROW("an interrupt ends any call", interrupted),
		ROW("a listing is closed while it is fetched",
		    closed_while_fetching),
		ROW("the settings go along", requests_are_paid),
		ROW("an empty PUT has a length", empty_put_has_a_length),
	};

	return S3_SUITE_RUN("s3_fixes", tests);
}
