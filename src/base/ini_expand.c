/*
 * References in values: where a secret really is. They are replaced once; what
 * they bring is never looked at again, so a secret may contain `${`.
 */
#include "base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"

int file_private(const struct stat *st, struct buf *err)
{
	mode_t closed = st->st_uid ? 077 : 037; /* root's group may read it */
	unsigned mode = st->st_mode & 07777;

	if (st->st_uid && st->st_uid != geteuid()) {
		buf_addf(err,
			 "it holds a secret but belongs to user %u, "
			 "neither root nor you",
			 (unsigned)st->st_uid);
		return -EPERM;
	}
	if (mode & closed) {
		buf_addf(err,
			 "it holds a secret but is open to others "
			 "(mode %04o): chmod 600",
			 mode);
		return -EPERM;
	}
	return 0;
}

static int expand_env(const char *name, struct buf *out, struct buf *err)
{
	const char *value = getenv(name);

	if (!value) {
		buf_adds(err, "it is not set");
		return -ENOENT;
	}
	buf_adds(out, value);
	return 0;
}

/* All of a file of at most BUF_LINE bytes, less one line end. */
static int read_secret(int fd, struct buf *out, struct buf *err)
{
	struct buf text = BUF_INIT(BUF_LINE + 3); /* "\r\n", and one too many */
	int rc = io_read_all(fd, &text);

	if (rc && rc != -EMSGSIZE) {
		buf_adds(err, strerrordesc_np(-rc));
		buf_wipe(&text);
		return rc;
	}
	if (text_ends_with(buf_str(&text), "\r\n"))
		buf_truncate(&text, text.len - 2);
	else if (text_ends_with(buf_str(&text), "\n"))
		buf_truncate(&text, text.len - 1);
	if (text.len > BUF_LINE || memchr(text.data, '\0', text.len)) {
		buf_adds(err, text.len > BUF_LINE
				      ? "it has more than 16384 bytes"
				      : "it has a NUL byte in it");
		buf_wipe(&text);
		return -EINVAL;
	}
	buf_add(out, text.data, text.len);
	buf_wipe(&text);
	return 0;
}

static int expand_file(const char *path, struct buf *out, struct buf *err)
{
	struct stat st;
	int result, fd;

	if (*path != '/') {
		buf_adds(err, "a file's path must begin with `/`");
		return -EINVAL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		result = -errno;
		buf_adds(err, strerrordesc_np(-result));
	} else if (!S_ISREG(st.st_mode)) {
		result = -EINVAL;
		buf_adds(err, "it is not a regular file");
	} else {
		result = file_private(&st, err);
		if (!result)
			result = read_secret(fd, out, err);
	}
	if (fd >= 0)
		close(fd);
	return result;
}

static const struct {
	const char *kind;
	int (*expand)(const char *what, struct buf *out, struct buf *err);
} kinds[] = {
	{ "env:", expand_env },
	{ "file:", expand_file },
};

/*
 * One reference, without its `${` and `}`. One of no known kind is not shown:
 * it may be a piece of a secret.
 */
static int expand_one(const char *reference, struct buf *out, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int result;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].kind);

		if (strncmp(reference, kinds[i].kind, n))
			continue;
		result = kinds[i].expand(reference + n, out, &why);
		if (result) {
			buf_adds(err, "${");
			text_one_line(err, reference);
			buf_addf(err, "}: %s", buf_str(&why));
		}
		buf_clear(&why);
		return result;
	}
	buf_adds(err, "a `${` that is neither ${env:NAME} nor ${file:PATH} "
		      "(`$${` is a literal one)");
	return -EINVAL;
}

/* Expands the reference at s, a `${`; *next is what follows it. */
static int expand_at(const char *s, struct buf *out, struct buf *err,
		     const char **next)
{
	const char *end = strchr(s, '}');
	char *reference;
	int result;

	if (!end) {
		buf_adds(err,
			 "a `${` without its `}` (`$${` is a literal one)");
		return -EINVAL;
	}
	reference = strndup(s + 2, (size_t)(end - s - 2));
	if (!reference)
		return -ENOMEM;
	result = expand_one(reference, out, err);
	free(reference);
	*next = end + 1;
	return result;
}

int ini_expand(const char *value, struct buf *out, struct buf *err)
{
	int result = 0;

	while (*value && !result) {
		if (text_starts_with(value, "$${")) {
			buf_adds(out, "${");
			value += 3;
		} else if (text_starts_with(value, "${")) {
			result = expand_at(value, out, err, &value);
		} else {
			buf_addc(out, *value++);
		}
	}
	if (!result && buf_err(out)) {
		result = buf_err(out);
		buf_addf(err, "too long with its references replaced");
	}
	return result;
}

int ini_has_reference(const char *value)
{
	return strstr(value, "${") != NULL;
}
