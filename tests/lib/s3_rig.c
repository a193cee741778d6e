/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "store/store.h"

static struct store *open_store(struct http_engine *e,
				const struct s3_settings *set,
				const struct cred_settings *creds,
				const struct s3_rig_options *options)
{
	struct http_lane_settings lane = {
		.connections = 16,
		.connect_timeout_s = 5,
		.idle_timeout_s = 20,
		.deadline_s = 30,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct signer *signer;
	struct store *s;

	if (options && options->deadline_s)
		lane.deadline_s = options->deadline_s;
	if (options)
		lane.ca_file = options->ca_file;
	if (options && options->idle_timeout_s)
		lane.idle_timeout_s = options->idle_timeout_s;
	signer = signer_new(cred_cache_new(creds), "s3");
	assert_non_null(signer);
	if (s3_new(set, http_lane_new(e, &lane), signer, &s, &why))
		fail_msg("s3_new: %s", buf_str(&why));
	buf_clear(&why);
	return s;
}

void s3_rig_open(struct s3_rig *rig, const struct s3_rig_options *options)
{
	struct s3_settings set =
		options ? options->set : (struct s3_settings){ 0 };
	struct cred_settings creds =
		options ? options->creds : (struct cred_settings){ 0 };

	if (!set.name)
		set.name = "test";
	if (!set.endpoint_url)
		set.endpoint_url = rig->url;
	if (!set.bucket)
		set.bucket = RIG_BUCKET;
	if (!creds.credentials && !creds.access_key_id) {
		creds.credentials = "static";
		creds.access_key_id = RIG_KEY;
		creds.secret_access_key = RIG_SECRET;
	}
	store_unref(rig->s);
	rig->s = open_store(rig->engine, &set, &creds, options);
}

void s3_rig_start(struct s3_rig *rig, const char *const *args)
{
	const char *words[16] = { "--s3",     "--access-key", RIG_KEY,
				  "--secret", RIG_SECRET,     "--bucket",
				  RIG_BUCKET };
	int n = 7;

	for (; args && *args && n < 15; args++)
		words[n++] = *args;
	rig->s = NULL;
	standin_start(&rig->standin, words);
	snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%u",
		 rig->standin.port);
	rig->engine = http_engine_new();
	assert_non_null(rig->engine);
	s3_rig_open(rig, NULL);
}

void s3_rig_stop(struct s3_rig *rig)
{
	store_unref(rig->s);
	http_engine_free(rig->engine);
	standin_stop(&rig->standin);
}

int s3_rig_get(struct s3_rig *rig, const char *key, const char *etag,
	       char have[64])
{
	size_t n = 0;
	int rc = store_get_sync(rig->s, key, etag, 0, have, 63, &n, NULL);

	have[rc ? 0 : n] = '\0';
	return rc;
}

void s3_rig_assert_log(struct s3_rig *rig, const char *text)
{
	char *log = standin_get(&rig->standin, "/_requests");

	if (!strstr(log, text))
		fail_msg("no `%s` in %s", text, log);
	free(log);
}

struct store *s3_rig_open_real(struct http_engine *e)
{
	struct s3_settings set = {
		.name = "real",
		.endpoint_url = getenv("STAGEFS_TEST_S3_ENDPOINT"),
		.region = getenv("STAGEFS_TEST_S3_REGION"),
		.bucket = getenv("STAGEFS_TEST_S3_BUCKET"),
	};
	/* Ceph answers 500 for ever now and then */
	const struct s3_rig_options options = { .deadline_s = 10 };
	struct cred_settings creds = {
		.credentials = "static",
		.access_key_id = getenv("STAGEFS_TEST_S3_ACCESS_KEY"),
		.secret_access_key = getenv("STAGEFS_TEST_S3_SECRET_KEY"),
	};

	if (!set.endpoint_url || !*set.endpoint_url)
		return NULL;
	return open_store(e, &set, &creds, &options);
}
