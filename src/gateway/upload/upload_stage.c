/*
 * Who sends it, into which stage and folder, and may they: all from headers.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/exchange.h"
#include "gateway/context.h"
#include "gateway/upload/upload.h"
#include "gateway/upload/upload_name.h"
#include "gateway/login/users.h"
#include "stage/catalog.h"
#include "stage/stage.h"
#include "store/store.h"

/* 0, or answered. */
static int upload_stage_admit_sender(struct exchange *x,
				     struct users_actor *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = users_admit(x->gateway->users, x, out, &why);

	if (rc == -EACCES)
		upload_answer_login(x, buf_str(&why));
	else if (rc == -EAGAIN)
		upload_answer_refuse(x, 429, 429, buf_str(&why));
	else if (rc)
		upload_answer_refuse(x, 503, 503, buf_str(&why));
	buf_clear(&why);
	return rc;
}

/* A header under either of its names; twice is refused. 0, or answered. */
static int upload_stage_take_header(struct exchange *x, const char *name,
				    const char *old, const char **out)
{
	*out = exchange_header(x, name);
	if (!*out)
		*out = exchange_header(x, old);
	if (exchange_header_count(x, name) <= 1 &&
	    exchange_header_count(x, old) <= 1)
		return 0;
	upload_answer_refuse(x, 400, 400, "a header is there twice");
	return -EINVAL;
}

static int upload_stage_refuse(struct exchange *x, int rc, const char *name)
{
	struct buf text = BUF_INIT(BUF_MESSAGE);
	bool unknown = rc == -ENOENT || rc == -EINVAL;

	buf_adds(&text, unknown ? "Unknown stage " : "cannot look up stage ");
	text_printable(&text, name);
	if (!unknown)
		buf_addf(&text, ": %s", strerror(-rc));
	upload_answer_refuse(x, 500, 500, buf_str(&text));
	buf_clear(&text);
	return rc;
}

static int upload_stage_open(struct exchange *x, const struct users_actor *who,
			     const char *name, struct stage **out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = users_may_write(who, name, &why);

	if (!rc) {
		rc = catalog_get_as(x->gateway->catalog, who->name, name, out);
		if (rc)
			rc = upload_stage_refuse(x, rc, name);
		else
			rc = users_may_reach(who, *out, &why);
	}
	if (!rc && (*out)->ro) {
		buf_adds(&why, "the stage is read-only");
		rc = -EROFS;
	}
	if (rc == -EACCES && why.len)
		upload_answer_login(x, buf_str(&why));
	else if (rc && why.len)
		upload_answer_refuse(x, 403, 403, buf_str(&why));
	buf_clear(&why);
	return rc;
}

static int upload_stage_from_headers(struct exchange *x,
				     const struct users_actor *who,
				     struct stage **out, const char **folder)
{
	const char *name;
	int rc = upload_stage_take_header(x, "x-databend-stage-name",
					  "stage_name", &name);

	rc = rc ? rc
		: upload_stage_take_header(x, "x-databend-relative-path",
					   "relative_path", folder);
	if (rc)
		return rc;
	if (!name || !*name) {
		upload_answer_refuse(x, 400, 400,
				     "[HTTP-STAGE] Missing required parameter "
				     "'stage-name' in request headers");
		return -EINVAL;
	}
	return upload_stage_open(x, who, name + (*name == '@'), out);
}

/* The folder is looked at before any byte of a body. */
static int upload_stage_check_folder(struct exchange *x, const char *folder)
{
	struct buf path = BUF_INIT(2 * STORE_KEY_MAX);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = upload_name(folder, "x", &path, &why);
	unsigned status = rc == -EPERM ? 500 : 400;

	if (rc)
		upload_answer_refuse(x, status, status, buf_str(&why));
	buf_clear(&path);
	buf_clear(&why);
	return rc;
}

int upload_stage_find(struct exchange *x, struct stage **out,
		      const char **folder)
{
	struct users_actor who;
	int rc = upload_stage_admit_sender(x, &who);

	rc = rc ? rc : upload_stage_from_headers(x, &who, out, folder);
	return rc ? rc : upload_stage_check_folder(x, *folder);
}
