/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the signer of a store does not know: the bounds of EXPIRE, read-only
 * stages, and the options by name (presign_fields.c). How the answer is
 * written down is in presign_row.c.
 */
#include "presign/presign.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "presign/presign_fields.h"

static int presign_refuse_expire(struct buf *why, const char *text, int64_t max)
{
	buf_adds(why, "expire = ");
	text_printable(why, text);
	return buf_fail(
		why, -EINVAL,
		": a whole number of seconds from %d to %lld, or as 15m, 1h, "
		"7d",
		PRESIGN_EXPIRE_MIN, (long long)max);
}

int presign_parse_expire(const char *text, int64_t max, int64_t *out,
			 struct buf *why)
{
	uint64_t n;

	if (max <= 0 || max > PRESIGN_EXPIRE_MAX)
		max = PRESIGN_EXPIRE_MAX;
	if (parse_duration(text, strlen(text), max, &n) ||
	    n < PRESIGN_EXPIRE_MIN)
		return presign_refuse_expire(why, text, max);
	*out = n;
	return 0;
}

int presign_parse_action(const char *text, enum presign_action *out)
{
	if (!strcasecmp(text, "download"))
		*out = PRESIGN_DOWNLOAD;
	else if (!strcasecmp(text, "upload"))
		*out = PRESIGN_UPLOAD;
	else
		return -EINVAL;
	return 0;
}

static int presign_check_expire(const struct presign_request *req,
				struct buf *why)
{
	int64_t max = req->expire_max;

	if (max <= 0 || max > PRESIGN_EXPIRE_MAX)
		max = PRESIGN_EXPIRE_MAX;
	if (req->expire >= PRESIGN_EXPIRE_MIN && req->expire <= max)
		return 0;
	return buf_fail(
		why, -EINVAL,
		"expire = %lld: a whole number of seconds from %d to %lld",
		(long long)req->expire, PRESIGN_EXPIRE_MIN, (long long)max);
}

static int presign_check(const struct stage *s, const char *path,
			 const struct presign_request *req, struct buf *why)
{
	size_t len = strlen(s->prefix) + strlen(path);

	if (s->ro && store_presign_writes(req->action))
		return buf_fail(why, -EROFS,
				"stage %s is read-only: no URL for uploads",
				s->name);
	if (!len)
		return buf_fail(why, -EINVAL, "no file is named");
	if (len > STORE_KEY_MAX)
		return buf_fail(
			why, -ENAMETOOLONG,
			"the name is %zu bytes long, a key has at most %d", len,
			STORE_KEY_MAX);
	return presign_check_expire(req, why);
}

int presign_key(const struct stage *s, const char *path,
		const struct presign_request *req, struct buf *key,
		struct buf *why)
{
	int rc = presign_check(s, path, req, why);

	return rc ? rc : stage_key(s, path, key);
}

int presign(struct stage *s, const char *path,
	    const struct presign_request *req, struct store_presigned *out,
	    struct buf *why)
{
	struct presign_fields f;
	char room[256];
	BUF_LOCAL key = { 0 };
	int rc;

	*out = (struct store_presigned){ 0 };
	buf_init_on(&key, room, sizeof(room), STORE_KEY_MAX);
	rc = presign_key(s, path, req, &key, why);
	if (!rc) {
		rc = presign_fields(req, buf_str(&key), &s->store->limits, &f,
				    why);
		if (!rc) {
			const struct store_presign want = {
				.action = req->action,
				.key = buf_str(&key),
				.expire = req->expire,
				.strict = req->strict,
				.headers = f.headers,
				.n_headers = f.n_headers,
				.query = f.query,
				.n_query = f.n_query,
			};

			rc = store_presign(s->store, &want, out, why);
		}
		presign_fields_clear(&f);
	}
	return rc;
}
