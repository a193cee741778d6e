/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look into a table of paths.
 */
#include "gateway/route.h"

#include <string.h>

static bool route_has_path(const char *pattern, const char *path, size_t n)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return n >= len - 1 && !memcmp(pattern, path, len - 1);
	return n == len && !memcmp(pattern, path, n);
}

const struct route *route_find(const struct route *r, const char *path,
			       size_t n)
{
	while (n > 1 && path[n - 1] == '/')
		n--;
	while (r->path && !route_has_path(r->path, path, n))
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
