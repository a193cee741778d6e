/*
 * The table of paths.
 */
#include "gateway/routes.h"

#include <string.h>

static bool has_path(const char *pattern, const char *path, size_t n)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return n >= len - 1 && !memcmp(pattern, path, len - 1);
	return n == len && !memcmp(pattern, path, n);
}

static void no_such_path(struct exchange *x)
{
	exchange_refuse(x, 404, "NoSuchPath", "there is nothing at this path");
}

static const struct exchange_handler nothing_handler = {
	.kind = "other",
	.begin = no_such_path,
};

static const struct route routes[] = {
	{ "/health", "GET HEAD", &health_handler, EXCHANGE_JSON, false },
	{ "/metrics", "GET HEAD", &metrics_handler, EXCHANGE_JSON, false },
	{ "/v1/upload_to_stage", "PUT POST", &upload_handler, EXCHANGE_JSON,
	  true },
	{ "/v1/*", "GET HEAD PUT POST DELETE", &nothing_handler, EXCHANGE_JSON,
	  false },
	{ NULL, "GET HEAD PUT", &object_handler, EXCHANGE_XML, false },
};

const struct route *route_find(const char *path, size_t n)
{
	const struct route *r = routes;

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (r->path && !has_path(r->path, path, n))
		r++;
	return r;
}

bool route_allows(const struct route *r, const char *method)
{
	size_t len = strlen(method);

	for (const char *p = r->methods; *p; p += *p == ' ') {
		size_t n = strcspn(p, " ");

		if (n == len && !memcmp(p, method, n))
			return true;
		p += n;
	}
	return false;
}
