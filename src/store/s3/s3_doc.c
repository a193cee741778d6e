/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small documents: each is a table of paths and the fields where their text
 * goes. What a table does not name is passed over.
 */
#include "store/s3/s3_doc.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/xml.h"
#include "store/parts.h"
#include "store/s3/s3_etag.h"

/* ---- documents of fixed fields ---- */

struct s3_doc_field {
	const char *path;
	size_t offset, size;
};

struct fields {
	const struct s3_doc_field *table; /* ends with a NULL path */
	char *target;
};

/* A text that is too long is cut: it is for people, or compared whole. */
static int doc_field_set(void *arg, const char *path, const char *text,
			 size_t n)
{
	struct fields *f = arg;
	const struct s3_doc_field *row;

	for (row = f->table; row->path; row++) {
		if (strcmp(row->path, path))
			continue;
		if (n >= row->size)
			n = row->size - 1;
		memcpy(f->target + row->offset, text, n);
		f->target[row->offset + n] = '\0';
	}
	return 0;
}

#define ERROR_FIELD(name, member) \
	{ \
		"Error/" name, offsetof(struct s3_error_doc, member), \
			sizeof(((struct s3_error_doc *)0)->member) \
	}

int s3_doc_error(const char *body, size_t n, struct s3_error_doc *out)
{
	static const struct s3_doc_field table[] = {
		ERROR_FIELD("Code", code),
		ERROR_FIELD("Message", message),
		ERROR_FIELD("RequestId", request_id),
		ERROR_FIELD("Region", region),
		ERROR_FIELD("ServerTime", server_time),
		{ 0 },
	};
	struct fields f = { table, (char *)out };
	struct xml_walk walk = { .end = doc_field_set, .arg = &f };

	memset(out, 0, sizeof(*out));
	return xml_parse(body, n, "Error", &walk);
}

/* ---- multipart and copy results ---- */

static int doc_upload_id_set(void *arg, const char *path, const char *text,
			     size_t n)
{
	if (strcmp(path, "InitiateMultipartUploadResult/UploadId"))
		return 0;
	buf_reset(arg);
	buf_add(arg, text, n);
	return buf_err(arg) == -ENOMEM ? -ENOMEM : 0;
}

int s3_doc_upload_id(const char *body, size_t n, struct buf *out)
{
	struct xml_walk walk = { .end = doc_upload_id_set, .arg = out };
	int rc;

	buf_reset(out);
	rc = xml_parse(body, n, "InitiateMultipartUploadResult", &walk);

	if (!rc &&
	    (!out->len || buf_err(out) || strlen(buf_str(out)) != out->len))
		rc = -EBADMSG;
	return rc;
}

static int doc_result_set(void *arg, const char *path, const char *text,
			  size_t n)
{
	struct s3_result_doc *r = arg;
	const char *name = strchr(path, '/');

	if (!name)
		return 0;
	if (!strcmp(name, "/ETag"))
		s3_etag_keep(text, n, r->etag);
	if (!strcmp(name, "/LastModified"))
		return clock_parse_iso8601(text, &r->mtime) ? -EBADMSG : 0;
	if (!strcmp(name, "/ChecksumCRC32C") && n < sizeof(r->crc32c))
		memcpy(r->crc32c, text, n + 1);
	return 0;
}

int s3_doc_result(const char *body, size_t n, const char *root,
		  struct s3_result_doc *out)
{
	struct xml_walk walk = { .end = doc_result_set, .arg = out };

	memset(out, 0, sizeof(*out));
	return xml_parse(body, n, root, &walk);
}

/* ---- parts ---- */

#define PARTS_ROOT "ListPartsResult/"
#define PARTS_ENTRY PARTS_ROOT "Part"

static int doc_parts_begin(void *arg, const char *path)
{
	struct s3_parts_doc *doc = arg;

	if (strcmp(path, PARTS_ENTRY))
		return 0;
	if (doc->n == S3_DOC_PARTS_MAX)
		return -EBADMSG;
	doc->at[doc->n++] = (struct store_part_there){ 0 };
	return 0;
}

static int doc_parts_end(void *arg, const char *path, const char *text,
			 size_t n)
{
	struct s3_parts_doc *doc = arg;
	struct store_part_there *part = doc->n ? &doc->at[doc->n - 1] : NULL;
	uint64_t number;

	if (!strcmp(path, PARTS_ROOT "IsTruncated"))
		doc->truncated = !strcmp(text, "true");
	else if (!strcmp(path, PARTS_ENTRY))
		return part->number ? 0 : -EBADMSG;
	else if (!strcmp(path, PARTS_ENTRY "/ETag"))
		s3_etag_keep(text, n, part->etag);
	else if (!strcmp(path, PARTS_ENTRY "/Size"))
		return parse_u64n(text, n, INT64_MAX, &part->size) ? -EBADMSG
								   : 0;
	else if (!strcmp(path, PARTS_ENTRY "/PartNumber")) {
		if (parse_u64n(text, n, PARTS_MAX, &number) || !number)
			return -EBADMSG;
		part->number = (unsigned)number;
	}
	return 0;
}

int s3_doc_parts(const char *body, size_t n, struct s3_parts_doc *out)
{
	struct xml_walk walk = { .begin = doc_parts_begin,
				 .end = doc_parts_end,
				 .arg = out };

	out->n = 0;
	out->truncated = false;
	return xml_parse(body, n, "ListPartsResult", &walk);
}

/* ---- tags ---- */

static int doc_tag_add(void *arg, const char *path, const char *text, size_t n)
{
	static const char tag[] = "Tagging/TagSet/Tag/";
	struct buf *out = arg;

	if (!text_starts_with(path, tag))
		return 0;
	if (!strcmp(path + strlen(tag), "Key") && out->len)
		buf_addc(out, '&');
	else if (!strcmp(path + strlen(tag), "Value"))
		buf_addc(out, '=');
	else if (strcmp(path + strlen(tag), "Key") != 0)
		return 0;
	text_percent_encode(out, text, n, false);
	return 0;
}

int s3_doc_tags(const char *body, size_t n, struct buf *out)
{
	struct xml_walk walk = { .end = doc_tag_add, .arg = out };
	int rc;

	buf_reset(out);
	rc = xml_parse(body, n, "Tagging", &walk);
	if (!rc && buf_err(out))
		rc = buf_err(out) == -EMSGSIZE ? -E2BIG : buf_err(out);
	return rc;
}

void s3_doc_add_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		default:
			buf_addc(out, *s);
		}
	}
}

/* ---- batch delete ---- */

struct deleted {
	void (*failed)(void *arg, const char *key, const char *code);
	void *arg;
	struct buf key, code;
};

static int doc_set_deleted(void *arg, const char *path, const char *text,
			   size_t n)
{
	struct deleted *d = arg;

	if (!strcmp(path, "DeleteResult/Error/Key")) {
		buf_reset(&d->key);
		buf_add(&d->key, text, n);
	} else if (!strcmp(path, "DeleteResult/Error/Code")) {
		buf_reset(&d->code);
		buf_add(&d->code, text, n);
	} else if (!strcmp(path, "DeleteResult/Error")) {
		d->failed(d->arg, buf_str(&d->key), buf_str(&d->code));
		buf_reset(&d->key);
		buf_reset(&d->code);
	}
	return 0;
}

int s3_doc_deleted(const char *body, size_t n,
		   void (*failed)(void *arg, const char *key, const char *code),
		   void *arg)
{
	struct deleted d = { failed, arg, BUF_INIT(XML_TEXT), BUF_INIT(256) };
	struct xml_walk walk = { .end = doc_set_deleted, .arg = &d };
	int rc = xml_parse(body, n, "DeleteResult", &walk);

	buf_clear(&d.key);
	buf_clear(&d.code);
	return rc;
}
