/*
 * The contract of store/store.h as tests that any store must pass.
 */
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include <stddef.h>

struct store;

/* A store under test. Keys of a test begin with its own prefix, so that the
 * tests of one run do not meet in one bucket. */
struct contract {
	struct store *s;
	const char *prefix; /* of this run, "" or ending in '/' */
};

struct contract_test {
	const char *sentence;
	void (*run)(struct contract *c);
};

extern const struct contract_test contract_tests[];
extern const size_t contract_n_tests;

#endif
