/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failure means in a local store, and how loud it is told.
 */
#include "store/local/local_error.h"

#include <errno.h>
#include <stddef.h>

#include "base/log.h"
#include "store/local/local.h"
#include "store/local/local_root.h"

static const char *error_reason(int rc)
{
	static const struct {
		int rc;
		const char *sentence;
	} reasons[] = {
		{ -ENOTDIR, "a file stands where a directory is needed" },
		{ -EISDIR, "a directory has that name" },
		{ -E2BIG, "the disk has no room for so much metadata" },
		{ -EXDEV, "another disk is mounted there" },
		{ -EUCLEAN,
		  "what lies in " LOCAL_FOLDER " is not the store's own" },
		{ -ENODEV, "the root of the store has been removed" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].rc == rc)
			return reasons[i].sentence;
	return NULL;
}

int local_error(struct local *l, const char *what, const char *key, int rc,
		const char *why)
{
	const struct log_where where = { .stage = l->base.name,
					 .key = key,
					 .rc = rc };

	if (!why)
		why = error_reason(rc);
	log_at(store_error_level(rc), &where, "cannot %s%s%s", what,
	       why ? ": " : "", why ? why : "");
	return rc;
}
