/*
 * A line is put together in one buffer and leaves by one write(2), so lines of
 * several threads, or of several mounts that share a file, never mix. What
 * does not fit LINE_MAX_BYTES is cut, with dots to say so.
 *
 * The target is set before threads start and only read afterwards; a file that
 * is opened anew takes the descriptor's place in one step.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"

#define LINE_MAX_BYTES (4 * BUF_MESSAGE)

enum log_kind { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_FILE };

static struct {
	enum log_kind kind;
	_Atomic(enum log_level) level;
	int fd;
} target = { LOG_TO_STDERR, LOG_LEVEL_INFO, STDERR_FILENO };

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static int log_open_file(const char *name)
{
	int fd =
		open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
		     0600);

	return fd < 0 ? -errno : fd;
}

static enum log_kind log_kind_of(const char *name)
{
	if (!strcmp(name, "stderr"))
		return LOG_TO_STDERR;
	return strcmp(name, "syslog") ? LOG_TO_FILE : LOG_TO_SYSLOG;
}

int log_reopen(const char *name, enum log_level level)
{
	int fd, rc = 0;

	if (name && log_kind_of(name) != target.kind)
		return -EOPNOTSUPP;
	if (name && target.kind == LOG_TO_FILE) {
		fd = log_open_file(name);
		if (fd < 0)
			return fd;
		if (dup3(fd, target.fd, O_CLOEXEC) < 0)
			rc = -errno;
		close(fd);
	}
	if (!rc)
		target.level = level;
	return rc;
}

int log_open(const char *name, enum log_level level)
{
	enum log_kind kind = log_kind_of(name);
	int fd = kind == LOG_TO_STDERR ? STDERR_FILENO : -1;

	if (kind == LOG_TO_FILE) {
		fd = log_open_file(name);
		if (fd < 0)
			return fd;
	}
	log_close();
	if (kind == LOG_TO_SYSLOG)
		openlog("stagefs", LOG_PID, LOG_DAEMON);
	target.kind = kind;
	target.level = level;
	target.fd = fd;
	return 0;
}

void log_close(void)
{
	if (target.kind == LOG_TO_FILE)
		close(target.fd);
	if (target.kind == LOG_TO_SYSLOG)
		closelog();
	target.kind = LOG_TO_STDERR;
	target.fd = STDERR_FILENO;
}

int log_wants(enum log_level level)
{
	return level <= target.level;
}

static bool log_is_bare(const char *value)
{
	return *value && !value[strcspn(value, " =\"\\'")] &&
	       !text_has_control(value);
}

/* ` name=value`, in quotes when it could be taken for something else. */
static void log_add_field(struct buf *line, const char *name, const char *value,
			  bool quote)
{
	if (!value)
		return;
	quote |= !log_is_bare(value);
	buf_addf(line, " %s=%s", name, quote ? "\"" : "");
	text_printable(line, value);
	buf_adds(line, quote ? "\"" : "");
}

static void log_add_where(struct buf *line, const struct log_where *where)
{
	size_t start;

	buf_addc(line, ':');
	start = line->len;
	log_add_field(line, "stage", where->stage, false);
	log_add_field(line, "key", where->key, true);
	log_add_field(line, "code", where->code, false);
	if (where->status)
		buf_addf(line, " status=%ld", where->status);
	log_add_field(line, "request", where->request, false);
	if (line->len == start && !line->err)
		buf_truncate(line, start - 1);
	if (where->err) {
		int err = where->err < 0 ? -where->err : where->err;
		const char *why = strerrordesc_np(err);

		buf_addf(line, ": %s (errno %d)", why ? why : "unknown", err);
	}
}

static void log_add_start(struct buf *line, enum log_level level)
{
	char now[TIME_RFC3339_SIZE];

	switch (target.kind) {
	case LOG_TO_STDERR:
		buf_addf(line, "stagefs: %s: ", levels[level].word);
		break;
	case LOG_TO_FILE:
		clock_rfc3339_ms(clock_now(), now);
		buf_addf(line, "%s stagefs[%ld]: %s: ", now, (long)getpid(),
			 levels[level].word);
		break;
	case LOG_TO_SYSLOG:
		buf_addf(line, "%s: ", levels[level].word);
		break;
	}
}

void log_at(enum log_level level, const struct log_where *where,
	    const char *fmt, ...)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	char sentence[BUF_MESSAGE];
	int saved = errno;
	va_list ap;
	int n;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(sentence))
		strcpy(sentence + sizeof(sentence) - 4, "...");
	log_add_start(&line, level);
	text_one_line(&line, sentence);
	if (where)
		log_add_where(&line, where);
	if (buf_err(&line)) {
		line.err = 0;
		buf_truncate(&line, LINE_MAX_BYTES - 4);
		buf_adds(&line, "...");
	}
	if (target.kind == LOG_TO_SYSLOG) {
		syslog(levels[level].priority, "%s", buf_str(&line));
	} else {
		buf_addc(&line, '\n');
		io_write(target.fd, buf_str(&line), line.len);
	}
	buf_clear(&line);
	errno = saved;
}
