/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PRESIGN row: what Databend's statement answers, for the mount's extended
 * attributes and the command line alike.
 */
#ifndef PRESIGN_PRESIGN_H
#define PRESIGN_PRESIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage/stage.h"
#include "store/store.h"

struct buf;

#define PRESIGN_EXPIRE_MIN 1
#define PRESIGN_EXPIRE_MAX 604800

/*
 * What is asked for. Strings are literal; NULL is not given. One that has no
 * meaning for the action is refused, not left out.
 */
struct presign_request {
	enum presign_action action;
	int64_t expire; /* s */
	int64_t expire_max; /* s, the mount's; 0: PRESIGN_EXPIRE_MAX */
	/* Downloads, HEAD: what the answer says instead of the object's own;
	 * uploads: what must be sent, and stays with the object. */
	const char *content_type;
	/* `attachment` alone gets the file's own name. */
	const char *content_disposition;
	const char *content_encoding, *content_language, *cache_control;
	const char *http_expires; /* `Expires`, as HTTP writes a time */
	const char *version_id; /* downloads, HEAD, DELETE */
	/* Uploads: signed, so nothing else can be sent. */
	const char *content_length; /* bytes, decimal */
	const char *checksum; /* crc32c= sha256= md5= and base64 or hex */
	const char *storage_class;
	/* More headers, names in lower case; metadata among them. */
	const struct field *headers;
	size_t n_headers;
	/* Parts; a download may name a part_number too. */
	const char *upload_id, *part_number;
	bool strict; /* credentials that end before the URL are an error */
};

/* "1".."604800" and nothing else. 0 or -EINVAL with why set. */
int presign_parse_expire(const char *text, int64_t max, int64_t *out,
			 struct buf *why);
/* "download", "upload" (any case). 0 or -EINVAL. */
int presign_parse_action(const char *text, enum presign_action *out);

/*
 * Signs for path in the stage (relative, as location_parse() gives it). No
 * request to the store. -EINVAL (expire out of bounds, a control byte, what
 * the action does not know), -EROFS (a URL that writes, and a read-only
 * stage), -EFBIG (a single PUT cannot be that long), or the store's; why
 * set.
 */
int presign(struct stage *s, const char *path,
	    const struct presign_request *req, struct store_presigned *out,
	    struct buf *why);

/* Bounds of the request and of the key; key gets prefix and path. */
int presign_key(const struct stage *s, const char *path,
		const struct presign_request *req, struct buf *key,
		struct buf *why);

/*
 * Multipart: begins the upload in the store, which is then under way until it
 * is completed or aborted, and writes the row of URLs as JSON: {upload_id,
 * part_size, parts: [{part_number, method, headers, url}], complete, abort,
 * expires_at, warnings}. request->content_length is the whole object's: parts
 * get their exact lengths by it. Blocks. Errors as presign()'s and the store's.
 */
int presign_parts(struct stage *s, const char *path,
		  const struct presign_request *req, unsigned parts,
		  struct buf *out, struct buf *why);

/* A URL without its secrets, for display: the signature and the session token
 * are cut. */
void presign_row_cut(const char *url, struct buf *out);

/* {"method":..,"headers":{..},"url":..,"expires_at":..,"warnings":[..]} */
void presign_row_json(const struct store_presigned *p, struct buf *out);
/* The end of such a row: from `,"expires_at":` on. */
void presign_row_end(const struct store_presigned *p, struct buf *out);
/* A command line to paste: curl with method, headers and URL quoted for sh. */
void presign_row_curl(const struct store_presigned *p,
		      enum presign_action action, struct buf *out);

#endif
