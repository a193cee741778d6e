/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is read whole, its lines are handed to inih one by one, and inih
 * calls back with what it made of each.
 *
 * inih's buffers take a line of 197 bytes and a section or name of 49. A line
 * that does not fit goes as a stand-in: the same line with STAND_IN, a byte
 * that no line may contain, for every part that is too long. The parts wait in
 * struct source until inih calls back, which it does before it asks for the
 * next line. They are found by inih's own rules, ini_find() is one of them; so
 * short and long lines mean the same.
 * What inih would ignore or cut in silence is refused before it sees it.
 */
#include "base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ini_handler inih_handler /* it has a type of that name as well */
#include <ini.h>
#undef ini_handler

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/option.h"
#include "base/text.h"

#define INIH_LINE 180 /* less than its smallest buffer of 200 */
#define INIH_NAME 49
#define STAND_IN "\x01"

struct span {
	const char *at;
	size_t len;
};

struct source {
	const char *file;
	struct stat st;
	struct buf text;
	size_t next; /* where in text the next line begins */
	unsigned line;

	/* What STAND_IN stands for. */
	struct buf section, name, value;
	bool named; /* an indented line continues a setting */
	bool continued; /* this one does */
	bool cut; /* a `;` behind its value began a comment, or was of it */

	ini_begin *begin; /* NULL: sections are not told of */
	ini_handler *handler;
	void *arg;
	struct buf *why;
	int result; /* the first failure; no line is handed on after it */
};

static void ini_fail(struct source *s, int result, const char *why)
{
	if (s->result)
		return;
	s->result = result;
	text_one_line(s->why, s->file);
	buf_addf(s->why, ":%u: %s", s->line, why);
}

static bool ini_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span ini_trim(struct span s)
{
	while (s.len && ini_is_space(*s.at))
		s.at++, s.len--;
	while (s.len && ini_is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool ini_is_comment(struct span s)
{
	return !s.len || *s.at == ';' || *s.at == '#';
}

/*
 * Where the first byte of `set` stands, or a `;` that follows white space and
 * so begins a comment; s.len when neither is there.
 */
static size_t ini_find(struct span s, const char *set)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (strchr(set, s.at[i]))
			break;
		if (i && s.at[i] == ';' && ini_is_space(s.at[i - 1]))
			break;
	}
	return i;
}

static void ini_keep(struct source *s, struct buf *b, struct span part)
{
	buf_reset(b);
	buf_add(b, part.at, part.len);
	if (buf_err(b))
		ini_fail(s, buf_err(b), "no memory");
}

static bool ini_begin_section(struct source *s, struct span name)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int result = 0;

	ini_keep(s, &s->section, name);
	if (s->begin && !s->result)
		result = s->begin(s->arg, buf_str(&s->section), s->line, &why);
	if (result)
		ini_fail(s, result, why.len ? buf_str(&why) : "refused");
	return !s->result;
}

static bool ini_add_section(struct source *s, struct buf *out, struct span line)
{
	struct span rest = { line.at + 1, line.len - 1 };
	struct span name = { rest.at, ini_find(rest, "]") };

	if (name.len == rest.len || rest.at[name.len] != ']') {
		ini_fail(s, -EINVAL, "a section without its `]`");
		return false;
	}
	rest.at += name.len + 1;
	rest.len -= name.len + 1;
	if (!ini_trim(name).len) {
		ini_fail(s, -EINVAL, "a section without a name");
		return false;
	}
	if (!ini_is_comment(ini_trim(rest))) {
		ini_fail(s, -EINVAL,
			 "only a comment may follow a section's `]`");
		return false;
	}
	s->named = false;
	if (!ini_begin_section(s, name))
		return false;
	if (name.len > INIH_NAME)
		name = (struct span){ STAND_IN, 1 };
	buf_addc(out, '[');
	buf_add(out, name.at, name.len);
	buf_addc(out, ']');
	return true;
}

static bool ini_add_continued(struct source *s, struct buf *out,
			      struct span line)
{
	s->continued = true;
	ini_keep(s, &s->value, line);
	buf_adds(out, " " STAND_IN);
	return true;
}

static bool ini_add_setting(struct source *s, struct buf *out, struct span line)
{
	size_t end = ini_find(line, "=:");
	struct span name = ini_trim((struct span){ line.at, end });
	struct span value;

	if (end == line.len || line.at[end] == ';') {
		ini_fail(s, -EINVAL, "neither `key = value` nor `[section]`");
		return false;
	}
	if (!name.len) {
		ini_fail(s, -EINVAL, "no key before the `=`");
		return false;
	}
	s->named = true;
	value.at = line.at + end + 1;
	value.len = line.len - end - 1;
	end = ini_find(value, "");
	s->cut = end < value.len;
	if (name.len <= INIH_NAME && line.len <= INIH_LINE) {
		buf_add(out, line.at, line.len);
		return true;
	}
	value.len = end;
	ini_keep(s, &s->name, name);
	ini_keep(s, &s->value, ini_trim(value));
	buf_adds(out, STAND_IN "=" STAND_IN);
	return true;
}

/* The line as inih shall see it. False when there is none any more. */
static bool ini_add_line(struct source *s, struct buf *out, struct span line)
{
	bool indented = line.len && ini_is_space(*line.at);

	s->continued = s->cut = false;
	line = ini_trim(line);
	if (ini_is_comment(line))
		return true;
	if (indented && s->named)
		return ini_add_continued(s, out, line);
	if (*line.at == '[')
		return ini_add_section(s, out, line);
	return ini_add_setting(s, out, line);
}

static bool ini_is_clean(struct source *s, struct span line)
{
	if (line.len > BUF_LINE) {
		ini_fail(s, -EMSGSIZE, "a line of more than 16384 bytes");
		return false;
	}
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			ini_fail(s, -EINVAL,
				 c ? "a control byte" : "a NUL byte");
			return false;
		}
	}
	return true;
}

static bool ini_next_line(struct source *s, struct span *line)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *start = buf_str(&s->text) + s->next, *end;
	size_t left = s->text.len - s->next;

	if (s->result || !left)
		return false;
	end = memchr(start, '\n', left);
	line->at = start;
	line->len = end ? (size_t)(end - start) : left;
	s->next += line->len + (end != NULL);
	if (++s->line == 1 && text_starts_with(start, bom)) {
		line->at += 3;
		line->len -= 3;
	}
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return ini_is_clean(s, *line);
}

/* inih's reader: as fgets(3). */
static char *ini_read_line(char *str, int size, void *arg)
{
	struct source *s = arg;
	BUF_SECRET out = BUF_INIT((size_t)size - 1);
	struct span line;
	char *result = NULL;

	if (ini_next_line(s, &line) && ini_add_line(s, &out, line)) {
		buf_addc(&out, '\n');
		if (buf_err(&out))
			ini_fail(s, buf_err(&out), "cannot be handed to inih");
		if (!s->result)
			result = strcpy(str, buf_str(&out));
	}
	return result;
}

static const char *ini_meant(const char *part, const struct buf *stands_for)
{
	return strcmp(part, STAND_IN) ? part : buf_str(stands_for);
}

/* inih's handler: non-zero to go on. */
static int ini_take_setting(void *arg, const char *section, const char *name,
			    const char *value)
{
	struct source *s = arg;
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct ini_place place = {
		.file = s->file,
		.line = s->line,
		.continued = s->continued,
		.cut = s->cut,
		.st = &s->st,
	};
	int result;

	if (s->result)
		return 0;
	result = s->handler(s->arg, ini_meant(section, &s->section),
			    ini_meant(name, &s->name),
			    ini_meant(value, &s->value), &place, &why);
	if (result)
		ini_fail(s, result, why.len ? buf_str(&why) : "refused");
	return !result;
}

static int ini_load(struct source *s)
{
	FD_LOCAL fd = open(s->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 || fstat(fd, &s->st) ? -errno
					     : io_read_all(fd, &s->text);

	rc = rc == -EMSGSIZE ? -EFBIG : rc;
	if (rc) {
		text_one_line(s->why, s->file);
		buf_addf(s->why, ": %s", strerrordesc_np(-rc));
	}
	return rc;
}

int ini_read(const char *path, ini_handler *handler, void *arg, struct buf *why)
{
	return ini_read_sections(path, NULL, handler, arg, why);
}

int ini_read_sections(const char *path, ini_begin *begin, ini_handler *handler,
		      void *arg, struct buf *why)
{
	struct source s = {
		.file = path,
		.text = BUF_INIT(INI_FILE_MAX),
		.section = BUF_INIT(BUF_LINE),
		.name = BUF_INIT(BUF_LINE),
		.value = BUF_INIT(BUF_LINE),
		.begin = begin,
		.handler = handler,
		.arg = arg,
		.why = why,
	};

	s.result = ini_load(&s);
	if (!s.result &&
	    ini_parse_stream(ini_read_line, &s, ini_take_setting, &s))
		ini_fail(&s, -EINVAL, "inih cannot read this line");
	buf_wipe(&s.text);
	buf_wipe(&s.section);
	buf_wipe(&s.name);
	buf_wipe(&s.value);
	return s.result;
}

/* ---- references ---- */

/*
 * References in values: where a secret really is. They are replaced once; what
 * they bring is never looked at again, so a secret may contain `${`.
 */

int ini_file_private(const struct stat *st, struct buf *why)
{
	mode_t closed = st->st_uid ? 077 : 037; /* root's group may read it */
	unsigned mode = st->st_mode & 07777;

	if (st->st_uid && st->st_uid != geteuid())
		return buf_fail(why, -EPERM,
				"it holds a secret but belongs to user %u, "
				"neither root nor you",
				(unsigned)st->st_uid);
	if (mode & closed)
		return buf_fail(why, -EPERM,
				"it holds a secret but is open to others "
				"(mode %04o): chmod 600",
				mode);
	return 0;
}

static int ini_expand_env(const char *name, struct buf *out, struct buf *why)
{
	const char *value = getenv(name);

	if (!value)
		return buf_fail(why, -ENOENT, "it is not set");
	buf_adds(out, value);
	return 0;
}

/* All of a file of at most BUF_LINE bytes, less one line end. */
static int ini_read_secret(int fd, struct buf *out, struct buf *why)
{
	BUF_SECRET text = BUF_INIT(BUF_LINE + 3); /* "\r\n", and one too many */
	int rc = io_read_all(fd, &text);

	if (rc && rc != -EMSGSIZE)
		return buf_fail(why, rc, "%s", strerrordesc_np(-rc));
	if (text_ends_with(buf_str(&text), "\r\n"))
		buf_truncate(&text, text.len - 2);
	else if (text_ends_with(buf_str(&text), "\n"))
		buf_truncate(&text, text.len - 1);
	if (text.len > BUF_LINE || memchr(text.data, '\0', text.len))
		return buf_fail(why, -EINVAL, "%s",
				text.len > BUF_LINE
					? "it has more than 16384 bytes"
					: "it has a NUL byte in it");
	buf_add(out, text.data, text.len);
	return 0;
}

static int ini_expand_file(const char *path, struct buf *out, struct buf *why)
{
	struct stat st;
	int result, fd;

	if (*path != '/')
		return buf_fail(why, -EINVAL,
				"a file's path must begin with `/`");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		result = -errno;
		buf_adds(why, strerrordesc_np(-result));
	} else if (!S_ISREG(st.st_mode)) {
		result = buf_fail(why, -EINVAL, "it is not a regular file");
	} else {
		result = ini_file_private(&st, why);
		if (!result)
			result = ini_read_secret(fd, out, why);
	}
	if (fd >= 0)
		close(fd);
	return result;
}

static const struct {
	const char *kind;
	int (*expand)(const char *what, struct buf *out, struct buf *why);
} kinds[] = {
	{ "env:", ini_expand_env },
	{ "file:", ini_expand_file },
};

/*
 * One reference, without its `${` and `}`. One of no known kind is not shown:
 * it may be a piece of a secret.
 */
static int ini_expand_one(const char *reference, struct buf *out,
			  struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int result;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i].kind);

		if (strncmp(reference, kinds[i].kind, n))
			continue;
		result = kinds[i].expand(reference + n, out, &detail);
		if (result) {
			buf_adds(why, "${");
			text_one_line(why, reference);
			buf_addf(why, "}: %s", buf_str(&detail));
		}
		return result;
	}
	return buf_fail(why, -EINVAL,
			"a `${` that is neither ${env:NAME} nor ${file:PATH} "
			"(`$${` is a literal one)");
}

/* Expands the reference at s, a `${`; *next is what follows it. */
static int ini_expand_at(const char *s, struct buf *out, struct buf *why,
			 const char **next)
{
	const char *end = strchr(s, '}');
	char *reference;
	int result;

	if (!end)
		return buf_fail(
			why, -EINVAL,
			"a `${` without its `}` (`$${` is a literal one)");
	reference = strndup(s + 2, (size_t)(end - s - 2));
	if (!reference)
		return -ENOMEM;
	result = ini_expand_one(reference, out, why);
	free(reference);
	*next = end + 1;
	return result;
}

int ini_expand(const char *value, struct buf *out, struct buf *why)
{
	int result = 0;

	while (*value && !result) {
		if (text_starts_with(value, "$${")) {
			buf_adds(out, "${");
			value += 3;
		} else if (text_starts_with(value, "${")) {
			result = ini_expand_at(value, out, why, &value);
		} else {
			buf_addc(out, *value++);
		}
	}
	if (!result && buf_err(out)) {
		result = buf_err(out);
		buf_addf(why, "too long with its references replaced");
	}
	return result;
}

int ini_has_reference(const char *value)
{
	return strstr(value, "${") != NULL;
}

/* ---- into an option table ---- */

/* True unless the whole value is one reference to where the secret is. */
static bool ini_holds_secret(const char *value)
{
	const char *end = strchr(value, '}');

	return *value && !(text_starts_with(value, "${") && end && !end[1]);
}

/* What is set now was read by a reference: it may be other another time. */
static int ini_keep_reference(const struct option *row, void *target,
			      const char *value)
{
	char **to = option_reference(row, target);

	if (!to || !ini_has_reference(value))
		return 0;
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

static bool ini_is_quoted(const char *value)
{
	return (*value == '"' || *value == '\'') && value[1] &&
	       value[strlen(value) - 1] == *value;
}

static const char *ini_comment_fault(const char *value, bool cut)
{
	if (cut)
		return "ends before a `;`, which begins a comment: "
		       "${file:PATH} reads one that has ` ;` in it";
	return strstr(value, " #") ? "has a ` #`: that is no comment" : NULL;
}

/* What a person cannot have meant. */
static int ini_check_text(const struct option *row, const char *name,
			  const char *value, const struct ini_place *place,
			  struct buf *why)
{
	const char *fault = ini_comment_fault(value, place->cut);

	if ((row->flags & OPTION_SECRET) && fault)
		log_warn("%s:%u: %s %s", place->file, place->line, name, fault);
	if (!ini_is_quoted(value) || (row->flags & OPTION_FREE))
		return 0;
	return buf_fail(why, -EINVAL,
			"quotes are part of a value: write it without them");
}

int ini_set(const struct option *row, void *target, const char *name,
	    const char *value, const struct ini_place *place, struct buf *why)
{
	BUF_SECRET text = BUF_INIT(BUF_LINE);
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = ini_check_text(row, name, value, place, &detail);

	if (!rc && (row->flags & OPTION_SECRET) && ini_holds_secret(value))
		rc = ini_file_private(place->st, &detail);
	if (!rc)
		rc = ini_expand(value, &text, &detail);
	if (rc)
		buf_addf(why, "%s: %s", name, buf_str(&detail));
	else
		rc = option_set(row, target, buf_str(&text), why);
	return rc ? rc : ini_keep_reference(row, target, value);
}

int ini_take(const struct ini_section *section, const char *name,
	     const char *value, const struct ini_place *place, struct buf *why)
{
	const struct option *row = option_find(section->table, name);
	uint32_t *line;

	if (place->continued) {
		text_printable(why, name);
		return buf_fail(why, -EINVAL,
				": a value is one line; this one is indented");
	}
	if (!row) {
		option_unknown(section->table, name, why);
		return -EINVAL;
	}
	line = &section->lines[option_index(section->table, row)];
	if (*line)
		return buf_fail(why, -EINVAL,
				"%s is given a second time (first in line %u)",
				row->name, *line);
	*line = place->line;
	return ini_set(row, section->target, name, value, place, why);
}
