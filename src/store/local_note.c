/*
 * What is kept with a file: one extended attribute, `user.stagefs`.
 *
 *   1  version (1)
 *   1  flags
 *   8  inode, 8 size, 12 mtime: the content that it is bound to (of a folder
 *      the inode alone: its time changes with every name in it)
 *  12  a second mtime (REBOUND): while the time is being changed
 *   n  ETag: 12 random bytes, or (LITERAL) a length and its characters
 *  16  MD5 (MD5)
 *   n  content type: a length and its characters
 *   n  metadata, `name: value` lines, to the end
 *
 * Numbers are little-endian. A note without content type has 43 bytes, which
 * an inode of 256 bytes holds: a PUT writes no block for it.
 *
 * A note that is bound to something else is ignored: another program has
 * changed the file, copied it with its attributes, or restored it. Its ETag is
 * then made of inode, size, mtime and ctime; it begins with another letter, and
 * none of ours looks like an MD5.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/local_impl.h"

#define ATTRIBUTE "user.stagefs"
#define NOTE_MAX 8192
#define NOTE_VERSION 1
#define ID_BYTES 12

enum note_flag { IMPLIED = 1, HAS_MD5 = 2, LITERAL = 4, REBOUND = 8 };

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
	int err = 0;

	*k = (struct local_kept){ 0 };
	buf_init(&k->metadata, STORE_METADATA_SIZE - 1);
	if (!meta)
		return 0;
	k->content_type = meta->content_type;
	for (size_t i = 0; i < meta->n_headers && !err; i++) {
		const struct field *h = &meta->headers[i];

		if (!strcmp(h->name, "content-md5"))
			err = take_md5(k, h->value);
		else if (text_starts_with(h->name, STORE_METADATA_PREFIX) &&
			 !text_has_control(h->name) &&
			 !text_has_control(h->value))
			buf_addf(&k->metadata, "%s: %s\n",
				 h->name + strlen(STORE_METADATA_PREFIX),
				 h->value);
	}
	if (!err)
		err = buf_err(&k->metadata) == -EMSGSIZE
			      ? -E2BIG
			      : buf_err(&k->metadata);
	if (err)
		local_kept_clear(k);
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

int local_kept_of(struct local_kept *k, const struct local_note *note)
{
	const char *md5 = etag_md5(note->etag);

	*k = (struct local_kept){ .content_type = note->content_type };
	buf_init(&k->metadata, STORE_METADATA_SIZE - 1);
	buf_adds(&k->metadata, note->metadata);
	for (size_t i = 0; md5 && i < MD5_SIZE; i++)
		k->md5[i] =
			hex_digit(md5[2 * i]) << 4 | hex_digit(md5[2 * i + 1]);
	k->has_md5 = md5;
	return buf_err(&k->metadata);
}

void local_kept_clear(struct local_kept *k)
{
	buf_clear(&k->metadata);
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

/* ---- reading ---- */

struct reader {
	const unsigned char *p;
	size_t left;
	bool bad;
};

static const unsigned char *take(struct reader *r, size_t n)
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

static uint64_t number(struct reader *r, unsigned bytes)
{
	const unsigned char *p = take(r, bytes);
	uint64_t n = 0;

	for (unsigned i = bytes; p && i--;)
		n = n << 8 | p[i];
	return n;
}

static struct timespec instant(struct reader *r)
{
	struct timespec t;

	t.tv_sec = (int64_t)number(r, 8);
	t.tv_nsec = number(r, 4);
	return t;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_bound(struct reader *r, unsigned flags, const struct stat *st)
{
	uint64_t ino = number(r, 8), size = number(r, 8);
	struct timespec mtime = instant(r), other = mtime;

	if (flags & REBOUND)
		other = instant(r);
	if (r->bad || ino != st->st_ino)
		return false;
	return S_ISDIR(st->st_mode) || (size == (uint64_t)st->st_size &&
					(same_time(&mtime, &st->st_mtim) ||
					 same_time(&other, &st->st_mtim)));
}

/* A string of at most size - 1 bytes without control bytes: who may write to
 * the file may have written the note. */
static void string(struct reader *r, char *out, size_t size)
{
	size_t n = number(r, 1);
	const unsigned char *p = take(r, n);

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

/* Lines of `name: value`. */
static void lines(struct reader *r, char *out, size_t size)
{
	size_t n = r->left, len;
	const unsigned char *p = take(r, n);

	if (!p || n >= size || memchr(p, '\0', n)) {
		r->bad = r->bad || n;
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
	for (const char *s = out; *s; s += len + 1) {
		len = strcspn(s, "\n");
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
				r->bad = true;
		if (!s[len] || !memchr(s, ':', len)) {
			r->bad = true;
			return;
		}
	}
}

static bool is_quoted(const char *s)
{
	size_t n = strlen(s);

	return n > 2 && s[0] == '"' && strchr(s + 1, '"') == s + n - 1 &&
	       text_is_ascii(s);
}

static void read_etag(struct reader *r, unsigned flags, char *out)
{
	char hex[2 * ID_BYTES + 1], sum[2 * MD5_SIZE + 1];
	const unsigned char *p;

	if (flags & LITERAL) {
		string(r, out, STORE_ETAG_SIZE);
		if (!is_quoted(out))
			r->bad = true;
		return;
	}
	p = take(r, ID_BYTES);
	if (!p)
		return;
	hex_encode(p, ID_BYTES, hex);
	p = flags & HAS_MD5 ? take(r, MD5_SIZE) : NULL;
	if (p)
		hex_encode(p, MD5_SIZE, sum);
	snprintf(out, STORE_ETAG_SIZE, p ? "\"s-%s-%s\"" : "\"s-%s\"", hex,
		 sum);
}

static void foreign_etag(const struct stat *st, char *out)
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

static void decode(const unsigned char *bytes, ssize_t n, const struct stat *st,
		   struct local_note *out)
{
	struct reader r = { bytes, n > 0 ? n : 0, n <= 0 };
	bool version = number(&r, 1) == NOTE_VERSION;
	unsigned flags = number(&r, 1);

	out->bound = is_bound(&r, flags, st) && version;
	if (out->bound)
		read_etag(&r, flags, out->etag);
	if (out->bound)
		string(&r, out->content_type, sizeof(out->content_type));
	if (out->bound)
		lines(&r, out->metadata, sizeof(out->metadata));
	if (!out->bound || r.bad) {
		*out = (struct local_note){ 0 };
		foreign_etag(st, out->etag);
		return;
	}
	out->implied = flags & IMPLIED && S_ISDIR(st->st_mode);
}

void local_note_read(int fd, const struct stat *st, struct local_note *out)
{
	unsigned char bytes[NOTE_MAX];

	*out = (struct local_note){ 0 };
	decode(bytes, fgetxattr(fd, ATTRIBUTE, bytes, sizeof(bytes)), st, out);
}

void local_note_read_at(int dir, const char *name, const struct stat *st,
			struct local_note *out)
{
	unsigned char bytes[NOTE_MAX];
	char path[LOCAL_NAME_SIZE + 32];

	*out = (struct local_note){ 0 };
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	decode(bytes, lgetxattr(path, ATTRIBUTE, bytes, sizeof(bytes)), st,
	       out);
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

static void add_head(struct buf *b, unsigned flags, const struct stat *st,
		     const struct timespec *other)
{
	bool dir = S_ISDIR(st->st_mode);
	static const struct timespec never;

	add_number(b, NOTE_VERSION, 1);
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
	if (err == -ENOSPC && b->len > 1024)
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
	add_head(&b, flags, st, NULL);
	buf_add(&b, id, sizeof(id));
	if (k->has_md5)
		buf_add(&b, k->md5, sizeof(k->md5));
	add_string(&b, k->content_type);
	buf_add(&b, k->metadata.data, k->metadata.len);
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
	add_head(&b, LITERAL, st, &mtime);
	add_string(&b, note->etag);
	add_string(&b, note->content_type);
	buf_adds(&b, note->metadata);
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
	};
	snprintf(out->etag, sizeof(out->etag), "%s", etag);
}
