/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object has the MD5 of its bytes for an ETag only where it is not
 * encrypted, or by the server's own key (SSE-S3); with a key of the KMS or of
 * the customer's it has another, each time that it is written. So when a copy
 * has the ETag that its source had, and is encrypted by the server's own key,
 * it has lost nothing: Amazon encrypts all objects so.
 *
 * One whose answer says nothing of encryption may have lost that key (MinIO
 * encrypts where it is told to): it is looked at. But not with Ceph's RGW,
 * whose ETags are MD5s in any case: up to Squid it refuses to copy what is
 * encrypted.
 */
#include "store/s3/s3_crypt.h"

#include <string.h>

#include "base/text.h"
#include "net/http.h"
#include "store/s3/s3_made.h"

/* By its ids of requests, and the name that it gives itself since Reef. */
static bool crypt_is_old_ceph(const struct http_reply *reply)
{
	static const char *const releases[] = { "(quincy)", "(reef)",
						"(squid)" };
	BUF_LOCAL text = BUF_INIT(BUF_LINE);
	const char *id;

	if (!http_reply_header(reply, "x-amz-request-id", &text))
		return false;
	id = buf_str(&text);
	if (!text_starts_with(id, "tx") ||
	    strspn(id + 2, "0123456789abcdef") != 21 || id[23] != '-')
		return false;
	if (!http_reply_header(reply, "server", &text))
		return true;
	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++)
		if (strstr(buf_str(&text), releases[i]))
			return true;
	return false;
}

bool s3_crypt_is_kept(const struct s3 *s, const struct http_reply *reply,
		      const struct props *has, bool same)
{
	const char *sse = props_get(has, PROP_SSE);

	if (s3_made_is_private(s))
		return true; /* the settings' key wins over all */
	if (!same)
		return false;
	return sse ? !strcmp(sse, "AES256") : crypt_is_old_ceph(reply);
}

bool s3_crypt_lacks(const struct s3 *s, const struct props *has,
		    const struct props *was)
{
	struct field at = { NULL, NULL };
	bool lacks = false;

	if (s3_made_encrypts_anew(s, was))
		return false;
	while (!lacks && props_next(was, &at)) {
		const char *value = props_get(has, at.name);

		lacks = (props_kind(at.name) & PROP_CRYPT) &&
			(!value || strcmp(value, at.value) != 0);
	}
	return lacks;
}
