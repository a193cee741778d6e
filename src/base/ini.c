/*
 * The file is read whole, its lines are handed to inih one by one, and inih
 * calls back with what it made of each.
 *
 * inih's buffers take a line of 197 bytes and a section or name of 49. A line
 * that does not fit goes as a stand-in: the same line with STAND_IN, a byte
 * that no line may contain, for every part that is too long. The parts wait in
 * struct source until inih calls back, which it does before it asks for the
 * next line. They are found by inih's own rules, find() is one of them; so
 * short and long lines mean the same.
 *
 * What inih would ignore or cut in silence is refused before it sees it.
 */
#include "base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define ini_handler inih_handler /* it has a type of that name as well */
#include <ini.h>
#undef ini_handler

#include "base/buf.h"
#include "base/io.h"
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

	ini_handler *handler;
	void *arg;
	struct buf *err;
	int result; /* the first failure; no line is handed on after it */
};

static void fail(struct source *s, int result, const char *why)
{
	if (s->result)
		return;
	s->result = result;
	text_one_line(s->err, s->file);
	buf_addf(s->err, ":%u: %s", s->line, why);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span s)
{
	while (s.len && is_space(*s.at))
		s.at++, s.len--;
	while (s.len && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool is_comment(struct span s)
{
	return !s.len || *s.at == ';' || *s.at == '#';
}

/*
 * Where the first byte of `set` stands, or a `;` that follows white space and
 * so begins a comment; s.len when neither is there.
 */
static size_t find(struct span s, const char *set)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (strchr(set, s.at[i]))
			break;
		if (i && s.at[i] == ';' && is_space(s.at[i - 1]))
			break;
	}
	return i;
}

static void keep(struct source *s, struct buf *b, struct span part)
{
	buf_reset(b);
	buf_add(b, part.at, part.len);
	if (buf_err(b))
		fail(s, buf_err(b), "no memory");
}

static bool add_section(struct source *s, struct buf *out, struct span line)
{
	struct span rest = { line.at + 1, line.len - 1 };
	struct span name = { rest.at, find(rest, "]") };

	if (name.len == rest.len || rest.at[name.len] != ']') {
		fail(s, -EINVAL, "a section without its `]`");
		return false;
	}
	rest.at += name.len + 1;
	rest.len -= name.len + 1;
	if (!trim(name).len) {
		fail(s, -EINVAL, "a section without a name");
		return false;
	}
	if (!is_comment(trim(rest))) {
		fail(s, -EINVAL, "only a comment may follow a section's `]`");
		return false;
	}
	s->named = false;
	keep(s, &s->section, name);
	if (name.len > INIH_NAME)
		name = (struct span){ STAND_IN, 1 };
	buf_addc(out, '[');
	buf_add(out, name.at, name.len);
	buf_addc(out, ']');
	return true;
}

static bool add_continued(struct source *s, struct buf *out, struct span line)
{
	s->continued = true;
	keep(s, &s->value, line);
	buf_adds(out, " " STAND_IN);
	return true;
}

static bool add_setting(struct source *s, struct buf *out, struct span line)
{
	size_t end = find(line, "=:");
	struct span name = trim((struct span){ line.at, end });
	struct span value;

	if (end == line.len || line.at[end] == ';') {
		fail(s, -EINVAL, "neither `key = value` nor `[section]`");
		return false;
	}
	if (!name.len) {
		fail(s, -EINVAL, "no key before the `=`");
		return false;
	}
	s->named = true;
	if (name.len <= INIH_NAME && line.len <= INIH_LINE) {
		buf_add(out, line.at, line.len);
		return true;
	}
	value.at = line.at + end + 1;
	value.len = line.len - end - 1;
	value.len = find(value, "");
	keep(s, &s->name, name);
	keep(s, &s->value, trim(value));
	buf_adds(out, STAND_IN "=" STAND_IN);
	return true;
}

/* The line as inih shall see it. False when there is none any more. */
static bool add_line(struct source *s, struct buf *out, struct span line)
{
	bool indented = line.len && is_space(*line.at);

	s->continued = false;
	line = trim(line);
	if (is_comment(line))
		return true;
	if (indented && s->named)
		return add_continued(s, out, line);
	if (*line.at == '[')
		return add_section(s, out, line);
	return add_setting(s, out, line);
}

static bool is_clean(struct source *s, struct span line)
{
	if (line.len > BUF_LINE) {
		fail(s, -EMSGSIZE, "a line of more than 16384 bytes");
		return false;
	}
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			fail(s, -EINVAL, c ? "a control byte" : "a NUL byte");
			return false;
		}
	}
	return true;
}

static bool next_line(struct source *s, struct span *line)
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
	return is_clean(s, *line);
}

/* inih's reader: as fgets(3). */
static char *read_line(char *str, int size, void *arg)
{
	struct source *s = arg;
	struct buf out = BUF_INIT((size_t)size - 1);
	struct span line;
	char *result = NULL;

	if (next_line(s, &line) && add_line(s, &out, line)) {
		buf_addc(&out, '\n');
		if (buf_err(&out))
			fail(s, buf_err(&out), "cannot be handed to inih");
		if (!s->result)
			result = strcpy(str, buf_str(&out));
	}
	buf_wipe(&out);
	return result;
}

static const char *meant(const char *part, const struct buf *stands_for)
{
	return strcmp(part, STAND_IN) ? part : buf_str(stands_for);
}

/* inih's handler: non-zero to go on. */
static int take_setting(void *arg, const char *section, const char *name,
			const char *value)
{
	struct source *s = arg;
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct ini_place place = {
		.file = s->file,
		.line = s->line,
		.continued = s->continued,
		.st = &s->st,
	};
	int result;

	if (s->result)
		return 0;
	result = s->handler(s->arg, meant(section, &s->section),
			    meant(name, &s->name), meant(value, &s->value),
			    &place, &why);
	if (result)
		fail(s, result, why.len ? buf_str(&why) : "refused");
	buf_clear(&why);
	return !result;
}

static int load(struct source *s)
{
	int fd = open(s->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		err = -errno;
	else if (fstat(fd, &s->st))
		err = -errno;
	else
		err = io_read_all(fd, &s->text);
	if (fd >= 0)
		close(fd);
	err = err == -EMSGSIZE ? -EFBIG : err;
	if (err) {
		text_one_line(s->err, s->file);
		buf_addf(s->err, ": %s", strerrordesc_np(-err));
	}
	return err;
}

int ini_read(const char *path, ini_handler *handler, void *arg, struct buf *err)
{
	struct source s = {
		.file = path,
		.text = BUF_INIT(INI_FILE_MAX),
		.section = BUF_INIT(BUF_LINE),
		.name = BUF_INIT(BUF_LINE),
		.value = BUF_INIT(BUF_LINE),
		.handler = handler,
		.arg = arg,
		.err = err,
	};

	s.result = load(&s);
	if (!s.result && ini_parse_stream(read_line, &s, take_setting, &s))
		fail(&s, -EINVAL, "inih cannot read this line");
	buf_wipe(&s.text);
	buf_wipe(&s.section);
	buf_wipe(&s.name);
	buf_wipe(&s.value);
	return s.result;
}
