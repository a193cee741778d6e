/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which handler answers what, by a table of paths (gateway.c has it).
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdbool.h>

#include "gateway/exchange.h"

struct route {
	/* Raw and exact, a trailing slash aside; `*` at its end: whatever
	 * begins so; NULL: any. */
	const char *path;
	const char *methods; /* "GET HEAD"; OPTIONS is the server's */
	const struct exchange_handler *handler;
	enum exchange_form form;
	/* A browser's request comes in from cors_origins only. */
	bool no_foreign;
	/* Scripts of any origin may read its answers. */
	bool any_origin;
};

/* The first of the table that has the path; never NULL, for the last row takes
 * all. path: n bytes. */
const struct route *route_find(const struct route *table, const char *path,
			       size_t n);
bool route_allows(const struct route *r, const char *method);

#endif
