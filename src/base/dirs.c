/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the root down, and what is there already is passed by: asking first
 * would only be another race.
 */
#include "base/dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int dirs_make(const char *path, mode_t above, mode_t mode)
{
	char *copy = strdup(path);
	int rc = copy ? 0 : -ENOMEM;

	for (char *at = copy ? copy + 1 : NULL; !rc && at && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, above) && errno != EEXIST)
			rc = -errno;
		*at = '/';
	}
	if (!rc && mkdir(copy, mode) && errno != EEXIST)
		rc = -errno;
	free(copy);
	return rc;
}
