/*
 * A path on a mount is signed by the mount, with its keys and by its rules;
 * this asks for the extended attribute.
 */
#include "cli/cmd_presign.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "client/message.h"
#include "client/mount_presign.h"

/* The form of the attribute that has the whole output, or NULL. */
static const char *whole_form(int format)
{
	switch (format) {
	case FORMAT_URL:
		return "";
	case FORMAT_CURL:
		return ".curl";
	case TABLE_JSON:
	case TABLE_NDJSON:
		return ".json";
	default:
		return NULL;
	}
}

static int print_whole(const struct mount_presign *ask, int format,
		       struct buf *why)
{
	struct buf value = BUF_INIT(4 * BUF_URL), out = BUF_INIT(5 * BUF_URL);
	int rc = mount_presign(ask, whole_form(format), &value, why);

	if (!rc) {
		buf_addf(&out, format == TABLE_JSON ? "[%s]" : "%s",
			 buf_str(&value));
		rc = presign_job_print_text(&out);
	}
	buf_wipe(&value);
	buf_wipe(&out);
	return rc;
}

static int print_columns(const struct mount_presign *ask,
			 const struct output *o, struct buf *why)
{
	struct buf url = BUF_INIT(4 * BUF_URL), headers = BUF_INIT(4 * BUF_URL);
	int rc = mount_presign(ask, ".headers", &headers, why);

	if (!rc)
		rc = mount_presign(ask, "", &url, why);
	if (!rc) {
		const struct store_presigned row = {
			.method = store_presign_method(ask->action),
			.headers = headers.data,
			.url = url.data,
		};

		rc = presign_job_print(&row, ask->action, o);
	}
	buf_wipe(&url);
	buf_clear(&headers);
	return rc;
}

/* A URL as the row has it; signed once more, and its signature is cut. */
static int say_url(const struct mount_presign *ask, struct buf *why)
{
	struct buf url = BUF_INIT(4 * BUF_URL), cut = BUF_INIT(5 * BUF_URL);
	int rc = mount_presign(ask, "", &url, why);

	if (!rc) {
		presign_row_cut(buf_str(&url), &cut);
		message(store_presign_method(ask->action), buf_str(&cut));
	}
	buf_wipe(&url);
	buf_clear(&cut);
	return rc;
}

int cmd_presign_mount(const struct presign_options *o, const char *path,
		      const struct presign_request *r)
{
	const struct mount_presign ask = {
		.path = path,
		.action = r->action,
		.expire = r->expire,
		.content_type = r->content_type,
	};
	const struct output output = { o->format, o->header, o->compat_host };
	struct buf what = BUF_INIT(BUF_MESSAGE), why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	buf_addf(&what, "cannot presign %s", path);
	if (o->verbose)
		rc = say_url(&ask, &why);
	if (!rc)
		rc = whole_form(o->format) ? print_whole(&ask, o->format, &why)
					   : print_columns(&ask, &output, &why);
	if (rc)
		message(buf_str(&what),
			why.len ? buf_str(&why) : strerror(-rc));
	buf_clear(&what);
	buf_clear(&why);
	return rc ? STATUS_FAILED : STATUS_OK;
}
