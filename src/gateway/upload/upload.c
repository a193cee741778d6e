/*
 * The way of a request: who is it, which stage, may they; then the form, as it
 * comes. A file is in its stage before the next one begins, so an upload that
 * breaks off leaves the files that were whole, as several uploads would.
 *
 * The stage's name comes from headers only. A page of another site can make a
 * browser send a form, and a password that the browser knows, but no header of
 * its choice without being asked first (CORS); such requests do not get here.
 */
#include "gateway/upload/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/exchange.h"
#include "gateway/upload/form.h"
#include "gateway/context.h"
#include "gateway/upload/upload_name.h"
#include "stage/stage.h"
#include "store/store.h"
#include "store/upload_stream.h"

#define FILES_MAX (1000 << 10) /* bytes of names in the answer */
#define TYPE_MAX 255

/* A request's. */
struct upload {
	struct stage *stage;
	const char *folder; /* NULL: none */
	struct form *form;
	uint64_t received;
	struct upload_stream *stream; /* NULL: between files */
	struct buf name; /* of the file under way */
	struct buf files; /* JSON strings */
};

static int upload_open_form(struct exchange *x, struct upload *u)
{
	char boundary[FORM_BOUNDARY_MAX + 1];
	struct buf why = BUF_INIT(BUF_MESSAGE);
	unsigned status = 400;
	int rc = form_boundary(exchange_header(x, "Content-Type"), boundary,
			       &why);

	if (rc)
		status = rc == -EMEDIUMTYPE ? 415 : 400;
	else if (!(u->form = form_new(boundary)))
		rc = -ENOMEM;
	if (rc)
		upload_answer_refuse(x, status, status,
				     why.len ? buf_str(&why) : strerror(-rc));
	buf_clear(&why);
	return rc;
}

static void upload_on_begin(struct exchange *x)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u) {
		upload_answer_refuse(x, 503, 503, strerror(ENOMEM));
		return;
	}
	buf_init(&u->name, BUF_MESSAGE);
	buf_init(&u->files, FILES_MAX);
	x->state = u;
	if (!upload_stage_find(x, &u->stage, &u->folder))
		upload_open_form(x, u);
}

/* ---- the form ---- */

static void upload_refuse_nameless(struct exchange *x, const char *field)
{
	struct buf text = BUF_INIT(BUF_MESSAGE);

	buf_adds(&text, "Invalid form-data field '");
	text_printable(&text, field);
	buf_adds(&text, "': expected a file upload with a filename. If you are "
			"using curl, did you forget the '@' in -F "
			"'upload=@/path/to/file'?");
	upload_answer_refuse(x, 400, 400, buf_str(&text));
	buf_clear(&text);
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
	upload_answer_refuse(x, 413, 413,
			     "there are too many files in one request");
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
			    const char *type, const struct buf *key)
{
	const struct gateway_settings *set = &x->gateway->set;
	struct upload_stream_settings file = {
		.store = u->stage->store,
		.key = buf_str(key),
		.meta.content_type = type,
		.budget = set->budget,
		.writers = set->writers,
		.most = x->content_length < 0
				? STORE_SIZE_UNKNOWN
				: (uint64_t)x->content_length - u->received,
		.part_size = u->stage->part_size,
		.patience_ms = (int64_t)set->body_timeout_s * 1000,
	};

	if (key->len > STORE_KEY_MAX)
		return -ENAMETOOLONG;
	if (!type)
		file.meta.content_type = store_type(file.store, file.key);
	return upload_stream_open(&file, &u->stream);
}

static void upload_begin_file(struct exchange *x, struct upload *u,
			      const struct form_item *item)
{
	struct buf key = BUF_INIT(2 * STORE_KEY_MAX);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	unsigned status;
	int rc;

	buf_adds(&key, u->stage->prefix);
	rc = upload_name(u->folder, item->filename, &key, &why);
	if (rc) {
		status = rc == -EPERM ? 500 : 400;
		upload_answer_refuse(x, status, status, buf_str(&why));
	} else if (!upload_note_name(x, u, item->filename)) {
		rc = upload_open_file(x, u, upload_type(item), &key);
		if (rc)
			upload_answer_refuse_file(x, rc, item->filename);
	}
	buf_clear(&key);
	buf_clear(&why);
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
	if (rc)
		upload_answer_refuse_file(x, rc, buf_str(&u->name));
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
			upload_answer_refuse_file(x, rc, buf_str(&u->name));
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
		upload_answer_refuse(x, 400, 400, buf_str(why));
	else
		upload_answer_refuse(x, 503, 503, strerror(-rc));
}

static void upload_on_data(struct exchange *x, const void *bytes, size_t n)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
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
	buf_clear(&why);
}

static void upload_on_end(struct exchange *x)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct upload *u = x->state;
	int rc = form_finish(u->form, &why);

	if (rc)
		upload_refuse_form(x, rc, &why);
	else
		upload_answer(x,
			      exchange_header(x, "x-databend-stage-name")
				      ?: exchange_header(x, "stage_name"),
			      buf_str(&u->files));
	buf_clear(&why);
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
