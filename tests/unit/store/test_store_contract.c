/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One contract, every store: the memory store at once and on a thread, the
 * local store in a folder of its own, the S3 store against the stand-in, with
 * each kind of checksum, and against a real server when the environment names
 * one.
 *
 * Covers: store/local/local_put.c store/local/local_upload.c
 * Covers: store/s3/s3_ask.c store/s3/s3_call.c store/s3/s3_copy.c
 * Covers: store/s3/s3_get.c store/s3/s3_head.c store/s3/s3_info.c
 * Covers: store/s3/s3_part.c store/s3/s3_put.c store/s3/s3_remove.c
 * Covers: store/s3/s3_upload.c store/store_check.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "local_rig.h"
#include "s3_rig.h"
#include "store/local/local.h"
#include "memstore.h"
#include "store/store.h"
#include "store_contract.h"

static struct s3_rig rig;
static struct local_rig local;
static char run_prefix[64];

struct backend {
	const char *name;
	struct store *(*open)(void);
	struct contract contract;
};

struct state {
	struct backend *backend;
	const struct contract_test *test;
};

static struct store *open_mem(void)
{
	return memstore_new("contract");
}

static struct store *open_mem_late(void)
{
	struct store *s = memstore_new("contract");

	memstore_delay(s, 2);
	return s;
}

static struct store *open_local(void)
{
	local_rig_open(&local);
	return store_ref(local.s);
}

static struct store *open_s3(enum s3_checksum checksum)
{
	struct s3_rig_options options = { .set.upload_checksum = checksum };
	struct store *s;

	s3_rig_open(&rig, &options);
	s = store_ref(rig.s);
	free(standin_post(&rig.standin, "/_reset?objects=1", ""));
	return s;
}

static struct store *open_s3_crc32c(void)
{
	return open_s3(S3_CHECKSUM_CRC32C);
}

static struct store *open_s3_sha256(void)
{
	return open_s3(S3_CHECKSUM_SHA256);
}

static struct store *open_s3_md5(void)
{
	return open_s3(S3_CHECKSUM_MD5);
}

static struct store *open_real(void)
{
	return s3_rig_open_real(rig.engine);
}

static struct backend backends[] = {
	{ "memory", open_mem, { 0 } },
	{ "memory, on a thread", open_mem_late, { 0 } },
	{ "local", open_local, { 0 } },
	{ "S3", open_s3_crc32c, { 0 } },
	{ "S3 with SHA-256", open_s3_sha256, { 0 } },
	{ "S3 with MD5", open_s3_md5, { 0 } },
	{ "real S3", open_real, { 0 } },
};

static const struct contract_test *const tables[] = {
	contract_objects,
	contract_calls,
	contract_uploads,
};

/* Each store is opened by the first of its tests, one at a time. */
static void run(void **arg)
{
	struct state *state = *arg;
	struct backend *b = state->backend;

	if (!b->contract.s) {
		b->contract.s = b->open();
		b->contract.prefix = run_prefix;
	}
	assert_non_null(b->contract.s);
	state->test->run(&b->contract);
}

static unsigned add_backend(struct backend *b, struct CMUnitTest *tests,
			    struct state *states)
{
	unsigned n = 0;

	for (size_t t = 0; t < COUNT(tables); t++) {
		const struct contract_test *row;

		for (row = tables[t]; row->sentence; row++, n++) {
			char *name = NULL;

			if (asprintf(&name, "%s: %s", b->name, row->sentence) <
			    0)
				abort();
			states[n] = (struct state){ b, row };
			tests[n].name = name;
			tests[n].test_func = run;
			tests[n].initial_state = &states[n];
		}
	}
	return n;
}

static int start(void **state)
{
	static const char *const args[] = { "--min-part", "5242880", "--page",
					    "7", NULL };

	snprintf(run_prefix, sizeof(run_prefix), "contract-%d/", (int)getpid());
	s3_rig_start(&rig, args);
	return 0;
}

/* A real server is left as it was. */
static void clean(struct store *s)
{
	struct list_query q = { .prefix = run_prefix };
	struct list_entry e;
	struct store_list *l;

	if (store_list_open(s, &q, &l))
		return;
	while (store_list_next(l, &e) == 1)
		store_remove(s, e.key);
	store_list_close(l);
}

static int stop(void **state)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		if (backends[i].open == open_real && backends[i].contract.s)
			clean(backends[i].contract.s);
		store_unref(backends[i].contract.s);
	}
	local_rig_close(&local);
	s3_rig_stop(&rig);
	return 0;
}

SUITE(store_contract)
{
	enum { MAX = 512 };
	struct CMUnitTest *tests = calloc(MAX, sizeof(*tests));
	struct state *states = calloc(MAX, sizeof(*states));
	bool real = getenv("STAGEFS_TEST_S3_ENDPOINT");
	unsigned n = 0;
	int failed;

	if (!tests || !states || digest_init())
		return 1;
	for (size_t i = 0; i < COUNT(backends); i++)
		if (backends[i].open != open_real || real)
			n += add_backend(&backends[i], tests + n, states + n);
	failed = _cmocka_run_group_tests("store contract", tests, n, start,
					 stop);
	for (unsigned i = 0; i < n; i++)
		free((char *)tests[i].name);
	free(tests);
	free(states);
	return failed;
}
