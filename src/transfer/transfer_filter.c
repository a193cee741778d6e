/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fnmatch(3) over each line of a list.
 */
#include "transfer/transfer_filter.h"

#include <fnmatch.h>
#include <string.h>

#include "base/number.h"

#define PATTERN_MAX 4096

static bool filter_matches(const char *patterns, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (const char *p = patterns; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		char one[PATTERN_MAX + 1] = "";

		memcpy(one, p, number_min(n, PATTERN_MAX));
		if (!fnmatch(one, !strchr(one, '/') && slash ? slash + 1 : path,
			     0))
			return true;
		p += n;
	}
	return false;
}

/* The path, or a directory that it is in. */
static bool filter_excludes(const char *patterns, const char *path)
{
	char part[PATTERN_MAX];

	for (size_t n = 0; n < sizeof(part) && path[n]; n++) {
		part[n] = '\0';
		if (n && path[n] == '/' && filter_matches(patterns, part))
			return true;
		part[n] = path[n];
	}
	return filter_matches(patterns, path);
}

bool transfer_filter_wants(const struct transfer_filter *f, const char *path)
{
	if (f->exclude && filter_excludes(f->exclude, path))
		return false;
	return !f->include || filter_matches(f->include, path);
}
