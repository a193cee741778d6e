/*
 * The PRESIGN row: what Databend's statement answers, for the mount's extended
 * attributes and the command line alike.
 */
#ifndef STAGE_PRESIGN_H
#define STAGE_PRESIGN_H

#include <stdint.h>

#include "stage/stage.h"
#include "store/store.h"

struct buf;

#define PRESIGN_EXPIRE_DEFAULT 3600
#define PRESIGN_EXPIRE_MIN 1
#define PRESIGN_EXPIRE_MAX 604800

struct presign_request {
	enum presign_action action;
	int64_t expire; /* s */
	int64_t expire_max; /* s, the mount's; 0: PRESIGN_EXPIRE_MAX */
	const char *content_type; /* NULL: none */
};

/* "1".."604800" and nothing else. 0 or -EINVAL with why in err. */
int presign_parse_expire(const char *text, int64_t max, int64_t *out,
			 struct buf *err);
/* "download", "upload" (any case). 0 or -EINVAL. */
int presign_parse_action(const char *text, enum presign_action *out);

/*
 * Signs for path in the stage (relative, as location_parse() gives it). No
 * request to the store. -EINVAL (expire out of bounds, a control byte),
 * -EROFS (an upload URL of a read-only stage), or the store's; why in err.
 */
int presign(struct stage *s, const char *path,
	    const struct presign_request *req, struct store_presigned *out,
	    struct buf *err);

/* {"method":..,"headers":{..},"url":..,"expires_at":..,"warnings":[..]} */
void presign_json(const struct store_presigned *p, struct buf *out);
/* A command line to paste: curl with method, headers and URL quoted for sh. */
void presign_curl(const struct store_presigned *p, enum presign_action action,
		  struct buf *out);

#endif
