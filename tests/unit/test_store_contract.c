/*
 * One contract, every store: the memory store always.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "store/memstore.h"
#include "store_contract.h"

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

static struct backend backends[] = {
	{ "memory", open_mem, { 0 } },
	{ "memory, on a thread", open_mem_late, { 0 } },
};
#define N_BACKENDS (sizeof(backends) / sizeof(*backends))

static void run(void **arg)
{
	struct state *state = *arg;

	state->test->run(&state->backend->contract);
}

static int add_backend(struct backend *b, struct CMUnitTest *tests,
		       struct state *states)
{
	b->contract.s = b->open();
	if (!b->contract.s)
		return -1;
	b->contract.prefix = "run/";
	for (size_t i = 0; i < contract_n_tests; i++) {
		char *name = NULL;

		if (asprintf(&name, "%s: %s", b->name,
			     contract_tests[i].sentence) < 0)
			return -1;
		states[i] = (struct state){ b, &contract_tests[i] };
		tests[i].name = name;
		tests[i].test_func = run;
		tests[i].initial_state = &states[i];
	}
	return 0;
}

int main(void)
{
	size_t max = N_BACKENDS * contract_n_tests, n = 0;
	struct CMUnitTest *tests = calloc(max, sizeof(*tests));
	struct state *states = calloc(max, sizeof(*states));
	int failed = 1;

	if (!tests || !states || digest_init())
		return 1;
	for (size_t i = 0; i < N_BACKENDS; i++) {
		if (add_backend(&backends[i], tests + n, states + n))
			return 1;
		n += contract_n_tests;
	}
	failed =
		_cmocka_run_group_tests("store contract", tests, n, NULL, NULL);
	for (size_t i = 0; i < N_BACKENDS; i++)
		store_unref(backends[i].contract.s);
	for (size_t i = 0; i < n; i++)
		free((char *)tests[i].name);
	free(tests);
	free(states);
	return failed;
}
