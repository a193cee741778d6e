/*
 * Which handler answers what: the one table of paths.
 */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

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
};

/* The first that has the path; never NULL, for the last row takes all. path:
 * n bytes. */
const struct route *route_find(const char *path, size_t n);
bool route_allows(const struct route *r, const char *method);

/* The handlers, each in its own file. */
extern const struct exchange_handler object_handler; /* object.c */
extern const struct exchange_handler upload_handler; /* upload.c */
extern const struct exchange_handler health_handler, metrics_handler;

#endif
