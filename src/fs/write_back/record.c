/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   0  magic      4  checksum of all that follows
 *   8  length    12  kind
 *  16  seq       24  id
 *  32  numbers of eight bytes, little-endian; strings, each behind its length
 *
 * The length counts all of it, with the zeros at its end.
 */
#include "fs/write_back/record.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

#define MAGIC 0x4a424773u /* sGBJ */
#define CHECKED 8 /* where the checksum begins */

/* ---- writing ---- */

static void record_put32(struct buf *out, uint32_t n)
{
	n = htole32(n);
	buf_add(out, &n, sizeof(n));
}

static void record_put(struct buf *out, uint64_t n)
{
	n = htole64(n);
	buf_add(out, &n, sizeof(n));
}

static void record_put_bytes(struct buf *out, const void *bytes, size_t n)
{
	record_put(out, n);
	buf_add(out, bytes, n);
}

static void record_put_string(struct buf *out, const char *s)
{
	record_put_bytes(out, s ? s : "", s ? strlen(s) + 1 : 1);
}

static void record_put_times(struct buf *out, const struct seal *s)
{
	record_put(out, (uint64_t)s->mtime.tv_sec);
	record_put(out, (uint64_t)s->mtime.tv_nsec);
	record_put(out, (uint64_t)s->atime.tv_sec);
	record_put(out, (uint64_t)s->atime.tv_nsec);
}

static void record_put_seal(struct buf *out, const struct seal *s)
{
	record_put(out, s->size);
	record_put(out, s->has_base);
	record_put(out, s->base_limit);
	record_put(out, s->base_size);
	record_put_string(out, s->base_etag);
	record_put_string(out, s->base_key);
	record_put(out, s->replaces);
	record_put_times(out, s);
	record_put(out, s->n);
	for (size_t k = 0; k < s->n; k++) {
		record_put(out, s->extents[k].start);
		record_put(out, s->extents[k].end);
	}
	record_put(out, s->props ? 1 + s->props_beside : 0);
	record_put_bytes(out, s->props ? s->props : "", s->props_len);
	record_put_bytes(out, s->bytes, s->len);
}

static void record_put_body(const struct record *r, struct buf *out)
{
	if (r->kind == RECORD_GONE)
		return;
	record_put_string(out, r->key);
	if (r->kind == RECORD_ENDING)
		record_put_string(out, r->ending);
	if (r->kind == RECORD_MOVE || r->kind == RECORD_ENDING)
		return;
	record_put_string(out, r->stage);
	record_put_string(out, r->place);
	record_put(out, r->skip);
	record_put(out, r->mode);
	record_put(out, r->uid);
	record_put(out, r->gid);
	if (r->kind == RECORD_DIR) {
		record_put_times(out, &r->seal);
	} else {
		record_put_string(out, r->data);
		record_put_seal(out, &r->seal);
	}
}

int record_write(const struct record *r, struct buf *out)
{
	size_t start = out->len, len;
	uint32_t n;

	record_put32(out, MAGIC);
	record_put32(out, 0);
	record_put32(out, 0);
	record_put32(out, r->kind);
	record_put(out, r->seq);
	record_put(out, r->id);
	record_put_body(r, out);
	while (!buf_err(out) && (out->len - start) % RECORD_ALIGN)
		buf_addc(out, '\0');
	if (buf_err(out))
		return buf_err(out);
	len = out->len - start;
	if (len > RECORD_MAX) {
		buf_truncate(out, start);
		return -EMSGSIZE;
	}
	n = htole32((uint32_t)len);
	memcpy(out->data + start + 8, &n, sizeof(n));
	n = htole32(crc32c(0, out->data + start + CHECKED, len - CHECKED));
	memcpy(out->data + start + 4, &n, sizeof(n));
	return 0;
}

/* ---- reading ---- */

/* What is left of a record. */
struct record_rest {
	const char *at;
	size_t n;
	bool bad;
};

static uint32_t record_get32(const char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return le32toh(n);
}

static uint64_t record_get(struct record_rest *r)
{
	uint64_t n = 0;

	if (r->n < sizeof(n)) {
		r->bad = true;
		return 0;
	}
	memcpy(&n, r->at, sizeof(n));
	r->at += sizeof(n);
	r->n -= sizeof(n);
	return le64toh(n);
}

static const char *record_get_bytes(struct record_rest *r, size_t *len)
{
	uint64_t n = record_get(r);
	const char *at = r->at;

	if (r->bad || n > r->n) {
		r->bad = true;
		*len = 0;
		return "";
	}
	r->at += n;
	r->n -= n;
	*len = n;
	return at;
}

static const char *record_get_string(struct record_rest *r)
{
	size_t n;
	const char *s = record_get_bytes(r, &n);

	if (!n || s[n - 1] || memchr(s, '\0', n - 1)) {
		r->bad = true;
		return "";
	}
	return s;
}

static int record_get_extents(struct record_rest *r, struct seal *s,
			      struct extent **out)
{
	uint64_t n = record_get(r), end = 0;

	if (r->bad || n > r->n / 16) {
		r->bad = true;
		return 0;
	}
	*out = n ? calloc(n, sizeof(**out)) : NULL;
	if (n && !*out)
		return -ENOMEM;
	for (uint64_t k = 0; k < n; k++) {
		struct extent e = { .start = record_get(r) };

		e.end = record_get(r);
		r->bad |= e.start < end || e.end <= e.start || e.end > s->size;
		end = e.end;
		(*out)[k] = e;
	}
	s->extents = *out;
	s->n = n;
	return 0;
}

static void record_get_times(struct record_rest *r, struct seal *s)
{
	s->mtime.tv_sec = (time_t)record_get(r);
	s->mtime.tv_nsec = (long)record_get(r);
	s->atime.tv_sec = (time_t)record_get(r);
	s->atime.tv_nsec = (long)record_get(r);
}

static int record_get_seal(struct record_rest *r, struct seal *s,
			   struct extent **extents)
{
	uint64_t how;
	int rc;

	s->size = record_get(r);
	s->has_base = record_get(r);
	s->base_limit = record_get(r);
	s->base_size = record_get(r);
	s->base_etag = record_get_string(r);
	s->base_key = record_get_string(r);
	s->replaces = record_get(r);
	record_get_times(r, s);
	rc = record_get_extents(r, s, extents);
	how = record_get(r);
	s->props = record_get_bytes(r, &s->props_len);
	s->props_beside = how == 2;
	if (!how)
		s->props = NULL;
	s->bytes = record_get_bytes(r, &s->len);
	return rc;
}

static int record_get_body(struct record_rest *r, struct record *out,
			   struct extent **extents)
{
	if (out->kind == RECORD_GONE)
		return 0;
	out->key = record_get_string(r);
	if (out->kind == RECORD_ENDING)
		out->ending = record_get_string(r);
	if (out->kind == RECORD_MOVE || out->kind == RECORD_ENDING)
		return 0;
	out->stage = record_get_string(r);
	out->place = record_get_string(r);
	out->skip = record_get(r);
	r->bad |= out->skip > strlen(out->key);
	out->mode = (uint32_t)record_get(r);
	out->uid = (uint32_t)record_get(r);
	out->gid = (uint32_t)record_get(r);
	/* Older ones end here, but for what fills them up. */
	if (out->kind == RECORD_DIR && r->n >= RECORD_ALIGN)
		record_get_times(r, &out->seal);
	if (out->kind == RECORD_DIR)
		return 0;
	out->data = record_get_string(r);
	return record_get_seal(r, &out->seal, extents);
}

size_t record_length(const void *head)
{
	const char *at = head;
	uint32_t len = record_get32(at + 8), kind = record_get32(at + 12);

	if (record_get32(at) != MAGIC || len < RECORD_HEAD ||
	    len > RECORD_MAX || len % RECORD_ALIGN || kind < RECORD_FILE ||
	    kind > RECORD_ENDING)
		return 0;
	return len;
}

void record_set_gone(void *bytes)
{
	char *at = bytes;
	size_t len = record_length(at);
	uint32_t n = htole32(RECORD_GONE);

	memcpy(at + 12, &n, sizeof(n));
	n = htole32(crc32c(0, at + CHECKED, len - CHECKED));
	memcpy(at + 4, &n, sizeof(n));
}

long record_read(const void *bytes, size_t n, struct record *out,
		 struct extent **extents)
{
	const char *at = bytes;
	size_t len = n < RECORD_HEAD ? 0 : record_length(at);
	struct record_rest r = { .at = at + 16, .n = len ? len - 16 : 0 };
	int rc;

	*extents = NULL;
	if (!len || len > n ||
	    record_get32(at + 4) != crc32c(0, at + CHECKED, len - CHECKED))
		return 0;
	*out = (struct record){ .kind = record_get32(at + 12) };
	out->seq = record_get(&r);
	out->id = record_get(&r);
	rc = record_get_body(&r, out, extents);
	if (!rc && !r.bad)
		return (long)len;
	free(*extents);
	*extents = NULL;
	return rc;
}
