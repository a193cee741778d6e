/*
 * Options by table: each is a header of an upload, a parameter of a download,
 * or both by the action. What a header may hold is checked by store_presign();
 * here is what has a meaning of its own: lengths, checksums, file names.
 */
#include "presign/presign_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#define BIT(action) (1u << (action))
#define READS (BIT(PRESIGN_DOWNLOAD) | BIT(PRESIGN_HEAD))
#define UPLOADS BIT(PRESIGN_UPLOAD)
#define PARTS BIT(PRESIGN_PART)
#define OF_UPLOAD (PARTS | BIT(PRESIGN_COMPLETE) | BIT(PRESIGN_ABORT))

struct row {
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
static const struct row rows[] = {
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
static bool from_hex(const char *s, size_t size, unsigned char *out)
{
	if (strlen(s) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = text_hex_value(s[2 * i]),
		    low = text_hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool from_base64(const char *s, size_t size, unsigned char *out)
{
	struct buf bytes = BUF_INIT(SHA256_SIZE);
	bool good = !base64_decode(s, strlen(s), &bytes) && bytes.len == size;

	if (good)
		memcpy(out, bytes.data, size);
	buf_clear(&bytes);
	return good;
}

static int refuse_checksum(const char *text, struct buf *err)
{
	buf_adds(err, "checksum = ");
	text_printable(err, text);
	buf_adds(err, ": crc32c=, sha256= or md5= and the value in base64 or "
		      "hexadecimal");
	return -EINVAL;
}

/* `sha256=...`: the header's name, and its value in f->checksum. */
static int read_checksum(const char *text, struct presign_fields *f,
			 const char **header, struct buf *err)
{
	size_t len = strcspn(text, "=");
	unsigned char bytes[SHA256_SIZE];

	for (size_t i = 0; i < sizeof(checksums) / sizeof(*checksums); i++) {
		const char *value = text + len + 1;

		if (!text[len] || strlen(checksums[i].name) != len ||
		    memcmp(text, checksums[i].name, len))
			continue;
		if (!from_hex(value, checksums[i].size, bytes) &&
		    !from_base64(value, checksums[i].size, bytes))
			break;
		*header = checksums[i].header;
		base64_encode(bytes, checksums[i].size, &f->checksum);
		return buf_err(&f->checksum);
	}
	return refuse_checksum(text, err);
}

/* ---- lengths ---- */

static int check_length(const char *text, const struct store_limits *limits,
			struct buf *err)
{
	uint64_t n;

	if (parse_u64(text, UINT64_MAX, &n)) {
		buf_adds(err, "content-length = ");
		text_printable(err, text);
		buf_adds(err, ": a whole number of bytes");
		return -EINVAL;
	}
	if (n <= limits->put_max)
		return 0;
	buf_addf(err,
		 "content-length = %s: a single PUT has at most %llu bytes; "
		 "larger files go in parts (stagefs presign upload --parts N)",
		 text, (unsigned long long)limits->put_max);
	return -EFBIG;
}

/* ---- one option ---- */

static const char *field_of(const struct presign_request *req,
			    const struct row *row)
{
	const char *value;

	memcpy(&value, (const char *)req + row->offset, sizeof(value));
	return value;
}

static const char *who(enum presign_action action)
{
	static const char *const names[] = {
		[PRESIGN_DOWNLOAD] = "a download", [PRESIGN_UPLOAD] = "uploads",
		[PRESIGN_HEAD] = "HEAD",           [PRESIGN_DELETE] = "DELETE",
		[PRESIGN_PART] = "a part",         [PRESIGN_COMPLETE] = "parts",
		[PRESIGN_ABORT] = "parts",
	};

	return names[action];
}

static void put(struct field *list, size_t *n, const char *name,
		const char *value)
{
	list[(*n)++] = (struct field){ name, value };
}

static int add_header(const struct row *row, const char *value,
		      const struct store_limits *limits,
		      struct presign_fields *f, struct buf *err)
{
	const char *name = row->name;
	int rc = 0;

	if (row->offset == offsetof(struct presign_request, content_length)) {
		rc = check_length(value, limits, err);
	} else if (row->offset == offsetof(struct presign_request, checksum)) {
		rc = read_checksum(value, f, &name, err);
		value = buf_str(&f->checksum);
	}
	if (!rc)
		put(f->headers, &f->n_headers, name, value);
	return rc;
}

/* The server repeats the value in a header of its answer. */
static int add_parameter(const struct row *row, const char *value,
			 struct presign_fields *f, struct buf *err)
{
	const char *fault = !*value                   ? "the value is missing"
			    : text_has_control(value) ? "a control byte"
			    : text_is_ascii(value)
				    ? NULL
				    : "a header has ASCII characters only";

	if (fault) {
		buf_addf(err, "%s: %s", row->name, fault);
		return -EINVAL;
	}
	put(f->query, &f->n_query, row->parameter, value);
	return 0;
}

static int add(const struct presign_request *req, const struct row *row,
	       const char *key, const struct store_limits *limits,
	       struct presign_fields *f, struct buf *err)
{
	const char *value = field_of(req, row);
	unsigned bit = BIT(req->action);
	int rc = 0;

	if (!value)
		return 0;
	if (!(bit & (row->header_of | row->parameter_of))) {
		buf_addf(err, "%s: not for %s", row->name, who(req->action));
		return -EINVAL;
	}
	if (value == req->content_disposition) {
		rc = presign_disposition(value, key, &f->disposition, err);
		value = buf_str(&f->disposition);
	}
	if (rc)
		return rc;
	return bit & row->header_of ? add_header(row, value, limits, f, err)
				    : add_parameter(row, value, f, err);
}

int presign_fields(const struct presign_request *req, const char *key,
		   const struct store_limits *limits, struct presign_fields *f,
		   struct buf *err)
{
	int rc = 0;

	f->n_headers = f->n_query = 0;
	buf_init(&f->disposition, BUF_LINE);
	buf_init(&f->checksum, 64);
	for (size_t i = 0; !rc && i < sizeof(rows) / sizeof(*rows); i++)
		rc = add(req, &rows[i], key, limits, f, err);
	if (!rc && f->n_headers + req->n_headers > PRESIGN_FIELDS_MAX) {
		buf_adds(err, "too many headers");
		rc = -EINVAL;
	}
	for (size_t i = 0; !rc && i < req->n_headers; i++)
		f->headers[f->n_headers++] = req->headers[i];
	return rc;
}

void presign_fields_clear(struct presign_fields *f)
{
	buf_clear(&f->disposition);
	buf_clear(&f->checksum);
}
