/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a file: one extended attribute.
 *
 *   1  version (1; 2 when there are further headers)
 *   1  flags
 *   8  inode, 8 size, 12 mtime: the content that it is bound to (of a folder
 *      the inode alone: its time changes with every name in it)
 *  12  a second mtime (REBOUND): while the time is being changed
 *   n  ETag: 12 random bytes, or (LITERAL) a length and its characters
 *  16  MD5 (MD5)
 *   n  content type: a length and its characters
 *   n  (version 2) further headers: two bytes of length, `name: value` lines
 *   n  metadata, lines of the same form whose names are without their prefix,
 *      to the end
 *
 * Numbers are little-endian. A record without content type has 43 bytes, which
 * an inode of 256 bytes holds: a PUT writes no block for it.
 *
 * A record that is bound to something else is ignored: another program has
 * changed the file, copied it with its attributes, or restored it. Its ETag is
 * then made of inode, size, mtime and ctime; it begins with another letter, and
 * none of ours looks like an MD5.
 */
#include "store/local/local_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"

#define ATTRIBUTE "user.stagefs"
#define RECORD_MAX 8192
#define LINES_MAX 4095 /* a disk has no room for many more */
#define TYPE_MAX 255
#define ID_BYTES 12
#define HEX "0123456789abcdef"

enum record_flag { IMPLIED = 1, HAS_MD5 = 2, LITERAL = 4, REBOUND = 8 };

/* ---- what is kept ---- */

static int record_take_md5(struct local_props *k, const char *value)
{
	BUF_LOCAL sum = BUF_INIT(64);
	int rc = base64_decode(value, strlen(value), &sum);

	if (!rc && sum.len != sizeof(k->md5))
		rc = -EINVAL;
	if (!rc) {
		memcpy(k->md5, sum.data, sizeof(k->md5));
		k->has_md5 = true;
	}
	return rc;
}

int local_record_props(struct local_props *k, const struct store_meta *meta)
{
	struct props all;
	const char *type;
	int rc = props_of_meta(&all, meta);

	k->props.len = 0;
	k->has_md5 = false;
	if (!rc)
		rc = props_add(&k->props, &all, PROP_CONTENT);
	type = props_get(&k->props, PROP_TYPE);
	if (k->props.len > LINES_MAX || (type && strlen(type) > TYPE_MAX))
		rc = -E2BIG;
	for (size_t i = 0; meta && i < meta->n_headers && !rc; i++)
		if (!strcmp(meta->headers[i].name, "content-md5"))
			rc = record_take_md5(k, meta->headers[i].value);
	return rc;
}

/* The MD5 stands in the ETag: "s-ID-MD5". */
static const char *record_etag_md5(const char *etag)
{
	const char *md5 = etag + 3 + 2 * ID_BYTES + 1;

	if (!text_starts_with(etag, "\"s-") ||
	    strlen(etag) != 3 + 2 * ID_BYTES + 1 + 2 * MD5_SIZE + 1 ||
	    strspn(md5, HEX) != 2 * MD5_SIZE)
		return NULL;
	return md5;
}

void local_record_props_of(struct local_props *k,
			   const struct local_record *record)
{
	const char *md5 = record_etag_md5(record->etag);

	k->props = record->props;
	k->has_md5 = md5 && hex_decode(md5, MD5_SIZE, k->md5);
}

void local_record_md5(struct store *s, const struct object_info *info,
		      struct buf *out)
{
	const char *md5 = record_etag_md5(info->etag);

	if (!md5)
		return;
	buf_addc(out, '"');
	buf_add(out, md5, 2 * MD5_SIZE);
	buf_addc(out, '"');
}

/* ---- writing ---- */

static void record_add_number(struct buf *b, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> 8 * i));
}

static void record_add_time(struct buf *b, const struct timespec *t)
{
	record_add_number(b, t->tv_sec, 8);
	record_add_number(b, t->tv_nsec, 4);
}

static void record_add_string(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	record_add_number(b, n, 1);
	buf_add(b, s, n);
}

static bool record_is_meta(const char *name)
{
	return text_starts_with(name, PROP_META);
}

/* Headers that version 1 has no place for. */
static bool record_has_more(const struct props *p)
{
	struct field at = { NULL, NULL };

	while (props_next(p, &at))
		if (!record_is_meta(at.name) && strcmp(at.name, PROP_TYPE) != 0)
			return true;
	return false;
}

static void record_add_lines(struct buf *b, const struct props *p, bool meta)
{
	struct field at = { NULL, NULL };

	while (props_next(p, &at))
		if (record_is_meta(at.name) == meta &&
		    strcmp(at.name, PROP_TYPE) != 0)
			buf_addf(b, "%s: %s\n",
				 at.name + (meta ? strlen(PROP_META) : 0),
				 at.value);
}

static void record_add_props(struct buf *b, const struct props *p)
{
	BUF_LOCAL more = BUF_INIT(LINES_MAX);

	record_add_string(b, props_get(p, PROP_TYPE));
	if (record_has_more(p)) {
		record_add_lines(&more, p, false);
		record_add_number(b, more.len, 2);
		buf_add(b, more.data, more.len);
		if (buf_err(&more) && !b->rc)
			b->rc = buf_err(&more);
	}
	record_add_lines(b, p, true);
}

static void record_add_head(struct buf *b, unsigned flags,
			    const struct stat *st, const struct timespec *other,
			    const struct props *p)
{
	bool dir = S_ISDIR(st->st_mode);
	static const struct timespec never;

	record_add_number(b, record_has_more(p) ? 2 : 1, 1);
	record_add_number(b, flags | (other ? REBOUND : 0), 1);
	record_add_number(b, st->st_ino, 8);
	record_add_number(b, dir ? 0 : st->st_size, 8);
	record_add_time(b, dir ? &never : &st->st_mtim);
	if (other)
		record_add_time(b, other);
}

/* An attribute is written by the mode, not by how the file was opened: of what
 * is closed to its own owner the mode is another for a moment. */
static int record_set(int fd, const struct buf *b, int how)
{
	struct stat st;
	int rc;

	if (!fsetxattr(fd, ATTRIBUTE, b->data, b->len, how))
		return 0;
	if (errno != EACCES || fstat(fd, &st) || st.st_mode & S_IWUSR ||
	    fchmod(fd, (st.st_mode | S_IWUSR) & 07777))
		return -errno;
	rc = fsetxattr(fd, ATTRIBUTE, b->data, b->len, how) ? -errno : 0;
	if (fchmod(fd, st.st_mode & 07777) && !rc)
		rc = -errno;
	return rc;
}

/* how: 0, or XATTR_CREATE. */
static int local_record_put(int fd, struct buf *b, int how)
{
	int rc = buf_err(b);

	if (!rc)
		rc = record_set(fd, b, how);
	if ((rc == -ENOSPC && b->len > 1024) || rc == -EMSGSIZE)
		rc = -E2BIG;
	buf_clear(b);
	return rc;
}

int local_record_write(int fd, const struct stat *st,
		       const struct local_props *k, bool implied, int how,
		       char etag[STORE_ETAG_SIZE])
{
	unsigned flags = (implied ? IMPLIED : 0) | (k->has_md5 ? HAS_MD5 : 0);
	unsigned char id[ID_BYTES];
	char hex[2 * ID_BYTES + 1], sum[2 * MD5_SIZE + 1], room[512];
	struct buf b;

	random_bytes(id, sizeof(id));
	buf_init_on(&b, room, sizeof(room), RECORD_MAX);
	record_add_head(&b, flags, st, NULL, &k->props);
	buf_add(&b, id, sizeof(id));
	if (k->has_md5)
		buf_add(&b, k->md5, sizeof(k->md5));
	record_add_props(&b, &k->props);
	hex_encode(id, sizeof(id), hex);
	hex_encode(k->md5, sizeof(k->md5), sum);
	snprintf(etag, STORE_ETAG_SIZE, k->has_md5 ? "\"s-%s-%s\"" : "\"s-%s\"",
		 hex, sum);
	return local_record_put(fd, &b, how);
}

int local_record_rebind(int fd, const struct stat *st,
			const struct local_record *record,
			struct timespec mtime)
{
	struct buf b;
	char room[512];

	buf_init_on(&b, room, sizeof(room), RECORD_MAX);
	record_add_head(&b, LITERAL, st, &mtime, &record->props);
	record_add_string(&b, record->etag);
	record_add_props(&b, &record->props);
	return local_record_put(fd, &b, 0);
}

void local_record_info(const struct stat *st, const char *etag,
		       struct object_info *out)
{
	*out = (struct object_info){
		.size = S_ISDIR(st->st_mode) ? 0 : st->st_size,
		.mtime = st->st_mtim,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.ctime = st->st_ctim,
	};
	snprintf(out->etag, sizeof(out->etag), "%s", etag);
}

/* ---- reading ---- */

struct reader {
	const unsigned char *p;
	size_t left;
	bool bad;
};

static const unsigned char *record_reader_take(struct reader *r, size_t n)
{
	const unsigned char *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static uint64_t record_reader_number(struct reader *r, unsigned bytes)
{
	const unsigned char *p = record_reader_take(r, bytes);
	uint64_t n = 0;

	for (unsigned i = bytes; p && i--;)
		n = n << 8 | p[i];
	return n;
}

static struct timespec record_reader_instant(struct reader *r)
{
	struct timespec t;

	t.tv_sec = (int64_t)record_reader_number(r, 8);
	t.tv_nsec = record_reader_number(r, 4);
	return t;
}

static bool record_is_bound(struct reader *r, unsigned flags,
			    const struct stat *st)
{
	uint64_t ino = record_reader_number(r, 8),
		 size = record_reader_number(r, 8);
	struct timespec mtime = record_reader_instant(r), other = mtime;

	if (flags & REBOUND)
		other = record_reader_instant(r);
	if (r->bad || ino != st->st_ino)
		return false;
	return S_ISDIR(st->st_mode) || (size == (uint64_t)st->st_size &&
					(clock_is_same(&mtime, &st->st_mtim) ||
					 clock_is_same(&other, &st->st_mtim)));
}

/* A string of at most size - 1 bytes without control bytes: any user who may
 * write to the file may have written the record. */
static void record_reader_string(struct reader *r, char *out, size_t size)
{
	size_t n = record_reader_number(r, 1);
	const unsigned char *p = record_reader_take(r, n);

	out[0] = '\0';
	if (!p || n >= size || memchr(p, '\0', n)) {
		r->bad = true;
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
	if (text_has_control(out))
		r->bad = true;
}

/* One line: false when it is none, or no header of an object's content. */
static bool record_read_line(char *line, const char *prefix, struct props *out)
{
	char name[256], *value = strstr(line, ": ");

	if (!value || value == line)
		return false;
	*value = '\0';
	return snprintf(name, sizeof(name), "%s%s", prefix, line) <
		       (int)sizeof(name) &&
	       props_kind(name) == PROP_CONTENT &&
	       !props_set(out, name, value + 2);
}

/* n bytes, lines of `name: value`. */
static void record_lines(struct reader *r, size_t n, const char *prefix,
			 struct props *out)
{
	const unsigned char *p = record_reader_take(r, n);
	char text[LINES_MAX + 1], *at = text, *end;

	if (!p || n > LINES_MAX || memchr(p, '\0', n)) {
		r->bad = r->bad || n;
		return;
	}
	memcpy(text, p, n);
	text[n] = '\0';
	while (*at && !r->bad) {
		end = strchr(at, '\n');
		if (end)
			*end = '\0';
		if (!end || !record_read_line(at, prefix, out))
			r->bad = true;
		at = end ? end + 1 : at;
	}
}

static bool record_is_quoted(const char *s)
{
	size_t n = strlen(s);

	return n > 2 && s[0] == '"' && strchr(s + 1, '"') == s + n - 1 &&
	       text_is_ascii(s);
}

static void record_read_etag(struct reader *r, unsigned flags, char *out)
{
	char hex[2 * ID_BYTES + 1], sum[2 * MD5_SIZE + 1];
	const unsigned char *p;

	if (flags & LITERAL) {
		record_reader_string(r, out, STORE_ETAG_SIZE);
		if (!record_is_quoted(out))
			r->bad = true;
		return;
	}
	p = record_reader_take(r, ID_BYTES);
	if (!p)
		return;
	hex_encode(p, ID_BYTES, hex);
	p = flags & HAS_MD5 ? record_reader_take(r, MD5_SIZE) : NULL;
	if (p)
		hex_encode(p, MD5_SIZE, sum);
	snprintf(out, STORE_ETAG_SIZE, p ? "\"s-%s-%s\"" : "\"s-%s\"", hex,
		 sum);
}

static void record_foreign_etag(const struct stat *st, char *out)
{
	if (S_ISDIR(st->st_mode))
		snprintf(out, STORE_ETAG_SIZE, "\"d-%llx\"",
			 (unsigned long long)st->st_ino);
	else
		snprintf(out, STORE_ETAG_SIZE,
			 "\"i-%llx-%llx-%llx.%lx-%llx.%lx\"",
			 (unsigned long long)st->st_ino,
			 (unsigned long long)st->st_size,
			 (unsigned long long)st->st_mtim.tv_sec,
			 (unsigned long)st->st_mtim.tv_nsec,
			 (unsigned long long)st->st_ctim.tv_sec,
			 (unsigned long)st->st_ctim.tv_nsec);
}

static void record_read_props(struct reader *r, bool more, struct props *out)
{
	char type[TYPE_MAX + 1];

	record_reader_string(r, type, sizeof(type));
	if (!r->bad && *type && props_set(out, PROP_TYPE, type))
		r->bad = true;
	if (more && !r->bad)
		record_lines(r, record_reader_number(r, 2), "", out);
	if (!r->bad)
		record_lines(r, r->left, PROP_META, out);
}

/* Not all of it: the bytes of props are many, and mean nothing. */
static void record_clear(struct local_record *out)
{
	out->bound = out->implied = false;
	out->etag[0] = '\0';
	out->props.len = 0;
}

static void record_decode(const unsigned char *bytes, ssize_t n,
			  const struct stat *st, struct local_record *out)
{
	struct reader r = { bytes, n > 0 ? n : 0, n <= 0 };
	uint64_t version = record_reader_number(&r, 1);
	unsigned flags = record_reader_number(&r, 1);

	out->bound = record_is_bound(&r, flags, st) &&
		     (version == 1 || version == 2);
	if (out->bound)
		record_read_etag(&r, flags, out->etag);
	if (out->bound)
		record_read_props(&r, version == 2, &out->props);
	if (!out->bound || r.bad) {
		record_clear(out);
		record_foreign_etag(st, out->etag);
		return;
	}
	out->implied = flags & IMPLIED && S_ISDIR(st->st_mode);
}

void local_record_read(int fd, const struct stat *st, struct local_record *out)
{
	unsigned char bytes[RECORD_MAX];

	record_clear(out);
	record_decode(bytes, fgetxattr(fd, ATTRIBUTE, bytes, sizeof(bytes)), st,
		      out);
}

void local_record_read_at(int dir, const char *name, const struct stat *st,
			  struct local_record *out)
{
	unsigned char bytes[RECORD_MAX];
	char path[LOCAL_NAME_SIZE + 32];

	record_clear(out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	record_decode(bytes, lgetxattr(path, ATTRIBUTE, bytes, sizeof(bytes)),
		      st, out);
}
