#include "fs/names/policy.h"

#include <limits.h>

#include "store/store.h"

const struct policy policy_objects = {
	.ttl_max_ms = UINT_MAX,
	.asked_by_etag = true,
	.implied_dirs = true,
	.removed_together = true,
};

const struct policy policy_files = {
	.ttl_max_ms = 1000,
	.keeps_owner = true,
	.keeps_numbers = true,
	.renames = true,
	.replaced_is_orphan = true,
	.flushes_names = true,
};

const struct policy *policy_of(const struct stage *s)
{
	return s->store && s->store->limits.files ? &policy_files
						  : &policy_objects;
}
