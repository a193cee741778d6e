/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options by table: each is a header of an upload, a parameter of a download,
 * or both by the action. What a header may hold is checked by store_presign();
 * here is what has a meaning of its own: lengths, checksums, file names.
 *
 * Content-Disposition (RFC 6266): the name under which a browser saves what a
 * URL gives. A header has ASCII only, so a name beyond that comes twice: once
 * with `_` for what cannot be, for old readers, and once as RFC 8187 writes
 * UTF-8. Names with a quote, a backslash or a percent sign come so as well,
 * for readers disagree about those inside quotes.
 */
#include "presign/presign_fields.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/text.h"

#define FILENAME "filename="

#define BIT(action) (1u << (action))
#define READS (BIT(PRESIGN_DOWNLOAD) | BIT(PRESIGN_HEAD))
#define UPLOADS BIT(PRESIGN_UPLOAD)
#define PARTS BIT(PRESIGN_PART)
#define OF_UPLOAD (PARTS | BIT(PRESIGN_COMPLETE) | BIT(PRESIGN_ABORT))

struct fields_row {
	const char *name; /* of the header, and in messages */
	size_t offset; /* in struct presign_request */
	unsigned header_of; /* actions, as bits */
	const char *parameter;
	unsigned parameter_of;
};

#define ROW(name_, field, header_of_, parameter_, parameter_of_) \
	{ \
		name_, offsetof(struct presign_request, field), header_of_, \
			parameter_, parameter_of_ \
	}
static const struct fields_row fields_rows[] = {
	ROW(PROP_TYPE, content_type, UPLOADS, "response-" PROP_TYPE, READS),
	ROW(PROP_DISPOSITION, content_disposition, UPLOADS,
	    "response-" PROP_DISPOSITION, READS),
	ROW(PROP_ENCODING, content_encoding, UPLOADS, "response-" PROP_ENCODING,
	    READS),
	ROW(PROP_LANGUAGE, content_language, UPLOADS, "response-" PROP_LANGUAGE,
	    READS),
	ROW(PROP_CACHE, cache_control, UPLOADS, "response-" PROP_CACHE, READS),
	ROW(PROP_EXPIRES, http_expires, UPLOADS, "response-" PROP_EXPIRES,
	    READS),
	ROW("version id", version_id, 0, "versionId",
	    READS | BIT(PRESIGN_DELETE)),
	ROW("content-length", content_length, UPLOADS | PARTS, NULL, 0),
	ROW("checksum", checksum, UPLOADS | PARTS, NULL, 0),
	ROW(PROP_CLASS, storage_class, UPLOADS, NULL, 0),
	ROW("upload id", upload_id, 0, "uploadId", OF_UPLOAD),
	ROW("part number", part_number, 0, "partNumber", PARTS | READS),
};

/* ---- checksums ---- */

static const struct {
	const char *name, *header;
	size_t size; /* bytes */
} checksums[] = {
	{ "crc32c", "x-amz-checksum-crc32c", 4 },
	{ "sha256", "x-amz-checksum-sha256", 32 },
	{ "md5", "content-md5", 16 },
};

/* Exactly size bytes from twice as many digits. */
static bool field_checksum_of_hex(const char *s, size_t size,
				  unsigned char *out)
{
	return strlen(s) == 2 * size && hex_decode(s, size, out);
}

static bool field_checksum_of_base64(const char *s, size_t size,
				     unsigned char *out)
{
	BUF_LOCAL bytes = BUF_INIT(SHA256_SIZE);
	bool good = !base64_decode(s, strlen(s), &bytes) && bytes.len == size;

	if (good)
		memcpy(out, bytes.data, size);
	return good;
}

static int field_checksum_refuse(const char *text, struct buf *why)
{
	buf_adds(why, "checksum = ");
	text_printable(why, text);
	return buf_fail(why, -EINVAL,
			": crc32c=, sha256= or md5= and the value in base64 or "
			"hexadecimal");
}

/* `sha256=...`: the header's name, and its value in f->checksum. */
static int field_checksum_read(const char *text, struct presign_fields *f,
			       const char **header, struct buf *why)
{
	size_t len = strcspn(text, "=");
	unsigned char bytes[SHA256_SIZE];

	for (size_t i = 0; i < sizeof(checksums) / sizeof(*checksums); i++) {
		const char *value = text + len + 1;

		if (!text[len] || strlen(checksums[i].name) != len ||
		    memcmp(text, checksums[i].name, len))
			continue;
		if (!field_checksum_of_hex(value, checksums[i].size, bytes) &&
		    !field_checksum_of_base64(value, checksums[i].size, bytes))
			break;
		*header = checksums[i].header;
		base64_encode(bytes, checksums[i].size, &f->checksum);
		return buf_err(&f->checksum);
	}
	return field_checksum_refuse(text, why);
}

/* ---- lengths ---- */

static int fields_check_length(const char *text,
			       const struct store_limits *limits,
			       struct buf *why)
{
	uint64_t n;

	if (parse_u64(text, UINT64_MAX, &n)) {
		buf_adds(why, "content-length = ");
		text_printable(why, text);
		return buf_fail(why, -EINVAL, ": a whole number of bytes");
	}
	if (n <= limits->put_max)
		return 0;
	return buf_fail(
		why, -EFBIG,
		"content-length = %s: a single PUT has at most %llu bytes; "
		"larger files go in parts (stagefs presign upload --parts N)",
		text, (unsigned long long)limits->put_max);
}

/* ---- file names ---- */

static const char *field_disposition_last_name(const char *key, size_t *n)
{
	size_t end = strlen(key), start;

	while (end && key[end - 1] == '/')
		end--;
	for (start = end; start && key[start - 1] != '/'; start--)
		;
	*n = end - start;
	return key + start;
}

static bool field_disposition_is_plain(char c)
{
	return c >= ' ' && c < 0x7f && !strchr("\"\\%", c);
}

/* A character of UTF-8 has one `_`. */
static void field_disposition_add_name(const char *name, struct buf *out)
{
	bool exact = true;

	buf_adds(out, "; " FILENAME "\"");
	for (const char *p = name; *p; p++) {
		exact = exact && field_disposition_is_plain(*p);
		if (field_disposition_is_plain(*p))
			buf_addc(out, *p);
		else if (((unsigned char)*p & 0xc0) != 0x80)
			buf_addc(out, '_');
	}
	buf_addc(out, '"');
	if (exact || !text_is_utf8(name))
		return;
	buf_adds(out, "; filename*=UTF-8''");
	text_percent_encode(out, name, strlen(name), false);
}

static int field_disposition_refuse(const char *text, struct buf *why)
{
	buf_adds(why, "content-disposition = ");
	text_printable(why, text);
	return buf_fail(why, -EINVAL,
			": `attachment` or `inline`, or one of them and "
			"`; filename=\"NAME\"`");
}

/* `TYPE; filename="NAME"` with a NAME beyond ASCII: the bytes of NAME. */
static bool field_disposition_find_name(const char *text, const char **name,
					size_t *n)
{
	const char *semicolon = strchr(text, ';'), *p = semicolon;
	size_t len;

	if (!p)
		return false;
	p += 1 + strspn(p + 1, " ");
	if (strncasecmp(p, FILENAME, strlen(FILENAME)))
		return false;
	p += strlen(FILENAME);
	len = strlen(p);
	if (len > 1 && p[0] == '"' && p[len - 1] == '"') {
		p++;
		len -= 2;
	}
	*name = p;
	*n = len;
	return len && !memchr(p, '"', len) && !memchr(p, ';', len);
}

static int field_disposition(const char *text, const char *key, struct buf *out,
			     struct buf *why)
{
	BUF_LOCAL name = BUF_INIT(BUF_LINE);
	const char *at = NULL;
	size_t n = 0;

	if (text_has_control(text))
		return field_disposition_refuse(text, why);
	if (!strcasecmp(text, "attachment"))
		at = field_disposition_last_name(key, &n);
	else if (!text_is_ascii(text) &&
		 (!text_is_utf8(text) ||
		  !field_disposition_find_name(text, &at, &n)))
		return field_disposition_refuse(text, why);
	if (at && n) {
		buf_add(out, text, strcspn(text, "; "));
		buf_add(&name, at, n);
		field_disposition_add_name(buf_str(&name), out);
	} else {
		buf_adds(out, text);
	}
	return buf_err(out);
}

/* ---- one option ---- */

static const char *fields_value(const struct presign_request *req,
				const struct fields_row *row)
{
	const char *value;

	memcpy(&value, (const char *)req + row->offset, sizeof(value));
	return value;
}

static const char *fields_action(enum presign_action action)
{
	static const char *const names[] = {
		[PRESIGN_DOWNLOAD] = "a download", [PRESIGN_UPLOAD] = "uploads",
		[PRESIGN_HEAD] = "HEAD",           [PRESIGN_DELETE] = "DELETE",
		[PRESIGN_PART] = "a part",         [PRESIGN_COMPLETE] = "parts",
		[PRESIGN_ABORT] = "parts",
	};

	return names[action];
}

static void fields_put(struct field *list, size_t *n, const char *name,
		       const char *value)
{
	list[(*n)++] = (struct field){ name, value };
}

static int fields_add_header(const struct fields_row *row, const char *value,
			     const struct store_limits *limits,
			     struct presign_fields *f, struct buf *why)
{
	const char *name = row->name;
	int rc = 0;

	if (row->offset == offsetof(struct presign_request, content_length)) {
		rc = fields_check_length(value, limits, why);
	} else if (row->offset == offsetof(struct presign_request, checksum)) {
		rc = field_checksum_read(value, f, &name, why);
		value = buf_str(&f->checksum);
	}
	if (!rc)
		fields_put(f->headers, &f->n_headers, name, value);
	return rc;
}

/* The server repeats the value in a header of its answer. */
static int fields_add_parameter(const struct fields_row *row, const char *value,
				struct presign_fields *f, struct buf *why)
{
	const char *fault = !*value                   ? "the value is missing"
			    : text_has_control(value) ? "a control byte"
			    : text_is_ascii(value)
				    ? NULL
				    : "a header has ASCII characters only";

	if (fault)
		return buf_fail(why, -EINVAL, "%s: %s", row->name, fault);
	fields_put(f->query, &f->n_query, row->parameter, value);
	return 0;
}

static int fields_add(const struct presign_request *req,
		      const struct fields_row *row, const char *key,
		      const struct store_limits *limits,
		      struct presign_fields *f, struct buf *why)
{
	const char *value = fields_value(req, row);
	unsigned bit = BIT(req->action);
	int rc = 0;

	if (!value)
		return 0;
	if (!(bit & (row->header_of | row->parameter_of)))
		return buf_fail(why, -EINVAL, "%s: not for %s", row->name,
				fields_action(req->action));
	if (value == req->content_disposition) {
		rc = field_disposition(value, key, &f->disposition, why);
		value = buf_str(&f->disposition);
	}
	if (rc)
		return rc;
	return bit & row->header_of
		       ? fields_add_header(row, value, limits, f, why)
		       : fields_add_parameter(row, value, f, why);
}

int presign_fields(const struct presign_request *req, const char *key,
		   const struct store_limits *limits, struct presign_fields *f,
		   struct buf *why)
{
	int rc = 0;

	f->n_headers = f->n_query = 0;
	buf_init(&f->disposition, BUF_LINE);
	buf_init(&f->checksum, 64);
	for (size_t i = 0;
	     !rc && i < sizeof(fields_rows) / sizeof(*fields_rows); i++)
		rc = fields_add(req, &fields_rows[i], key, limits, f, why);
	if (!rc && f->n_headers + req->n_headers > PRESIGN_FIELDS_MAX)
		rc = buf_fail(why, -EINVAL, "too many headers");
	for (size_t i = 0; !rc && i < req->n_headers; i++)
		f->headers[f->n_headers++] = req->headers[i];
	return rc;
}

void presign_fields_clear(struct presign_fields *f)
{
	buf_clear(&f->disposition);
	buf_clear(&f->checksum);
}
