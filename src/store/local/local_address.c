/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of the gateway that answers for a root, as it stands in
 * `.stagefs/gateway`. It is read again when the file has changed.
 */
#include "store/local/local_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "net/url.h"
#include "store/local/local_error.h"
#include "store/local/local_folder.h"
#include "store/local/local_root.h"

#define DEFAULT_ORIGIN "http://127.0.0.1:8000"

int local_address_parse(const char *text, struct buf *out, struct buf *why)
{
	URL_LOCAL u = { 0 };
	int rc = url_parse(text, NULL, &u, why);

	if (!rc && strcmp(u.scheme, "http") && strcmp(u.scheme, "https"))
		rc = buf_fail(why, -EINVAL, "`%s` is neither http nor https",
			      u.scheme);
	if (!rc && *u.path && strcmp(u.path, "/"))
		rc = buf_fail(why, -EINVAL,
			      "the address of a gateway has no path");
	if (!rc)
		url_origin(&u, out);
	return rc ? rc : buf_err(out);
}

static bool address_kept(struct local *l, const struct local_stamp *stamp,
			 struct buf *out)
{
	bool same;

	lock_take(&l->lock);
	same = local_locked(l)->address &&
	       local_folder_same(&local_locked(l)->address_stamp, stamp);
	if (same)
		buf_adds(out, local_locked(l)->address);
	lock_drop(&l->lock);
	return same;
}

static void local_address_keep(struct local *l, const struct local_stamp *stamp,
			       const char *address)
{
	char *copy = strdup(address), *old;

	lock_take(&l->lock);
	old = local_locked(l)->address;
	local_locked(l)->address = copy;
	local_locked(l)->address_stamp = *stamp;
	lock_drop(&l->lock);
	free(old);
}

int local_address(struct store *s, struct buf *out)
{
	struct local *l = local_of(s);
	BUF_LOCAL text = BUF_INIT(LOCAL_FOLDER_FILE_MAX), why = BUF_INIT(1024);
	BUF_LOCAL origin = BUF_INIT(1024);
	struct local_stamp stamp;
	int rc = local_folder_stamp(l, LOCAL_GATEWAY, &stamp);

	if (rc == -ENOENT)
		return 0;
	if (!rc && address_kept(l, &stamp, out))
		return buf_err(out);
	if (!rc)
		rc = local_folder_read(l, LOCAL_GATEWAY, &text, &stamp);
	if (!rc && text.len)
		text.data[strcspn(text.data, "\n")] = '\0';
	if (!rc)
		rc = local_address_parse(buf_str(&text), &origin, &why);
	if (!rc) {
		local_address_keep(l, &stamp, buf_str(&origin));
		buf_adds(out, buf_str(&origin));
	} else {
		local_error(l, "read the gateway's address", NULL, rc,
			    why.len ? buf_str(&why) : NULL);
	}
	return rc ? rc : buf_err(out);
}

int local_address_set(struct store *s, const char *origin)
{
	struct local *l = local_of(s);
	BUF_LOCAL text = BUF_INIT(1024), why = BUF_INIT(1024);
	int rc = local_root_writable(l, "keep the gateway's address", NULL);

	if (rc)
		return rc;
	rc = local_address_parse(origin, &text, &why);
	buf_addc(&text, '\n');
	if (!rc)
		rc = buf_err(&text);
	if (!rc)
		rc = local_folder_write(l, LOCAL_GATEWAY, &text, true);
	if (rc)
		local_error(l, "keep the gateway's address", NULL, rc,
			    why.len ? buf_str(&why) : NULL);
	return rc;
}

void local_address_origin(struct local *l, struct buf *out)
{
	size_t before = out->len;

	if (l->public_url) {
		buf_adds(out, l->public_url);
		return;
	}
	if (local_address(&l->base, out) || out->len == before)
		buf_adds(out, DEFAULT_ORIGIN);
}
