/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a pre-signed URL: what each becomes, and which layer refuses
 * it.
 *
 * Covers: presign/presign_fields.c
 */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "presign/presign.h"
#include "memstore.h"

#define SHA "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SHA_HEX \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define GIB5 "5368709120"

static const struct field meta[] = { { "x-amz-meta-a", "b c" } };
static const struct field broken[] = { { "x-amz-meta-a", "b\r\nc: d" } };
static const struct field shouted[] = { { "X-Amz-Meta-A", "b" } };
static const struct field spaced[] = { { "x y", "b" } };
static const struct field empty[] = { { "x-amz-meta-a", "" } };
static const struct field padded[] = { { "x-amz-meta-a", "b " } };
static const struct field wide[] = { { "x-amz-meta-a", "\xc3\xa9" } };
static const struct field host[] = { { "host", "other" } };
static const struct field date[] = { { "x-amz-date", "now" } };
static const struct field gzip[] = { { "accept-encoding", "gzip" } };
static const struct field twice[] = { { "a", "1" }, { "a", "2" } };

#define HEADERS(list) .headers = (list), .n_headers = COUNT(list)
#define DOWNLOAD .action = PRESIGN_DOWNLOAD
#define UPLOAD .action = PRESIGN_UPLOAD

static const struct row {
	const char *sentence;
	const char *path;
	struct presign_request req;
	int rc;
	/* In the headers of an upload, the URL of others, or the refusal. */
	const char *tells;
} rows[] = {
	{ "a download's type",
	  "a",
	  { DOWNLOAD, .content_type = "text/csv" },
	  0,
	  "&response-content-type=text%2Fcsv" },
	{ "an upload's type",
	  "a",
	  { UPLOAD, .content_type = "text/csv" },
	  0,
	  "{\"content-type\":\"text/csv\"}" },
	{ "a type with a line break",
	  "a",
	  { UPLOAD, .content_type = "a\r\nb: c" },
	  -EINVAL,
	  "control byte" },
	{ "a download's type with a line break",
	  "a",
	  { DOWNLOAD, .content_type = "a\nb" },
	  -EINVAL,
	  "control byte" },
	{ "a download's type beyond ASCII",
	  "a",
	  { DOWNLOAD, .content_type = "\xc3\xa9" },
	  -EINVAL,
	  "ASCII" },
	{ "a download's empty type",
	  "a",
	  { DOWNLOAD, .content_type = "" },
	  -EINVAL,
	  "missing" },
	{ "a language",
	  "a",
	  { DOWNLOAD, .content_language = "de" },
	  0,
	  "&response-content-language=de" },
	{ "an encoding",
	  "a",
	  { DOWNLOAD, .content_encoding = "gzip" },
	  0,
	  "&response-content-encoding=gzip" },
	{ "Cache-Control",
	  "a",
	  { DOWNLOAD, .cache_control = "no-store" },
	  0,
	  "&response-cache-control=no-store" },
	{ "an upload's Cache-Control",
	  "a",
	  { UPLOAD, .cache_control = "no-store" },
	  0,
	  "{\"cache-control\":\"no-store\"}" },
	{ "Expires",
	  "a",
	  { DOWNLOAD, .http_expires = "Fri, 24 May 2013 00:00:00 GMT" },
	  0,
	  "&response-expires=Fri%2C%2024%20May" },
	{ "HEAD overrides too",
	  "a",
	  { .action = PRESIGN_HEAD, .cache_control = "x" },
	  0,
	  "X-Mem-Method=HEAD&response-cache-control=x" },
	{ "DELETE has no answer to override",
	  "a",
	  { .action = PRESIGN_DELETE, .cache_control = "x" },
	  -EINVAL,
	  "cache-control: not for DELETE" },
	{ "a version",
	  "a",
	  { DOWNLOAD, .version_id = "a/b+c" },
	  0,
	  "&versionId=a%2Fb%2Bc" },
	{ "the version of a DELETE",
	  "a",
	  { .action = PRESIGN_DELETE, .version_id = "v" },
	  0,
	  "X-Mem-Method=DELETE&versionId=v" },
	{ "an upload makes a version, it has none",
	  "a",
	  { UPLOAD, .version_id = "v" },
	  -EINVAL,
	  "version id: not for uploads" },
	{ "a length",
	  "a",
	  { UPLOAD, .content_length = "0" },
	  0,
	  "{\"content-length\":\"0\"}" },
	{ "the longest PUT",
	  "a",
	  { UPLOAD, .content_length = GIB5 },
	  0,
	  "{\"content-length\":\"" GIB5 "\"}" },
	{ "a byte longer",
	  "a",
	  { UPLOAD, .content_length = "5368709121" },
	  -EFBIG,
	  "at most " GIB5 " bytes; larger files go in parts" },
	{ "a length that is none",
	  "a",
	  { UPLOAD, .content_length = "-1" },
	  -EINVAL,
	  "content-length = -1: a whole number" },
	{ "a length beyond 64 bits",
	  "a",
	  { UPLOAD, .content_length = "99999999999999999999" },
	  -EINVAL,
	  "a whole number" },
	{ "a download's length",
	  "a",
	  { DOWNLOAD, .content_length = "1" },
	  -EINVAL,
	  "content-length: not for a download" },
	{ "a checksum in base64",
	  "a",
	  { UPLOAD, .checksum = "sha256=" SHA },
	  0,
	  "{\"x-amz-checksum-sha256\":\"" SHA "\"}" },
	{ "a checksum in hexadecimal",
	  "a",
	  { UPLOAD, .checksum = "sha256=" SHA_HEX },
	  0,
	  "{\"x-amz-checksum-sha256\":\"" SHA "\"}" },
	{ "a CRC-32C",
	  "a",
	  { UPLOAD, .checksum = "crc32c=E3069283" },
	  0,
	  "{\"x-amz-checksum-crc32c\":\"4waSgw==\"}" },
	{ "an MD5",
	  "a",
	  { UPLOAD, .checksum = "md5=d41d8cd98f00b204e9800998ecf8427e" },
	  0,
	  "{\"content-md5\":\"1B2M2Y8AsgTpgAmY7PhCfg==\"}" },
	{ "a checksum that is too short",
	  "a",
	  { UPLOAD, .checksum = "md5=d41d" },
	  -EINVAL,
	  "crc32c=, sha256=" },
	{ "a checksum of no kind",
	  "a",
	  { UPLOAD, .checksum = "sha1=d41d" },
	  -EINVAL,
	  "crc32c=, sha256=" },
	{ "a checksum without a value",
	  "a",
	  { UPLOAD, .checksum = "md5" },
	  -EINVAL,
	  "crc32c=, sha256=" },
	{ "a storage class",
	  "a",
	  { UPLOAD, .storage_class = "GLACIER" },
	  0,
	  "{\"x-amz-storage-class\":\"GLACIER\"}" },
	{ "metadata",
	  "a",
	  { UPLOAD, HEADERS(meta) },
	  0,
	  "{\"x-amz-meta-a\":\"b c\"}" },
	{ "metadata that ends its line",
	  "a",
	  { UPLOAD, HEADERS(broken) },
	  -EINVAL,
	  "x-amz-meta-a: a control byte" },
	{ "a name in capitals",
	  "a",
	  { UPLOAD, HEADERS(shouted) },
	  -EINVAL,
	  "no name of a header" },
	{ "a name with a space",
	  "a",
	  { UPLOAD, HEADERS(spaced) },
	  -EINVAL,
	  "no name of a header" },
	{ "an empty value",
	  "a",
	  { UPLOAD, HEADERS(empty) },
	  -EINVAL,
	  "the value is missing" },
	{ "a value that ends in a space",
	  "a",
	  { UPLOAD, HEADERS(padded) },
	  -EINVAL,
	  "a space" },
	{ "a value beyond ASCII",
	  "a",
	  { UPLOAD, HEADERS(wide) },
	  -EINVAL,
	  "ASCII" },
	{ "the host is not to be chosen",
	  "a",
	  { UPLOAD, HEADERS(host) },
	  -EINVAL,
	  "host: a header that a URL cannot bind" },
	{ "nor the date",
	  "a",
	  { UPLOAD, HEADERS(date) },
	  -EINVAL,
	  "x-amz-date: a header that" },
	{ "nor what proxies rewrite",
	  "a",
	  { DOWNLOAD, HEADERS(gzip) },
	  -EINVAL,
	  "accept-encoding: a header that" },
	{ "a header twice",
	  "a",
	  { UPLOAD, HEADERS(twice) },
	  -EINVAL,
	  "a: given twice" },
	{ "a header and its option",
	  "a",
	  { UPLOAD, .storage_class = "X",
	    .headers = (const struct field[]){ { "x-amz-storage-class", "Y" } },
	    .n_headers = 1 },
	  -EINVAL,
	  "x-amz-storage-class: given twice" },
	{ "HEAD", "a", { .action = PRESIGN_HEAD }, 0, "X-Mem-Method=HEAD" },
	{ "DELETE",
	  "a",
	  { .action = PRESIGN_DELETE },
	  0,
	  "X-Mem-Method=DELETE" },
};

/* Returns the place in which a row's words must stand. */
static const char *place(const struct row *r, int rc, const struct buf *why,
			 const struct store_presigned *p)
{
	if (rc)
		return buf_str(why);
	return r->req.action == PRESIGN_UPLOAD ? p->headers : p->url;
}

static void check(struct stage *s, const struct row *r)
{
	struct presign_request req = r->req;
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	int rc;

	req.expire = 60;
	rc = presign(s, r->path, &req, &p, &why);
	row_number(r->sentence, rc, r->rc);
	if (!strstr(place(r, rc, &why, &p), r->tells))
		fail_msg("%s: %s", r->sentence, place(r, rc, &why, &p));
	store_presign_clear(&p);
	buf_clear(&why);
}

static void options_become_fields(void **state)
{
	struct store *store = memstore_new("s");
	struct stage *s = stage_new("s", STAGE_EXTERNAL, store, "p/", false, 0);

	for (size_t i = 0; i < COUNT(rows); i++)
		check(s, &rows[i]);
	stage_unref(s);
	store_unref(store);
}

static const struct {
	const char *sentence;
	const char *text, *path;
	const char *wanted; /* NULL: refused */
} dispositions[] = {
	{ "attachment has the file's name", "attachment", "d/a b.csv",
	  "attachment; filename=\"a b.csv\"" },
	{ "in any case", "ATTACHMENT", "a", "ATTACHMENT; filename=\"a\"" },
	{ "inline is itself", "inline", "a", "inline" },
	{ "a name that was given", "attachment; filename=\"x.csv\"", "a",
	  "attachment; filename=\"x.csv\"" },
	{ "UTF-8 in the file's name", "attachment", "\xc3\xa9t\xc3\xa9.csv",
	  "attachment; filename=\"_t_.csv\"; "
	  "filename*=UTF-8''%C3%A9t%C3%A9.csv" },
	{ "UTF-8 in a name that was given",
	  "inline; filename=\"\xe4\xb8\xad.csv\"", "a",
	  "inline; filename=\"_.csv\"; filename*=UTF-8''%E4%B8%AD.csv" },
	{ "without its quotes", "attachment;filename=\xe4\xb8\xad.csv", "a",
	  "attachment; filename=\"_.csv\"; filename*=UTF-8''%E4%B8%AD.csv" },
	{ "a quote in the file's name", "attachment", "a\"; b=\"c",
	  "attachment; filename=\"a_; b=_c\"; "
	  "filename*=UTF-8''a%22%3B%20b%3D%22c" },
	{ "a backslash", "attachment", "a\\b",
	  "attachment; filename=\"a_b\"; filename*=UTF-8''a%5Cb" },
	{ "a percent sign", "attachment", "a%41",
	  "attachment; filename=\"a_41\"; filename*=UTF-8''a%2541" },
	{ "a line break in the file's name", "attachment", "a\r\nb: c",
	  "attachment; filename=\"a__b: c\"; "
	  "filename*=UTF-8''a%0D%0Ab%3A%20c" },
	{ "bytes that are no UTF-8", "attachment",
	  "a\xff"
	  "b",
	  "attachment; filename=\"a_b\"" },
	{ "a line break that was given", "attachment\r\nx: y", "a", NULL },
	{ "UTF-8 where no name is", "\xc3\xa9", "a", NULL },
	{ "UTF-8 in two names", "attachment; filename=\"\xc3\xa9\"; x=\"y\"",
	  "a", NULL },
	{ "what is no UTF-8", "attachment; filename=\"\xff\"", "a", NULL },
};

static void names_by_rfc_6266(void **state)
{
	struct store *store = memstore_new("s");
	struct stage *s = stage_new("s", STAGE_EXTERNAL, store, "p/", false, 0);

	for (size_t i = 0; i < COUNT(dispositions); i++) {
		const struct presign_request req = {
			.action = PRESIGN_UPLOAD,
			.expire = 60,
			.content_disposition = dispositions[i].text,
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct buf want = BUF_INIT(BUF_MESSAGE);
		struct store_presigned p;
		int rc = presign(s, dispositions[i].path, &req, &p, &why);

		row_number(dispositions[i].sentence, rc,
			   dispositions[i].wanted ? 0 : -EINVAL);
		if (!rc) {
			buf_addf(&want, "content-disposition: %s\n",
				 dispositions[i].wanted);
			row_equal(dispositions[i].sentence, p.header_lines,
				  buf_str(&want));
		} else {
			row_check(dispositions[i].sentence,
				  strstr(buf_str(&why), "content-dispos"));
		}
		store_presign_clear(&p);
		buf_clear(&why);
		buf_clear(&want);
	}
	stage_unref(s);
	store_unref(store);
}

static const struct {
	const char *url, *wanted;
} cuts[] = {
	{ "https://h/a?b=c&X-Amz-Signature=123", "https://h/a?b=c&X-Amz-"
						 "Signature=..." },
	{ "https://h/a?X-Amz-Security-Token=t%2B&d=e&X-Amz-Signature=1",
	  "https://h/a?X-Amz-Security-Token=...&d=e&X-Amz-Signature=..." },
	{ "https://h/a", "https://h/a" },
	{ "https://h/a?", "https://h/a?" },
};

static void urls_are_cut(void **state)
{
	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct buf out = BUF_INIT(BUF_URL);

		presign_row_cut(cuts[i].url, &out);
		row_equal("cut", buf_str(&out), cuts[i].wanted);
		buf_clear(&out);
	}
}

SUITE(presign_fields)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_fields),
		cmocka_unit_test(names_by_rfc_6266),
		cmocka_unit_test(urls_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
