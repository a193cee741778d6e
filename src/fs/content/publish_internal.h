/*
 * What publish.c (one publication), publish_body.c (the bytes of a part) and
 * publish_parts.c (the upload) share. All with the turn.
 */
#ifndef FS_CONTENT_PUBLISH_INTERNAL_H
#define FS_CONTENT_PUBLISH_INTERNAL_H

#include "fs/content/file_internal.h"

/* A publication under way. */
struct publish {
	struct file *file;
	const char *key;
	uint64_t size;
	unsigned n; /* parts */
	char *base_key; /* its own, as are the base's facts */
	struct object_info base;
	uint64_t base_limit; /* how much of it still counts */
	struct object_info result;
};

/* ---- publish_body.c ---- */

/* The part of that number, as long as it is now. */
int publish_part(struct publish *p, unsigned number, struct part_range *part);
/* True when all of it is of that kind: FILE_BASE is the base's, byte for byte.
 */
bool publish_is(struct publish *p, const struct part_range *part,
		enum file_kind kind);
/* Bytes of the base, whatever was written there since. -ESTALE when the store
 * has another object. */
int publish_get(struct publish *p, uint64_t start, char *bytes, size_t len);
/* Its bytes: the tail's, or the spill file's, which has all of them then. */
int publish_body(struct publish *p, const struct part_range *part,
		 struct store_body *body);
/* Marks the content as one that cannot be uploaded any more, and says so. */
int publish_lost(struct file *f);
/* The base's ETag for a condition; NULL when it is not known. */
const char *publish_etag(const struct publish *p);

/* ---- publish_parts.c ---- */

/* The whole upload, to its completion: p->result. */
int publish_parts(struct publish *p);

#endif
