/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request: its user, the stage, may they; then the form, as it
 * comes. A file is in its stage before the next one begins, so an upload that
 * breaks off leaves the files that were whole, as several uploads would.
 *
 * The stage's name comes from headers only. A page of another site can make a
 * browser send a form, and a password that the browser knows, but no header of
 * its choice without being asked first (CORS); such requests do not get here.
 *
 * Databend's handler says 400 where a header or a filename is missing and 500
 * for everything else, an unknown stage too; its code is the status then. What
 * it has no word for has HTTP's status.
 */
#include "gateway/upload/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"
#include "gateway/context.h"
#include "gateway/login/users.h"
#include "gateway/upload/form.h"
#include "gateway/upload/upload_name.h"
#include "stage/catalog.h"
#include "stage/stage.h"
#include "store/store.h"
#include "store/upload_stream.h"

#define AUTHENTICATE_FAILURE 5100 /* Databend's code */
#define RETRY_AFTER_S "10"
#define ANSWER_SIZE (1 << 20)
#define FILES_MAX (1000 << 10) /* bytes of names in the answer */
#define TYPE_MAX 255

/* A request's. */
struct upload {
	struct stage *stage;
	const char *folder; /* NULL: none */
	struct form *form;
	uint64_t received;
	struct upload_stream *stream; /* NULL: between files */
	struct buf name, key; /* of the file under way */
	struct buf files; /* JSON strings */
};

/* ---- how it answers ---- */

static void upload_refuse(struct exchange *x, unsigned status, unsigned code,
			  const char *message)
{
	if (status == 429 || status == 503)
		exchange_add(x, "Retry-After", RETRY_AFTER_S);
	exchange_refuse_json(x, status, code, message);
}

static void upload_ask_login(struct exchange *x, const char *message)
{
	exchange_add(x, "WWW-Authenticate",
		     "Basic realm=\"stagefs\", charset=\"UTF-8\"");
	upload_refuse(x, 401, AUTHENTICATE_FAILURE, message);
}

static const struct upload_failure {
	int rc;
	unsigned status;
	const char *why; /* NULL: the system's words */
} upload_failures[] = {
	{ -EFBIG, 413, "it is larger than the memory for uploads allows" },
	{ -EBUSY, 503, "too many uploads are under way: no memory came free" },
	{ -ETIME, 408, "its bytes come too slowly" },
	{ -EINTR, 503, "the server is stopping" },
	{ -ENOMEM, 503, NULL },
	{ -EROFS, 403, "the stage is read-only" },
	{ -EPERM, 400, "no file may be called so" },
	{ -EINVAL, 400, "no file can be called so" },
	{ -ENAMETOOLONG, 400, NULL },
	{ -EISDIR, 400, "there is a folder of that name" },
	{ -ENOTDIR, 400, "a file stands where a folder would have to be" },
};

static void upload_refuse_file(struct exchange *x, int rc, const char *name)
{
	struct upload_failure f = { rc, 500, NULL };
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

	for (size_t i = 0;
	     i < sizeof(upload_failures) / sizeof(*upload_failures); i++)
		if (upload_failures[i].rc == rc)
			f = upload_failures[i];
	buf_adds(&text, "cannot store ");
	text_printable(&text, name);
	buf_addf(&text, ": %s", f.why ? f.why : strerror(-rc));
	upload_refuse(x, f.status, f.status, buf_str(&text));
}

/* A random UUID. */
static void upload_add_id(struct buf *out)
{
	unsigned char b[16];
	char hex[2 * sizeof(b) + 1];

	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	hex_encode(b, sizeof(b), hex);
	buf_addf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
}

static void upload_answer(struct exchange *x, const char *stage,
			  const char *files)
{
	BUF_LOCAL out = BUF_INIT(ANSWER_SIZE);

	buf_adds(&out, "{\"id\":\"");
	upload_add_id(&out);
	buf_adds(&out, "\",\"stage_name\":");
	text_json_string(&out, stage);
	buf_adds(&out, ",\"state\":\"SUCCESS\",\"files\":[");
	buf_adds(&out, files);
	buf_adds(&out, "]}");
	exchange_answer(x, 200, "application/json", buf_str(&out), out.len);
}

/* ---- the user and the stage ---- */

/* 0, or answered. */
static int upload_admit_sender(struct exchange *x, struct users_actor *out)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = users_admit(x->gateway->users, x, out, &why);

	if (rc == -EACCES)
		upload_ask_login(x, buf_str(&why));
	else if (rc == -EAGAIN)
		upload_refuse(x, 429, 429, buf_str(&why));
	else if (rc)
		upload_refuse(x, 503, 503, buf_str(&why));
	return rc;
}

/* A header under either of its names; twice is refused. 0, or answered. */
static int upload_take_header(struct exchange *x, const char *name,
			      const char *old, const char **out)
{
	*out = exchange_header(x, name);
	if (!*out)
		*out = exchange_header(x, old);
	if (exchange_header_count(x, name) <= 1 &&
	    exchange_header_count(x, old) <= 1)
		return 0;
	upload_refuse(x, 400, 400, "a header is there twice");
	return -EINVAL;
}

static int upload_refuse_stage(struct exchange *x, int rc, const char *name)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);
	bool unknown = rc == -ENOENT || rc == -EINVAL;

	buf_adds(&text, unknown ? "Unknown stage " : "cannot look up stage ");
	text_printable(&text, name);
	if (!unknown)
		buf_addf(&text, ": %s", strerror(-rc));
	upload_refuse(x, 500, 500, buf_str(&text));
	return rc;
}

static int upload_open_stage(struct exchange *x,
			     const struct users_actor *actor, const char *name,
			     struct stage **out)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = users_may_write(actor, name, &why);

	if (!rc) {
		rc = catalog_get_as(x->gateway->catalog, actor->name, name,
				    out);
		if (rc)
			rc = upload_refuse_stage(x, rc, name);
		else
			rc = users_may_reach(actor, *out, &why);
	}
	if (!rc && (*out)->ro)
		rc = buf_fail(&why, -EROFS, "the stage is read-only");
	if (rc == -EACCES && why.len)
		upload_ask_login(x, buf_str(&why));
	else if (rc && why.len)
		upload_refuse(x, 403, 403, buf_str(&why));
	return rc;
}

static int upload_find_stage(struct exchange *x,
			     const struct users_actor *actor,
			     struct stage **out, const char **folder)
{
	const char *name;
	int rc = upload_take_header(x, "x-databend-stage-name", "stage_name",
				    &name);

	rc = rc ? rc
		: upload_take_header(x, "x-databend-relative-path",
				     "relative_path", folder);
	if (rc)
		return rc;
	if (!name || !*name) {
		upload_refuse(x, 400, 400,
			      "[HTTP-STAGE] Missing required parameter "
			      "'stage-name' in request headers");
		return -EINVAL;
	}
	return upload_open_stage(x, actor, name + (*name == '@'), out);
}

/* The folder is looked at before any byte of a body. */
static int upload_check_folder(struct exchange *x, const char *folder)
{
	BUF_LOCAL path = BUF_INIT(2 * STORE_KEY_MAX);
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = upload_name(folder, "x", &path, &why);
	unsigned status = rc == -EPERM ? 500 : 400;

	if (rc)
		upload_refuse(x, status, status, buf_str(&why));
	return rc;
}

/* 0 and the stage, with a reference, and the folder in it (borrowed; NULL
 * none); or it has been answered. *out may be set then too. */
static int upload_find(struct exchange *x, struct stage **out,
		       const char **folder)
{
	struct users_actor actor;
	int rc = upload_admit_sender(x, &actor);

	if (!rc)
		rc = upload_find_stage(x, &actor, out, folder);
	return rc ? rc : upload_check_folder(x, *folder);
}

/* ---- the request ---- */

static int upload_open_form(struct exchange *x, struct upload *u)
{
	char boundary[FORM_BOUNDARY_MAX + 1];
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	unsigned status = 400;
	int rc = form_boundary(exchange_header(x, "Content-Type"), boundary,
			       &why);

	if (rc)
		status = rc == -EMEDIUMTYPE ? 415 : 400;
	else if (!(u->form = form_new(boundary)))
		rc = -ENOMEM;
	if (rc)
		upload_refuse(x, status, status,
			      why.len ? buf_str(&why) : strerror(-rc));
	return rc;
}

static void upload_on_begin(struct exchange *x)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u) {
		upload_refuse(x, 503, 503, strerror(ENOMEM));
		return;
	}
	buf_init(&u->name, BUF_MESSAGE);
	buf_init(&u->key, 2 * STORE_KEY_MAX);
	buf_init(&u->files, FILES_MAX);
	x->state = u;
	if (!upload_find(x, &u->stage, &u->folder))
		upload_open_form(x, u);
}

/* ---- the form ---- */

static void upload_refuse_nameless(struct exchange *x, const char *field)
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);

	buf_adds(&text, "Invalid form-data field '");
	text_printable(&text, field);
	buf_adds(&text, "': expected a file upload with a filename. If you are "
			"using curl, did you forget the '@' in -F "
			"'upload=@/path/to/file'?");
	upload_refuse(x, 400, 400, buf_str(&text));
}

static int upload_note_name(struct exchange *x, struct upload *u,
			    const char *name)
{
	buf_reset(&u->name);
	buf_adds(&u->name, name);
	if (u->files.len)
		buf_addc(&u->files, ',');
	text_json_string(&u->files, name);
	if (!buf_err(&u->name) && !buf_err(&u->files))
		return 0;
	upload_refuse(x, 413, 413, "there are too many files in one request");
	return -EFBIG;
}

static const char *upload_type(const struct form_item *item)
{
	const char *t = item->type;

	return t && *t && strlen(t) <= TYPE_MAX && text_is_ascii(t) &&
			       !text_has_control(t)
		       ? t
		       : NULL;
}

static int upload_open_file(struct exchange *x, struct upload *u,
			    const char *type)
{
	const struct gateway_settings *set = &x->gateway->set;
	struct upload_stream_settings file = {
		.store = u->stage->store,
		.key = buf_str(&u->key),
		.meta.content_type = type,
		.budget = set->budget,
		.share = set->share,
		.most = x->content_length < 0
				? STORE_SIZE_UNKNOWN
				: (uint64_t)x->content_length - u->received,
		.part_size = u->stage->part_size,
		.patience_ms = (int64_t)set->body_timeout_s * 1000,
	};

	if (u->key.len > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (!type)
		file.meta.content_type = store_type(file.store, file.key);
	return upload_stream_open(&file, &u->stream);
}

static void upload_begin_file(struct exchange *x, struct upload *u,
			      const struct form_item *item)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	unsigned status;
	int rc;

	buf_reset(&u->key);
	stage_key(u->stage, "", &u->key);
	rc = upload_name(u->folder, item->filename, &u->key, &why);
	if (rc) {
		status = rc == -EPERM ? 500 : 400;
		upload_refuse(x, status, status, buf_str(&why));
	} else if (!upload_note_name(x, u, item->filename)) {
		rc = upload_open_file(x, u, upload_type(item));
		if (rc)
			upload_refuse_file(x, rc, item->filename);
	}
}

static void upload_drop_file(struct upload *u)
{
	upload_stream_free(u->stream);
	u->stream = NULL;
}

static void upload_end_file(struct exchange *x, struct upload *u)
{
	struct object_info info;
	int rc = upload_stream_finish(u->stream, NULL, &info);

	upload_drop_file(u);
	if (!rc)
		gateway_changed(x->gateway, u->stage->store, buf_str(&u->key),
				&info);
	else
		upload_refuse_file(x, rc, buf_str(&u->name));
}

static void upload_on_event(struct exchange *x, struct upload *u, int event,
			    const struct form_item *item)
{
	int rc = 0;

	switch (event) {
	case FORM_PART:
		if (item->filename && *item->filename)
			upload_begin_file(x, u, item);
		else
			upload_refuse_nameless(x, item->name);
		break;
	case FORM_DATA:
		rc = upload_stream_add(u->stream, item->data, item->len);
		if (rc)
			upload_refuse_file(x, rc, buf_str(&u->name));
		break;
	case FORM_PART_END:
		upload_end_file(x, u);
		break;
	default:
		break;
	}
}

static void upload_refuse_form(struct exchange *x, int rc,
			       const struct buf *why)
{
	if (rc == -EINVAL)
		upload_refuse(x, 400, 400, buf_str(why));
	else
		upload_refuse(x, 503, 503, strerror(-rc));
}

static void upload_on_data(struct exchange *x, const void *bytes, size_t n)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct upload *u = x->state;
	struct form_item item;
	int rc;

	form_feed(u->form, bytes, n);
	while ((rc = form_next(u->form, &item, &why)) > 0) {
		upload_on_event(x, u, rc, &item);
		if (exchange_answered(x))
			break;
	}
	u->received += n;
	if (rc < 0)
		upload_refuse_form(x, rc, &why);
	/* What a refused request holds is given back before the rest of its
	 * body. */
	if (exchange_answered(x))
		upload_drop_file(u);
}

static void upload_on_end(struct exchange *x)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct upload *u = x->state;
	int rc = form_finish(u->form, &why);

	if (rc)
		upload_refuse_form(x, rc, &why);
	else
		upload_answer(x,
			      exchange_header(x, "x-databend-stage-name")
				      ?: exchange_header(x, "stage_name"),
			      buf_str(&u->files));
}

static void upload_on_done(struct exchange *x)
{
	struct upload *u = x->state;

	if (!u)
		return;
	upload_drop_file(u);
	form_free(u->form);
	stage_unref(u->stage);
	buf_clear(&u->name);
	buf_clear(&u->key);
	buf_clear(&u->files);
	free(u);
	x->state = NULL;
}

const struct exchange_handler upload_handler = {
	.kind = "upload",
	.begin = upload_on_begin,
	.data = upload_on_data,
	.end = upload_on_end,
	.done = upload_on_done,
};
