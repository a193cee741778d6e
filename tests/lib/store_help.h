/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the contract's tests are written in. Names are below the run's prefix.
 * A failure fails the test.
 */
#ifndef TESTS_LIB_STORE_HELP_H
#define TESTS_LIB_STORE_HELP_H

#include "store/store.h"
#include "store_contract.h"
#include "unit.h"

/* A key of this run; good for the next 31 calls. */
const char *key(struct contract *c, const char *name);

struct object_info put(struct contract *c, const char *name, const char *text);
int put_if(struct contract *c, const char *name, const char *text,
	   const struct store_cond *cond);
/* A range as text, of len - 1 bytes at most; the call's result. */
int get(struct contract *c, const char *name, const char *etag, uint64_t offset,
	char *text, size_t len);
void assert_text(struct contract *c, const char *name, const char *want);

/* Listed names, the run's prefix cut off, one a line; to be freed. */
char *list(struct contract *c, const char *prefix, char delimiter,
	   unsigned page);
void assert_list(struct contract *c, const char *prefix, char delimiter,
		 unsigned page, const char *want);

char *filled(size_t n, unsigned seed); /* bytes; to be freed */
void assert_bytes(struct contract *c, const char *name, const char *want,
		  size_t n);

#endif
