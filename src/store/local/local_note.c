/*
 * What is kept with a file: one extended attribute, whose form stands in
 * local_note_impl.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/local/local_note_impl.h"

/* ---- what is kept ---- */

static int take_md5(struct local_kept *k, const char *value)
{
	struct buf sum = BUF_INIT(64);
	int err = base64_decode(value, strlen(value), &sum);

	if (!err && sum.len != sizeof(k->md5))
		err = -EINVAL;
	if (!err) {
		memcpy(k->md5, sum.data, sizeof(k->md5));
		k->has_md5 = true;
	}
	buf_clear(&sum);
	return err;
}

int local_kept_init(struct local_kept *k, const struct store_meta *meta)
{
	struct props all;
	const char *type;
	int err = props_of_meta(&all, meta);

	k->props.len = 0;
	k->has_md5 = false;
	if (!err)
		err = props_add(&k->props, &all, PROP_CONTENT);
	type = props_get(&k->props, PROP_TYPE);
	if (k->props.len > LINES_MAX || (type && strlen(type) > TYPE_MAX))
		err = -E2BIG;
	for (size_t i = 0; meta && i < meta->n_headers && !err; i++)
		if (!strcmp(meta->headers[i].name, "content-md5"))
			err = take_md5(k, meta->headers[i].value);
	return err;
}

#define HEX "0123456789abcdef"

/* The MD5 stands in the ETag: "s-ID-MD5". */
static const char *etag_md5(const char *etag)
{
	const char *md5 = etag + 3 + 2 * ID_BYTES + 1;

	if (!text_starts_with(etag, "\"s-") ||
	    strlen(etag) != 3 + 2 * ID_BYTES + 1 + 2 * MD5_SIZE + 1 ||
	    strspn(md5, HEX) != 2 * MD5_SIZE)
		return NULL;
	return md5;
}

static unsigned char hex_digit(char c)
{
	return (unsigned char)(strchr(HEX, c) - HEX);
}

void local_kept_of(struct local_kept *k, const struct local_note *note)
{
	const char *md5 = etag_md5(note->etag);

	k->props = note->props;
	for (size_t i = 0; md5 && i < MD5_SIZE; i++)
		k->md5[i] =
			hex_digit(md5[2 * i]) << 4 | hex_digit(md5[2 * i + 1]);
	k->has_md5 = md5;
}

void local_md5(struct store *s, const struct object_info *info, struct buf *out)
{
	const char *md5 = etag_md5(info->etag);

	if (!md5)
		return;
	buf_addc(out, '"');
	buf_add(out, md5, 2 * MD5_SIZE);
	buf_addc(out, '"');
}

/* ---- writing ---- */

static void add_number(struct buf *b, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> 8 * i));
}

static void add_time(struct buf *b, const struct timespec *t)
{
	add_number(b, t->tv_sec, 8);
	add_number(b, t->tv_nsec, 4);
}

static void add_string(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	add_number(b, n, 1);
	buf_add(b, s, n);
}

static bool is_meta(const char *name)
{
	return text_starts_with(name, PROP_META);
}

/* Headers that version 1 has no place for. */
static bool has_more(const struct props *p)
{
	struct field at = { NULL, NULL };

	while (props_next(p, &at))
		if (!is_meta(at.name) && strcmp(at.name, PROP_TYPE) != 0)
			return true;
	return false;
}

static void add_lines(struct buf *b, const struct props *p, bool meta)
{
	struct field at = { NULL, NULL };

	while (props_next(p, &at))
		if (is_meta(at.name) == meta && strcmp(at.name, PROP_TYPE) != 0)
			buf_addf(b, "%s: %s\n",
				 at.name + (meta ? strlen(PROP_META) : 0),
				 at.value);
}

static void add_props(struct buf *b, const struct props *p)
{
	struct buf more = BUF_INIT(LINES_MAX);

	add_string(b, props_get(p, PROP_TYPE));
	if (has_more(p)) {
		add_lines(&more, p, false);
		add_number(b, more.len, 2);
		buf_add(b, more.data, more.len);
		if (buf_err(&more) && !b->err)
			b->err = buf_err(&more);
	}
	add_lines(b, p, true);
	buf_clear(&more);
}

static void add_head(struct buf *b, unsigned flags, const struct stat *st,
		     const struct timespec *other, const struct props *p)
{
	bool dir = S_ISDIR(st->st_mode);
	static const struct timespec never;

	add_number(b, has_more(p) ? 2 : 1, 1);
	add_number(b, flags | (other ? REBOUND : 0), 1);
	add_number(b, st->st_ino, 8);
	add_number(b, dir ? 0 : st->st_size, 8);
	add_time(b, dir ? &never : &st->st_mtim);
	if (other)
		add_time(b, other);
}

/* An attribute is written by the mode, not by how the file was opened: of what
 * is closed to its own owner the mode is another for a moment. */
static int set_attribute(int fd, const struct buf *b, int how)
{
	struct stat st;
	int err;

	if (!fsetxattr(fd, ATTRIBUTE, b->data, b->len, how))
		return 0;
	if (errno != EACCES || fstat(fd, &st) || st.st_mode & S_IWUSR ||
	    fchmod(fd, (st.st_mode | S_IWUSR) & 07777))
		return -errno;
	err = fsetxattr(fd, ATTRIBUTE, b->data, b->len, how) ? -errno : 0;
	if (fchmod(fd, st.st_mode & 07777) && !err)
		err = -errno;
	return err;
}

/* how: 0, or XATTR_CREATE. */
static int put_note(int fd, struct buf *b, int how)
{
	int err = buf_err(b);

	if (!err)
		err = set_attribute(fd, b, how);
	if ((err == -ENOSPC && b->len > 1024) || err == -EMSGSIZE)
		err = -E2BIG;
	buf_clear(b);
	return err;
}

int local_note_write(int fd, const struct stat *st, const struct local_kept *k,
		     bool implied, int how, char etag[STORE_ETAG_SIZE])
{
	unsigned flags = (implied ? IMPLIED : 0) | (k->has_md5 ? HAS_MD5 : 0);
	unsigned char id[ID_BYTES];
	char hex[2 * ID_BYTES + 1], sum[2 * MD5_SIZE + 1], room[512];
	struct buf b;

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		return -EIO;
	buf_init_on(&b, room, sizeof(room), NOTE_MAX);
	add_head(&b, flags, st, NULL, &k->props);
	buf_add(&b, id, sizeof(id));
	if (k->has_md5)
		buf_add(&b, k->md5, sizeof(k->md5));
	add_props(&b, &k->props);
	hex_encode(id, sizeof(id), hex);
	hex_encode(k->md5, sizeof(k->md5), sum);
	snprintf(etag, STORE_ETAG_SIZE, k->has_md5 ? "\"s-%s-%s\"" : "\"s-%s\"",
		 hex, sum);
	return put_note(fd, &b, how);
}

int local_note_rebind(int fd, const struct stat *st,
		      const struct local_note *note, struct timespec mtime)
{
	struct buf b;
	char room[512];

	buf_init_on(&b, room, sizeof(room), NOTE_MAX);
	add_head(&b, LITERAL, st, &mtime, &note->props);
	add_string(&b, note->etag);
	add_props(&b, &note->props);
	return put_note(fd, &b, 0);
}

void local_info(const struct stat *st, const char *etag,
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
