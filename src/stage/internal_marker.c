/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What statements keep with an internal stage. The store is the catalog of
 * these, so it has them: each is a header of metadata of the stage's
 * marker, `<root>stage/internal/NAME/`, percent-encoded so that any text fits
 * one. A stage that only its files imply has no marker and no properties.
 */
#include "stage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const struct property {
	const char *name; /* of the header, after the prefix */
	size_t offset; /* of the string in struct conn */
} properties_rows[] = {
	{ "stagefs-comment", offsetof(struct conn, comment) },
	{ "stagefs-file-format", offsetof(struct conn, file_format) },
	{ "stagefs-copy-options", offsetof(struct conn, copy_options) },
	{ "stagefs-created-on", offsetof(struct conn, created_on) },
};
#define N_PROPERTIES (sizeof(properties_rows) / sizeof(*properties_rows))

struct properties_headers {
	struct buf names[N_PROPERTIES], values[N_PROPERTIES];
	struct field fields[N_PROPERTIES];
	size_t n;
	size_t size; /* names and values: what S3 has a limit for */
};

static void marker_properties_clear(struct properties_headers *h)
{
	for (size_t i = 0; i < N_PROPERTIES; i++) {
		buf_clear(&h->names[i]);
		buf_clear(&h->values[i]);
	}
}

/* To be cleared in either case. */
static int marker_properties_encode(const struct conn *properties,
				    struct properties_headers *h)
{
	*h = (struct properties_headers){ 0 };
	for (size_t i = 0; properties && i < N_PROPERTIES; i++) {
		const struct property *row = &properties_rows[i];
		const char *text = *(char *const *)((const char *)properties +
						    row->offset);
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

ssize_t internal_marker_size(const struct conn *properties)
{
	struct properties_headers h;
	ssize_t size = marker_properties_encode(properties, &h);

	if (!size)
		size = h.size;
	marker_properties_clear(&h);
	return size;
}

char *internal_marker_key(const struct internal *in, const char *name,
			  bool marker)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX);

	buf_adds(&key, in->prefix);
	buf_adds(&key, name);
	if (marker)
		buf_addc(&key, '/');
	return buf_detach(&key);
}

int internal_marker_put(struct internal *in, const char *name,
			const struct conn *properties,
			const struct store_cond *cond)
{
	const struct store_body body = { .data = "" };
	MEM_LOCAL char *key = internal_marker_key(in, name, true);
	struct object_info info;
	struct properties_headers h;
	int rc = marker_properties_encode(properties, &h);

	if (!rc && !key)
		rc = -ENOMEM;
	if (!rc && h.size > CATALOG_PROPERTIES_MAX)
		rc = -E2BIG;
	if (!rc) {
		const struct store_meta meta = {
			.content_type = PROP_TYPE_DIR,
			.headers = h.fields,
			.n_headers = h.n,
		};

		rc = store_put(in->store, key, &body, &meta, cond, &info);
	}
	marker_properties_clear(&h);
	return rc;
}

/* One header; what is not ours, or is broken, is no property. */
static int marker_properties_take(const struct field *h, struct conn *out)
{
	BUF_LOCAL text = BUF_INIT(PROPS_BYTES);
	int rc = 0;

	for (size_t i = 0; i < N_PROPERTIES; i++) {
		char **to = (char **)((char *)out + properties_rows[i].offset);

		if (*to || !text_starts_with(h->name, PROP_META) ||
		    strcmp(h->name + strlen(PROP_META),
			   properties_rows[i].name))
			continue;
		if (text_percent_decode(&text, h->value, strlen(h->value)) ||
		    buf_err(&text))
			break;
		*to = strdup(buf_str(&text));
		rc = *to ? 0 : -ENOMEM;
	}
	return rc;
}

int internal_marker_properties(struct internal *in, const char *name,
			       struct conn *out, char etag[STORE_ETAG_SIZE])
{
	char *key = in->store ? internal_marker_key(in, name, true) : NULL;
	struct field at = { NULL, NULL };
	struct object_details d;
	int rc = -ENOMEM;

	*out = (struct conn){ 0 };
	etag[0] = '\0';
	if (!in->store)
		return -EROFS;
	if (key)
		rc = store_head(in->store, key, &d);
	free(key);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	memcpy(etag, d.info.etag, STORE_ETAG_SIZE);
	while (!rc && props_next(&d.props, &at))
		rc = marker_properties_take(&at, out);
	return rc;
}
