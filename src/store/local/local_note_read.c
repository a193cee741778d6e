/*
 * Reading a note.
 *
 * A note that is bound to something else is ignored: another program has
 * changed the file, copied it with its attributes, or restored it. Its ETag is
 * then made of inode, size, mtime and ctime; it begins with another letter, and
 * none of ours looks like an MD5.
 */
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/local/local_note_impl.h"

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

/* One line: false when it is none, or no header of an object's content. */
static bool read_line(char *line, const char *prefix, struct props *out)
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
static void lines(struct reader *r, size_t n, const char *prefix,
		  struct props *out)
{
	const unsigned char *p = take(r, n);
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
		if (!end || !read_line(at, prefix, out))
			r->bad = true;
		at = end ? end + 1 : at;
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

static void read_props(struct reader *r, bool more, struct props *out)
{
	char type[TYPE_MAX + 1];

	string(r, type, sizeof(type));
	if (!r->bad && *type && props_set(out, PROP_TYPE, type))
		r->bad = true;
	if (more && !r->bad)
		lines(r, number(r, 2), "", out);
	if (!r->bad)
		lines(r, r->left, PROP_META, out);
}

/* Not all of it: the bytes of props are many, and mean nothing. */
static void clear_note(struct local_note *out)
{
	out->bound = out->implied = false;
	out->etag[0] = '\0';
	out->props.len = 0;
}

static void decode(const unsigned char *bytes, ssize_t n, const struct stat *st,
		   struct local_note *out)
{
	struct reader r = { bytes, n > 0 ? n : 0, n <= 0 };
	uint64_t version = number(&r, 1);
	unsigned flags = number(&r, 1);

	out->bound = is_bound(&r, flags, st) && (version == 1 || version == 2);
	if (out->bound)
		read_etag(&r, flags, out->etag);
	if (out->bound)
		read_props(&r, version == 2, &out->props);
	if (!out->bound || r.bad) {
		clear_note(out);
		foreign_etag(st, out->etag);
		return;
	}
	out->implied = flags & IMPLIED && S_ISDIR(st->st_mode);
}

void local_note_read(int fd, const struct stat *st, struct local_note *out)
{
	unsigned char bytes[NOTE_MAX];

	clear_note(out);
	decode(bytes, fgetxattr(fd, ATTRIBUTE, bytes, sizeof(bytes)), st, out);
}

void local_note_read_at(int dir, const char *name, const struct stat *st,
			struct local_note *out)
{
	unsigned char bytes[NOTE_MAX];
	char path[LOCAL_NAME_SIZE + 32];

	clear_note(out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	decode(bytes, lgetxattr(path, ATTRIBUTE, bytes, sizeof(bytes)), st,
	       out);
}
