/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of store/store.h as tests that any store must pass.
 */
#ifndef TESTS_LIB_STORE_CONTRACT_H
#define TESTS_LIB_STORE_CONTRACT_H

struct store;

/* A store under test. Keys of a test begin with the run's prefix, so that
 * several runs do not meet in one bucket. */
struct contract {
	struct store *s;
	const char *prefix; /* "" or ending in '/' */
};

struct contract_test {
	const char *sentence; /* NULL ends a table */
	void (*run)(struct contract *c);
};

extern const struct contract_test contract_objects[];
extern const struct contract_test contract_calls[];
extern const struct contract_test contract_uploads[];

#endif
