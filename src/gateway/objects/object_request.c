/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request for an object says, and how its failure is told.
 */
#include <errno.h>

#include "gateway/exchange.h"
#include "gateway/objects/object.h"

static const struct {
	int rc;
	unsigned status;
	const char *code, *message;
} errors[] = {
	{ ENOENT, 404, "NoSuchKey", "The specified key does not exist." },
	{ ESTALE, 412, "PreconditionFailed",
	  "At least one of the pre-conditions you specified did not hold" },
	{ EEXIST, 412, "PreconditionFailed",
	  "At least one of the pre-conditions you specified did not hold" },
	{ EACCES, 403, "AccessDenied", "Access Denied" },
	{ EPERM, 403, "AccessDenied", "Access Denied" },
	{ EROFS, 403, "AccessDenied", "the store is read-only" },
	{ ENAMETOOLONG, 400, "KeyTooLongError",
	  "Your key, or a part of it between two slashes, is too long" },
	{ EINVAL, 400, "InvalidArgument",
	  "a file system cannot hold this key" },
	{ EISDIR, 409, "KeyConflict", "there is a directory at this key" },
	{ ENOTDIR, 409, "KeyConflict",
	  "what comes before a slash in this key is a file" },
	{ EFBIG, 400, "EntityTooLarge",
	  "the object is larger than the file system takes" },
	{ E2BIG, 400, "MetadataTooLarge",
	  "the metadata headers are larger than is kept" },
	{ ENOSPC, 507, "InsufficientStorage", "the disk is full" },
	{ EDQUOT, 507, "InsufficientStorage", "the quota is used up" },
	{ EINTR, 503, "ServiceUnavailable", "the server is stopping" },
	{ ETIMEDOUT, 503, "SlowDown", "Please reduce your request rate." },
};

void object_request_fail(struct exchange *x, int rc)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i].rc != -rc)
			continue;
		exchange_refuse(x, errors[i].status, errors[i].code,
				errors[i].message);
		return;
	}
	exchange_refuse(x, 500, "InternalError",
			"the store failed; its log says why");
}

const char *object_request_field(const struct exchange *x, const char *name)
{
	const struct object *o = x->state;
	const char *value = exchange_header(x, name);

	return value ? value : query_get(&o->query, name);
}
