/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many URLs a second one core signs, for keys of 60 bytes: the whole of
 * presign(), as a getxattr or a row of the command line has it.
 *
 *	bench_sign [COUNT]
 *
 * Prints `NAME RATE`, URLs a second. Exit status 1 when a rate is below the
 * least that is promised (docs/performance.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/cred_cache.h"
#include "auth/signer.h"
#include "base/buf.h"
#include "base/digest.h"
#include "presign/presign.h"
#include "stage/stage.h"
#include "store/s3/s3.h"

#define LEAST 300000.0

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct stage *open_stage(void)
{
	const struct cred_settings creds = {
		.credentials = "static",
		.access_key_id = "AKIAIOSFODNN7EXAMPLE",
		.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	};
	const struct s3_settings set = {
		.name = "bench",
		.endpoint_url = "https://s3.us-east-2.amazonaws.com",
		.bucket = "databend-toronto",
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store *store;
	struct stage *stage;

	if (digest_init() ||
	    s3_new(&set, NULL, signer_new(cred_cache_new(&creds), "s3"), &store,
		   &why)) {
		fprintf(stderr, "bench_sign: %s\n", buf_str(&why));
		exit(2);
	}
	stage = stage_new("bench", STAGE_EXTERNAL, store, "data/", false, 0);
	store_unref(store);
	buf_clear(&why);
	return stage;
}

/* Signs `count` different keys of 60 bytes; URLs a second of processor. */
static double measure(struct stage *stage, const struct presign_request *req,
		      long count)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	size_t bytes = 0;
	double start = cpu_s();
	char path[64];

	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof(path),
			 "year=2026/month=11/day=21/part-%09ld-c000.snappy.pqt",
			 i % 1000000000);
		path[55] = '\0'; /* and `data/` before it */
		if (presign(stage, path, req, &p, &why)) {
			fprintf(stderr, "bench_sign: %s\n", buf_str(&why));
			exit(2);
		}
		bytes += strlen(p.url);
		store_presign_clear(&p);
	}
	buf_clear(&why);
	return bytes ? (double)count / (cpu_s() - start) : 0;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1000000;
	struct stage *stage = open_stage();
	const struct {
		const char *name;
		struct presign_request req;
	} rows[] = {
		{ "download", { .action = PRESIGN_DOWNLOAD, .expire = 3600 } },
		{ "upload", { .action = PRESIGN_UPLOAD, .expire = 3600 } },
		{ "upload-with-content-type",
		  { .action = PRESIGN_UPLOAD,
		    .expire = 3600,
		    .content_type = "text/csv" } },
	};
	int status = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		double rate = measure(stage, &rows[i].req, count);

		printf("sign-%s %.0f URLs/s\n", rows[i].name, rate);
		status |= rate < LEAST;
	}
	stage_unref(stage);
	return status;
}
