/*
 * What statements keep with an internal stage. The store is the catalog of
 * these, so it has them: each note is a header of metadata of the stage's
 * marker, `<root>stage/internal/NAME/`, percent-encoded so that any text fits
 * one. A stage that only its files imply has no marker and no notes.
 */
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/catalog_impl.h"

#define MARKER_TYPE "application/x-directory"

static const struct note {
	const char *name; /* of the header, after the prefix */
	size_t offset; /* of the string in struct conn */
} notes_table[] = {
	{ "stagefs-comment", offsetof(struct conn, comment) },
	{ "stagefs-file-format", offsetof(struct conn, file_format) },
	{ "stagefs-copy-options", offsetof(struct conn, copy_options) },
	{ "stagefs-created-on", offsetof(struct conn, created_on) },
};
#define N_NOTES (sizeof(notes_table) / sizeof(*notes_table))

struct headers {
	struct buf names[N_NOTES], values[N_NOTES];
	struct field fields[N_NOTES];
	size_t n;
	size_t size; /* names and values: what S3 has a limit for */
};

static void clear(struct headers *h)
{
	for (size_t i = 0; i < N_NOTES; i++) {
		buf_clear(&h->names[i]);
		buf_clear(&h->values[i]);
	}
}

/* To be cleared in either case. */
static int encode(const struct conn *notes, struct headers *h)
{
	*h = (struct headers){ 0 };
	for (size_t i = 0; notes && i < N_NOTES; i++) {
		const struct note *row = &notes_table[i];
		const char *text =
			*(char *const *)((const char *)notes + row->offset);
		struct buf *name = &h->names[i], *value = &h->values[i];

		if (!text || !*text)
			continue;
		buf_init(name, 256);
		buf_init(value, SIZE_MAX / 2);
		buf_adds(name, PROP_META);
		buf_adds(name, row->name);
		text_percent_encode(value, text, strlen(text), false);
		if (buf_err(name) || buf_err(value))
			return -ENOMEM;
		h->fields[h->n].name = buf_str(name);
		h->fields[h->n++].value = buf_str(value);
		h->size += name->len + value->len;
	}
	return 0;
}

ssize_t catalog_properties_size(const struct conn *notes)
{
	struct headers h;
	ssize_t size = encode(notes, &h);

	if (!size)
		size = h.size;
	clear(&h);
	return size;
}

char *catalog_key(struct catalog *c, const char *name, bool marker)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX);

	buf_adds(&key, c->internal_prefix);
	buf_adds(&key, name);
	if (marker)
		buf_addc(&key, '/');
	return buf_detach(&key);
}

int catalog_put_marker(struct catalog *c, const char *name,
		       const struct conn *notes, const struct store_cond *cond)
{
	const struct store_body body = { .data = "" };
	char *key = catalog_key(c, name, true);
	struct object_info info;
	struct headers h;
	int rc = encode(notes, &h);

	if (!rc && !key)
		rc = -ENOMEM;
	if (!rc && h.size > CATALOG_PROPERTIES_MAX)
		rc = -E2BIG;
	if (!rc) {
		const struct store_meta meta = {
			.content_type = MARKER_TYPE,
			.headers = h.fields,
			.n_headers = h.n,
		};

		rc = store_put(c->storage, key, &body, &meta, cond, &info);
	}
	clear(&h);
	free(key);
	return rc;
}

/* One header; what is not ours, or is broken, is no note. */
static int take_note(const struct field *h, struct conn *out)
{
	struct buf text = BUF_INIT(PROPS_BYTES);
	int rc = 0;

	for (size_t i = 0; i < N_NOTES; i++) {
		char **to = (char **)((char *)out + notes_table[i].offset);

		if (*to || !text_starts_with(h->name, PROP_META) ||
		    strcmp(h->name + strlen(PROP_META), notes_table[i].name))
			continue;
		if (text_percent_decode(&text, h->value, strlen(h->value)) ||
		    buf_err(&text))
			break;
		*to = strdup(buf_str(&text));
		rc = *to ? 0 : -ENOMEM;
	}
	buf_clear(&text);
	return rc;
}

int catalog_properties(struct catalog *c, const char *name, struct conn *out,
		       char etag[STORE_ETAG_SIZE])
{
	char *key = c->storage ? catalog_key(c, name, true) : NULL;
	struct field at = { NULL, NULL };
	struct object_details d;
	int rc = -ENOMEM;

	*out = (struct conn){ 0 };
	etag[0] = '\0';
	if (!c->storage)
		return -EROFS;
	if (key)
		rc = store_head(c->storage, key, &d);
	free(key);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	memcpy(etag, d.info.etag, STORE_ETAG_SIZE);
	while (!rc && props_next(&d.props, &at))
		rc = take_note(&at, out);
	return rc;
}

int catalog_properties_set(struct catalog *c, const char *name,
			   const struct conn *notes, const char *etag)
{
	const struct store_cond cond = {
		.if_match = etag && *etag ? etag : NULL,
		.if_absent = etag && !*etag,
	};
	int rc;

	if (!c->storage || c->storage_ro)
		return -EROFS;
	rc = catalog_put_marker(c, name, notes, &cond);
	/* Made, or gone, since catalog_properties(). */
	if (etag && (rc == -EEXIST || rc == -ENOENT))
		rc = -ESTALE;
	return rc;
}
