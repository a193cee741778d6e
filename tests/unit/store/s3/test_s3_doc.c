/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of a server: good ones, odd ones, and garbage.
 *
 * Covers: store/s3/s3_etag.c
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_page.h"
#include "base/xml.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define LIST(inner) \
	XML "<ListBucketResult " \
	    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" inner \
	    "</ListBucketResult>"
#define KEY(k) "<Contents><Key>" k "</Key><Size>1</Size></Contents>"
#define GROUP(p) "<CommonPrefixes><Prefix>" p "</Prefix></CommonPrefixes>"
#define URL "<EncodingType>url</EncodingType>"

/* Entries as "key size etag time|", a group as "key/ P|". */
static void show(const struct s3_page *p, struct buf *out)
{
	buf_reset(out);
	buf_adds(out, "");
	for (unsigned i = 0; i < p->n; i++) {
		const struct s3_entry *e = &p->entries[i];

		if (e->is_prefix)
			buf_addf(out, "%s P|", e->key);
		else
			buf_addf(out, "%s %llu%s|", e->key,
				 (unsigned long long)e->info.size,
				 e->info.etag);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *sentence, *body;
		int rc;
		const char *want, *token;
	} rows[] = {
		{ "an empty bucket", LIST(""), 0, "", NULL },
		{ "keys and groups in one order",
		  LIST(KEY("b") KEY("d") GROUP("a/") GROUP("c/")), 0,
		  "a/ P|b 1|c/ P|d 1|", NULL },
		{ "everything about an object",
		  LIST("<Contents><Key>k</Key><LastModified>2023-06-28T04:13:15"
		       ".178Z</LastModified><ETag>&quot;abc&quot;</ETag>"
		       "<Size>42</Size><StorageClass>STANDARD</StorageClass>"
		       "<Owner><ID>x</ID></Owner></Contents>"),
		  0, "k 42\"abc\"|", NULL },
		{ "an ETag without quotes gets them",
		  LIST("<Contents><Key>k</Key><ETag>abc</ETag><Size>0</Size>"
		       "</Contents>"),
		  0, "k 0\"abc\"|", NULL },
		{ "names are decoded when the answer says so",
		  LIST(URL KEY("a%20b%2Bc") GROUP("d+e%2F")), 0,
		  "a b+c 1|d e/ P|", NULL },
		{ "... and the element may come last",
		  LIST(KEY("%C3%A9%09") URL), 0, "\xc3\xa9\t 1|", NULL },
		{ "names are left alone when it does not", LIST(KEY("a%20b+c")),
		  0, "a%20b+c 1|", NULL },
		{ "a broken escape stays", LIST(URL KEY("100%")), 0, "100% 1|",
		  NULL },
		{ "an encoded NUL stays", LIST(URL KEY("a%00b")), 0, "a%00b 1|",
		  NULL },
		{ "entities and character references",
		  LIST(KEY("a&amp;b&lt;c&#x41;&#66;")), 0, "a&b<cAB 1|", NULL },
		{ "CDATA", LIST(KEY("<![CDATA[a&b]]>")), 0, "a&b 1|", NULL },
		{ "a namespace with a prefix",
		  XML "<s:ListBucketResult xmlns:s=\"x\"><s:Contents><s:Key>k"
		      "</s:Key><s:Size>3</s:Size></s:Contents>"
		      "</s:ListBucketResult>",
		  0, "k 3|", NULL },
		{ "the next page's token",
		  LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>"
		       "t+/=</NextContinuationToken>" KEY("a")),
		  0, "a 1|", "t+/=" },
		{ "truncated without a token: the last name serves",
		  LIST("<IsTruncated>true</IsTruncated>" KEY("a")), 0, "a 1|",
		  NULL },
		{ "truncated without a token or a name",
		  LIST("<IsTruncated>true</IsTruncated>"), -EBADMSG, NULL,
		  NULL },
		{ "an object without a key",
		  LIST("<Contents><Size>1</Size></Contents>"), -EBADMSG, NULL,
		  NULL },
		{ "an object with an empty key", LIST(KEY("")), -EBADMSG, NULL,
		  NULL },
		{ "a group without a name", LIST("<CommonPrefixes/>"), -EBADMSG,
		  NULL, NULL },
		{ "a size that is none",
		  LIST("<Contents><Key>k</Key><Size>-1</Size></Contents>"),
		  -EBADMSG, NULL, NULL },
		{ "a size beyond 63 bits",
		  LIST("<Contents><Key>k</Key><Size>9223372036854775808</Size>"
		       "</Contents>"),
		  -EBADMSG, NULL, NULL },
		{ "no size", LIST(KEY("a") "<Contents><Key>k</Key></Contents>"),
		  -EBADMSG, NULL, NULL },
		{ "a time that is none",
		  LIST("<Contents><Key>k</Key><LastModified>now</LastModified>"
		       "<Size>1</Size></Contents>"),
		  -EBADMSG, NULL, NULL },
		{ "nothing", "", -EBADMSG, NULL, NULL },
		{ "HTML", "<html><body>hello</body></html>", -EBADMSG, NULL,
		  NULL },
		{ "no XML", "{\"a\": 1}", -EBADMSG, NULL, NULL },
		{ "another document", XML "<CopyObjectResult/>", -EBADMSG, NULL,
		  NULL },
		{ "an error", XML "<Error><Code>SlowDown</Code></Error>",
		  -EREMOTEIO, NULL, NULL },
		{ "an end tag that is missing",
		  XML "<ListBucketResult>" KEY("a"), -EBADMSG, NULL, NULL },
		{ "a control byte outside of a name",
		  XML "<ListBucketResult \x01>" KEY("a"), -EBADMSG, NULL,
		  NULL },
		{ "something after the end", LIST("") "<x/>", -EBADMSG, NULL,
		  NULL },
		{ "a document type",
		  "<!DOCTYPE a>"
		  "<ListBucketResult/>",
		  -EBADMSG, NULL, NULL },
		{ "an entity of its own",
		  "<!DOCTYPE a [<!ENTITY x \"boom\">]><ListBucketResult>" KEY(
			  "&x;") "</ListBucketResult>",
		  -EBADMSG, NULL, NULL },
		{ "an external entity",
		  "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
		  "<ListBucketResult>" KEY("&x;") "</ListBucketResult>",
		  -EBADMSG, NULL, NULL },
	};
	struct buf have = BUF_INIT(65536);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct s3_page page;
		int rc = s3_page_list(rows[i].body, strlen(rows[i].body), "",
				      &page);

		row_number(rows[i].sentence, rc, rows[i].rc);
		if (!rc) {
			show(&page, &have);
			row_equal(rows[i].sentence, buf_str(&have),
				  rows[i].want);
			row_equal(rows[i].sentence,
				  page.token ? page.token : "",
				  rows[i].token ? rows[i].token : "");
		}
		s3_page_clear(&page);
	}
	buf_clear(&have);
}

/* Every beginning of a good document is a bad one, and nothing leaks. */
static void truncated(void **state)
{
	static const char body[] =
		LIST(URL "<IsTruncated>true</IsTruncated>"
			 "<NextContinuationToken>t</NextContinuationToken>" KEY(
				 "a%20b") GROUP("c/"));

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		struct s3_page page;

		assert_int_equal(s3_page_list(body, n, "", &page), -EBADMSG);
		s3_page_clear(&page);
	}
}

/* Names as odd servers write them; `other` of an entry behind a '?'. */
static void names(void **state)
{
	static const struct {
		const char *sentence, *prefix, *body, *want;
		unsigned lost;
	} rows[] = {
		{ "a name with a control byte is left out", "",
		  LIST(KEY("a\x01") KEY("b")), "b|", 1 },
		{ "... by a reference too", "",
		  LIST(KEY("a&#1;") KEY("b") KEY("c&#x1F;d") GROUP("e&#0;/")),
		  "b|", 3 },
		{ "... and one that is no UTF-8", "",
		  LIST(KEY("a\xff") KEY("b") KEY("\xed\xa0\x80")), "b|", 2 },
		{ "... which is no name of a good page", "",
		  LIST(KEY("\xf4\x8f\xbf\xbd")), "\xf4\x8f\xbf\xbd|", 0 },
		{ "said to be encoded", "", LIST(URL KEY("a+%41")), "a A|", 0 },
		{ "said, but one of them cannot be", "",
		  LIST(URL KEY("a+b") KEY("c d") GROUP("e+f/")),
		  "a+b|c d|e f/|", 0 },
		{ "said, but the prefix is not", "a%20b/",
		  LIST(URL KEY("a%20b/c+d")), "a%20b/c+d|", 0 },
		{ "encoded, and nothing says so: by the prefix", "a b/",
		  LIST(KEY("a%20b/c%20d") KEY("a%20b/e")), "a b/c d|a b/e|",
		  0 },
		{ "not encoded, and nothing says so: by the prefix", "a+b/",
		  LIST(KEY("a+b/c%20d")), "a+b/c%20d|", 0 },
		{ "not encoded, by another name", "",
		  LIST(KEY("a%20b") KEY("\xc3\xbc")), "a%20b|\xc3\xbc|", 0 },
		{ "perhaps encoded", "", LIST(KEY("a%20b") KEY("c")),
		  "a%20b?a b|c|", 0 },
	};
	struct buf have = BUF_INIT(65536);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct s3_page p;

		row_number(rows[i].sentence,
			   s3_page_list(rows[i].body, strlen(rows[i].body),
					rows[i].prefix, &p),
			   0);
		buf_reset(&have);
		for (unsigned k = 0; k < p.n; k++)
			buf_addf(&have, "%s%s%s|", p.entries[k].key,
				 p.entries[k].other ? "?" : "",
				 p.entries[k].other ? p.entries[k].other : "");
		row_equal(rows[i].sentence, buf_str(&have), rows[i].want);
		row_number(rows[i].sentence, p.lost, rows[i].lost);
		s3_page_clear(&p);
	}
	buf_clear(&have);
}

static void huge(void **state)
{
	struct buf body = BUF_INIT(8 << 20);
	struct s3_page page;

	/* more entries than a page may have */
	buf_adds(&body, "<ListBucketResult>");
	for (int i = 0; i <= S3_PAGE_MAX; i++)
		buf_addf(&body,
			 "<Contents><Key>%05d</Key><Size>1</Size></Contents>",
			 i);
	buf_adds(&body, "</ListBucketResult>");
	assert_int_equal(s3_page_list(body.data, body.len, "", &page),
			 -EBADMSG);
	s3_page_clear(&page);

	/* as many as it may have, in the wrong order */
	buf_reset(&body);
	buf_adds(&body, "<ListBucketResult>");
	for (int i = S3_PAGE_MAX; i; i--)
		buf_addf(&body,
			 "<Contents><Key>%05d</Key><Size>1</Size></Contents>",
			 i);
	buf_adds(&body, "</ListBucketResult>");
	assert_int_equal(s3_page_list(body.data, body.len, "", &page), 0);
	assert_int_equal(page.n, S3_PAGE_MAX);
	assert_string_equal(page.entries[0].key, "00001");
	s3_page_clear(&page);

	/* a text without an end */
	buf_reset(&body);
	buf_adds(&body, "<ListBucketResult><Contents><Key>");
	for (int i = 0; i <= XML_TEXT; i++)
		buf_addc(&body, 'k');
	buf_adds(&body, "</Key></Contents></ListBucketResult>");
	assert_int_equal(s3_page_list(body.data, body.len, "", &page),
			 -EBADMSG);
	s3_page_clear(&page);

	/* elements without an end */
	buf_reset(&body);
	buf_adds(&body, "<ListBucketResult>");
	for (int i = 0; i < 100000; i++)
		buf_adds(&body, "<a>");
	assert_int_equal(s3_page_list(body.data, body.len, "", &page),
			 -EBADMSG);
	s3_page_clear(&page);
	buf_clear(&body);
}

static void errors(void **state)
{
	static const char body[] =
		XML "<Error><Code>AccessDenied</Code><Message>No &amp; no"
		    "</Message><RequestId>r1</RequestId><Region>eu-west-1"
		    "</Region><ServerTime>2013-05-24T00:00:00Z</ServerTime>"
		    "<Other>x</Other></Error>";
	struct s3_error_doc e;
	char big[600];

	assert_int_equal(s3_doc_error(body, sizeof(body) - 1, &e), 0);
	assert_string_equal(e.code, "AccessDenied");
	assert_string_equal(e.message, "No & no");
	assert_string_equal(e.request_id, "r1");
	assert_string_equal(e.region, "eu-west-1");
	assert_string_equal(e.server_time, "2013-05-24T00:00:00Z");
	memset(big, 'x', sizeof(big));
	memcpy(big, "<Error><Code>", 13);
	strcpy(big + sizeof(big) - 16, "</Code></Error>");
	assert_int_equal(s3_doc_error(big, strlen(big), &e), 0);
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
	assert_int_equal(s3_doc_error("<html/>", 7, &e), -EBADMSG);
}

#define PARTS(inner) XML "<ListPartsResult>" inner "</ListPartsResult>"
#define PART(n, size) \
	"<Part><PartNumber>" n "</PartNumber><ETag>&quot;e" n \
	"&quot;</ETag><Size>" size "</Size></Part>"

static void parts(void **state)
{
	static const struct {
		const char *sentence, *body;
		int rc;
		const char *want;
	} rows[] = {
		{ "no parts", PARTS("<UploadId>x</UploadId>"), 0, "" },
		{ "two parts", PARTS(PART("1", "5") PART("10000", "6")), 0,
		  "1 5\"e1\"|10000 6\"e10000\"|" },
		{ "more behind them",
		  PARTS("<IsTruncated>true</IsTruncated>" PART("1", "5")), 0,
		  "1 5\"e1\"|..." },
		{ "an element of that name elsewhere",
		  PARTS("<Owner><PartNumber>7</PartNumber></Owner>"), 0, "" },
		{ "no number", PARTS("<Part><Size>5</Size></Part>"), -EBADMSG,
		  NULL },
		{ "number 0", PARTS(PART("0", "5")), -EBADMSG, NULL },
		{ "a number beyond", PARTS(PART("10001", "5")), -EBADMSG,
		  NULL },
		{ "a size that is none", PARTS(PART("1", "-5")), -EBADMSG,
		  NULL },
		{ "another document", "<html/>", -EBADMSG, NULL },
		{ "an error", "<Error><Code>NoSuchUpload</Code></Error>",
		  -EREMOTEIO, NULL },
	};
	struct s3_parts_doc *doc = malloc(sizeof(*doc));
	struct buf have = BUF_INIT(65536);

	assert_non_null(doc);
	for (size_t i = 0; i < COUNT(rows); i++) {
		row_number(rows[i].sentence,
			   s3_doc_parts(rows[i].body, strlen(rows[i].body),
					doc),
			   rows[i].rc);
		if (rows[i].rc)
			continue;
		buf_reset(&have);
		for (unsigned k = 0; k < doc->n; k++)
			buf_addf(&have, "%u %llu%s|", doc->at[k].number,
				 (unsigned long long)doc->at[k].size,
				 doc->at[k].etag);
		buf_adds(&have, doc->truncated ? "..." : "");
		row_equal(rows[i].sentence, buf_str(&have), rows[i].want);
	}
	/* more than a page may have */
	buf_reset(&have);
	buf_adds(&have, "<ListPartsResult>");
	for (int i = 0; i <= S3_DOC_PARTS_MAX; i++)
		buf_adds(&have, "<Part><PartNumber>1</PartNumber></Part>");
	buf_adds(&have, "</ListPartsResult>");
	row_number("too many", s3_doc_parts(have.data, have.len, doc),
		   -EBADMSG);
	buf_clear(&have);
	free(doc);
}

static void results(void **state)
{
	static const struct {
		const char *sentence, *root, *body;
		int rc;
		const char *etag;
	} rows[] = {
		{ "a completed upload", "CompleteMultipartUploadResult",
		  XML "<CompleteMultipartUploadResult><Location>l</Location>"
		      "<ETag>\"a-3\"</ETag></CompleteMultipartUploadResult>",
		  0, "\"a-3\"" },
		{ "white space before the document",
		  "CompleteMultipartUploadResult",
		  " \n \n<CompleteMultipartUploadResult><ETag>&#34;a&#34;"
		  "</ETag></CompleteMultipartUploadResult>",
		  0, "\"a\"" },
		{ "Ceph's empty ETag", "CompleteMultipartUploadResult",
		  "<CompleteMultipartUploadResult><ETag></ETag>"
		  "</CompleteMultipartUploadResult>",
		  0, "" },
		{ "Ceph's ETag of a copy", "CopyObjectResult",
		  "<CopyObjectResult><LastModified>2013-05-24T00:00:00.000Z"
		  "</LastModified><ETag>abc</ETag></CopyObjectResult>",
		  0, "\"abc\"" },
		{ "an error inside a 200", "CopyObjectResult",
		  XML "<Error><Code>InternalError</Code></Error>", -EREMOTEIO,
		  NULL },
		{ "the answer of another request", "CopyObjectResult",
		  "<CopyPartResult><ETag>abc</ETag></CopyPartResult>", -EBADMSG,
		  NULL },
		{ "an ETag that does not fit is a hash", "CopyObjectResult",
		  "<CopyObjectResult><ETag>"
		  "0123456789012345678901234567890123456789012345678901234567"
		  "890123456789012345678</ETag></CopyObjectResult>",
		  0,
		  "\"sha256-400463e0f3ec0557d62da091aae4d617"
		  "50a160c5c44f9f5023d6ea7a00aaf70e\"" },
		{ "nothing", "CopyObjectResult", "", -EBADMSG, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct s3_result_doc doc;
		int rc = s3_doc_result(rows[i].body, strlen(rows[i].body),
				       rows[i].root, &doc);

		row_number(rows[i].sentence, rc, rows[i].rc);
		if (!rc)
			row_equal(rows[i].sentence, doc.etag, rows[i].etag);
	}
}

static void upload_docs(void **state)
{
	static const char begun[] =
		XML "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k"
		    "</Key><UploadId>id-1</UploadId>"
		    "</InitiateMultipartUploadResult>";
	static const char none[] = "<InitiateMultipartUploadResult/>";
	struct buf id = BUF_INIT(100);

	assert_int_equal(s3_doc_upload_id(begun, sizeof(begun) - 1, &id), 0);
	assert_string_equal(buf_str(&id), "id-1");
	assert_int_equal(s3_doc_upload_id(none, sizeof(none) - 1, &id),
			 -EBADMSG);
	buf_clear(&id);
}

static void on_failed(void *arg, const char *key, const char *code)
{
	buf_addf(arg, "%s=%s|", key, code);
}

static void deleted(void **state)
{
	static const char body[] = XML
		"<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b"
		"</Key><Code>AccessDenied</Code><Message>m</Message></Error>"
		"<Error><Code>InternalError</Code><Key>c&amp;</Key></Error>"
		"</DeleteResult>";
	struct buf have = BUF_INIT(1000);

	assert_int_equal(
		s3_doc_deleted(body, sizeof(body) - 1, on_failed, &have), 0);
	assert_string_equal(buf_str(&have), "b=AccessDenied|c&=InternalError|");
	assert_int_equal(s3_doc_deleted("<DeleteResult>", 14, on_failed, &have),
			 -EBADMSG);
	buf_clear(&have);
}

SUITE(s3_doc)
{
	const struct CMUnitTest tests[] = {
		{ "listings are read, garbage is refused", lists },
		{ "half a listing is garbage", truncated },
		{ "names are read as they are written", names },
		{ "what is too much is refused", huge },
		{ "errors are read", errors },
		{ "results of copies and uploads are read", results },
		{ "parts of an upload are read", parts },
		{ "uploads are read", upload_docs },
		{ "what was not removed is told", deleted },
	};

	return cmocka_run_group_tests_name("s3_doc", tests, NULL, NULL);
}
