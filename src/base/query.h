/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of a query, decoded. Pure.
 */
#ifndef BASE_QUERY_H
#define BASE_QUERY_H

#include <stddef.h>

#include "base/buf.h"
#include "base/field.h"

#define QUERY_FIELDS_MAX 72

struct query {
	struct field fields[QUERY_FIELDS_MAX]; /* in their order */
	size_t n;
	struct buf arena; /* name NUL value NUL ... */
};

/* raw: without `?`; NULL is as "". 0; -EINVAL a broken escape, an encoded NUL,
 * a parameter without a name; -E2BIG too many. query_clear() after either. */
int query_parse(struct query *q, const char *raw);
void query_clear(struct query *q);

/* The first of that name, any case; NULL. */
const char *query_get(const struct query *q, const char *name);

#endif
