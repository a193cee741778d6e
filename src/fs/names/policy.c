/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/names/policy.h"

#include <limits.h>

#include "store/store.h"

#define OF_OBJECTS \
	.ttl_max_ms = UINT_MAX, .asked_by_etag = true, .implied_dirs = true, \
	.removed_together = true, .sent_later = true

const struct policy policies[POLICIES] = {
	[POLICY_OBJECTS] = { OF_OBJECTS },
	[POLICY_POSIX] = { OF_OBJECTS, .in_metadata = true },
	[POLICY_FILES] = {
		.ttl_max_ms = 1000,
		.keeps_owner = true,
		.keeps_numbers = true,
		.renames = true,
		.replaced_is_orphan = true,
		.flushes_names = true,
	},
};

enum policy_kind policy_kind_of(const struct stage *s)
{
	if (s->store && s->store->limits.files)
		return POLICY_FILES;
	return s->store && s->store->attributes ? POLICY_POSIX : POLICY_OBJECTS;
}
