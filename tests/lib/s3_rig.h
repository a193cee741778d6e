/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An S3 store under test: an engine, a lane, a signer, and behind them the
 * stand-in server or a real one.
 */
#ifndef TESTS_LIB_S3_RIG_H
#define TESTS_LIB_S3_RIG_H

#include "auth/signer.h"
#include "net/http_engine.h"
#include "standin.h"
#include "store/s3/s3.h"
#include "unit.h"

#define RIG_KEY "standin"
#define RIG_SECRET "standin-secret"
#define RIG_BUCKET "bucket"

struct s3_rig {
	struct standin standin;
	struct http_engine *engine;
	struct store *s;
	char url[128];
};

/* What differs from the usual; zero: nothing. */
struct s3_rig_options {
	struct s3_settings set;
	struct cred_settings creds;
	unsigned deadline_s, idle_timeout_s;
	const char *ca_file;
};

/* Starts the stand-in (with more words for its command line) and an engine,
 * and opens a store on it. */
void s3_rig_start(struct s3_rig *rig, const char *const *args);
void s3_rig_stop(struct s3_rig *rig);
/* Another store in place of the one there is. */
void s3_rig_open(struct s3_rig *rig, const struct s3_rig_options *options);

/* An object's bytes as a string, "" upon an error, which is the result. etag:
 * If-Match; NULL: whatever is there. */
int s3_rig_get(struct s3_rig *rig, const char *key, const char *etag,
	       char have[64]);
/* The stand-in's log of requests has that text. */
void s3_rig_assert_log(struct s3_rig *rig, const char *text);

/* A store on a server of the environment's (STAGEFS_TEST_S3_ENDPOINT ...), or
 * NULL when there is none. */
struct store *s3_rig_open_real(struct http_engine *e);

#endif
