/*
 * A server may repeat the request in its message: what looks like a URL or a
 * signature is left out of ours, and the code stands alone.
 */
#include "transfer/transfer_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "client/message.h"
#include "stage/stage.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_error.h"

/* Each request is signed when it is made; its retries need no more. */
#define EXPIRE_S 3600

void transfer_call_clear_remote(struct transfer_remote *r)
{
	stage_unref(r->stage);
	free(r->path);
	free(r->content_type);
	free(r->label);
	transfer_row_clear(&r->row);
	*r = (struct transfer_remote){ 0 };
}

static int copy_row(const char *method, const char *url, const char *headers,
		    struct transfer_row *out)
{
	out->method = strdup(method);
	out->url = strdup(url);
	out->headers = strdup(headers ? headers : "");
	return out->method && out->url && out->headers ? 0 : -ENOMEM;
}

static int sign(const struct transfer_remote *r,
		const struct presign_request *request, struct transfer_row *out,
		struct buf *why)
{
	struct store_presigned p = { 0 };
	int rc = presign(r->stage, r->path, request, &p, why);

	if (!rc)
		rc = copy_row(p.method, p.url, p.header_lines, out);
	else if (!why->len)
		buf_adds(why, strerror(-rc));
	store_presign_clear(&p);
	return rc;
}

int transfer_call_sign(const struct transfer_remote *r,
		       enum presign_action action, const char *checksum,
		       struct transfer_row *out, struct buf *why)
{
	const struct presign_request request = {
		.action = action,
		.expire = EXPIRE_S,
		.content_type =
			action == PRESIGN_UPLOAD ? r->content_type : NULL,
		.checksum = checksum,
	};

	*out = (struct transfer_row){ 0 };
	if (r->stage)
		return sign(r, &request, out, why);
	return copy_row(r->row.method, r->row.url, r->row.headers, out);
}

int transfer_call_sign_part(const struct transfer_remote *r,
			    const char *upload_id, unsigned number,
			    const char *checksum, struct transfer_row *out,
			    struct buf *why)
{
	char text[16];
	const struct presign_request request = {
		.action = PRESIGN_PART,
		.expire = EXPIRE_S,
		.upload_id = upload_id,
		.part_number = text,
		.checksum = checksum,
	};

	*out = (struct transfer_row){ 0 };
	snprintf(text, sizeof(text), "%u", number);
	return sign(r, &request, out, why);
}

int transfer_call_verb(const struct transfer_row *row, enum http_verb *out,
		       struct buf *why)
{
	for (int v = 0; v < HTTP_VERBS; v++) {
		if (!strcmp(row->method, http_verb_name(v))) {
			*out = v;
			return 0;
		}
	}
	buf_addf(why, "the row's method is %s", row->method);
	return -EINVAL;
}

static int add_lines(const char *lines, struct http_wire *wire)
{
	struct buf name = BUF_INIT(HTTP_HEADERS_MAX);
	struct buf value = BUF_INIT(HTTP_HEADERS_MAX);
	int rc = 0;

	while (*lines && !rc) {
		size_t n = strcspn(lines, "\n"), colon = strcspn(lines, ":");

		if (colon < n) {
			const char *at = lines + colon + 1;

			at += *at == ' ';
			buf_reset(&name);
			buf_reset(&value);
			buf_add(&name, lines, colon);
			buf_add(&value, at, lines + n - at);
			rc = http_wire_header(wire, buf_str(&name),
					      buf_str(&value));
		}
		lines += n + (lines[n] == '\n');
	}
	buf_wipe(&name);
	buf_wipe(&value);
	return rc;
}

int transfer_call_prepare(const struct transfer_row *row,
			  struct http_wire *wire)
{
	buf_adds(&wire->url, row->url);
	return add_lines(row->headers, wire);
}

static void read_error(const struct http_reply *reply, struct s3_error_doc *out)
{
	if (s3_doc_error(buf_str(&reply->body), reply->body.len, out))
		memset(out, 0, sizeof(*out));
}

enum http_verdict transfer_call_judge(const struct http_reply *reply)
{
	struct s3_error_doc doc;

	if (reply->err || reply->status < 300)
		return http_judge_default(reply);
	read_error(reply, &doc);
	return s3_error_meaning(reply->status, doc.code, S3_USE_PLAIN).verdict;
}

static bool tells_secrets(const char *s)
{
	return strstr(s, "://") || strcasestr(s, "X-Amz-") ||
	       strcasestr(s, "signature=") || strcasestr(s, "sig=");
}

int transfer_call_outcome(int rc, const struct http_reply *reply,
			  struct buf *why)
{
	struct s3_error_doc doc;

	if (rc) {
		buf_adds(why, rc == -EINTR ? "interrupted"
			      : reply->why ? reply->why
					   : strerror(-rc));
		return rc;
	}
	if (reply->status >= 200 && reply->status < 300)
		return 0;
	read_error(reply, &doc);
	if (*doc.code && !tells_secrets(doc.code)) {
		buf_adds(why, doc.code);
		if (*doc.message && !tells_secrets(doc.message))
			buf_addf(why, ": %s", doc.message);
		buf_addf(why, " (HTTP %ld)", reply->status);
	} else {
		buf_addf(why, "the server answered HTTP %ld", reply->status);
	}
	return s3_error_meaning(reply->status, doc.code, S3_USE_PLAIN).err;
}

bool transfer_call_relocated(const struct transfer_remote *r,
			     const struct http_reply *reply)
{
	struct buf region = BUF_INIT(256), why = BUF_INIT(BUF_MESSAGE);
	struct s3_error_doc doc;
	bool there = false, changed = false;

	if (!r->stage || reply->err || reply->status < 300)
		return false;
	read_error(reply, &doc);
	if (!http_reply_header(reply, "x-amz-bucket-region", &region))
		buf_adds(&region, doc.region);
	if (s3_error_meaning(reply->status, doc.code, S3_USE_PLAIN).fix ==
	    S3_FIX_REGION)
		there = store_relocate(r->stage->store, buf_str(&region),
				       &changed);
	if (changed) {
		buf_addf(
			&why,
			"the bucket is in region %s: set `region`, which saves "
			"a request",
			buf_str(&region));
		message("warning", buf_str(&why));
	}
	buf_clear(&region);
	buf_clear(&why);
	return there;
}

bool transfer_call_wants_md5(const struct transfer_remote *r)
{
	return r->stage &&
	       __atomic_load_n(&r->stage->store->wants_md5, __ATOMIC_RELAXED);
}

bool transfer_call_demands_md5(const struct transfer_remote *r,
			       const struct http_reply *reply)
{
	if (!r->stage || reply->err || reply->status != 400 ||
	    !strcasestr(buf_str(&reply->body), "content-md5"))
		return false;
	__atomic_store_n(&r->stage->store->wants_md5, true, __ATOMIC_RELAXED);
	return true;
}
