/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is put together in one buffer and leaves by one write(2), so lines of
 * several threads, or of several mounts that share a file, never mix. What
 * does not fit is cut, with dots to say so.
 *
 * The target is set before threads start and only read afterwards; a file that
 * is opened anew takes the descriptor's place in one step.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log_line.h"

#define LINE_MAX_BYTES (4 * BUF_MESSAGE)
/* The same where each byte of a sentence may be escaped. */
#define SENTENCE_MAX_BYTES (8 * BUF_MESSAGE)

enum log_kind { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_FILE };

static struct {
	enum log_kind kind;
	_Atomic(enum log_level) level;
	_Atomic(enum log_format) format;
	int fd;
	bool journal; /* lines begin with their priority */
} target = { LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, STDERR_FILENO,
	     false };

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* Does stderr go to systemd's journal, which reads a priority in front of a
 * line? systemd.exec(5), $JOURNAL_STREAM. */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device &&
	       st.st_ino == inode;
}

const char *log_priority(enum log_level level)
{
	static const char *const marks[] = {
		[LOG_LEVEL_ERROR] = "<3>",
		[LOG_LEVEL_WARN] = "<4>",
		[LOG_LEVEL_INFO] = "<6>",
		[LOG_LEVEL_DEBUG] = "<7>",
	};

	return log_is_journal() ? marks[level] : "";
}

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
	target.journal = kind == LOG_TO_STDERR && log_is_journal();
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
	target.journal = false;
}

void log_set_format(enum log_format format)
{
	target.format = format;
}

int log_wants(enum log_level level)
{
	return level <= target.level;
}

/* With its priority for the journal. What is too long is cut, or, where a
 * program reads it, loses the names that it is about. */
static void log_write_line(struct log_line *l, struct buf *out)
{
	const enum log_format format = target.format;

	for (;;) {
		if (target.journal)
			buf_addf(out, "<%d>", priorities[l->level]);
		log_line_write(l, format, out);
		if (!buf_err(out))
			return;
		if (format == LOG_FORMAT_TEXT || !l->where)
			break;
		buf_reset(out);
		l->where = NULL;
	}
	out->rc = 0;
	buf_truncate(out, LINE_MAX_BYTES - 4);
	buf_adds(out, "...");
}

void log_at(enum log_level level, const struct log_where *where,
	    const char *fmt, ...)
{
	static const enum log_line_start starts[] = {
		[LOG_TO_STDERR] = LOG_LINE_NAME,
		[LOG_TO_SYSLOG] = LOG_LINE_LEVEL,
		[LOG_TO_FILE] = LOG_LINE_TIME,
	};
	BUF_LOCAL line =
		BUF_INIT(target.format == LOG_FORMAT_TEXT ? LINE_MAX_BYTES
							  : SENTENCE_MAX_BYTES);
	char sentence[BUF_MESSAGE], now[TIME_RFC3339_SIZE];
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
	clock_rfc3339_ms(clock_now(), now);
	log_write_line(&(struct log_line){ .level = level,
					   .start = starts[target.kind],
					   .where = where,
					   .sentence = sentence,
					   .time = now,
					   .pid = getpid() },
		       &line);
	if (target.kind == LOG_TO_SYSLOG) {
		syslog(priorities[level], "%s", buf_str(&line));
	} else {
		buf_addc(&line, '\n');
		io_write(target.fd, buf_str(&line), line.len);
	}
	errno = saved;
}
