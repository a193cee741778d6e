/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of the log: as a sentence that people read, as logfmt, or as JSON.
 * Pure, locale-free.
 */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "base/log.h"

struct buf;

/* What goes in front of a sentence. */
enum log_line_start {
	LOG_LINE_NAME, /* `stagefs: error: ` */
	LOG_LINE_TIME, /* `TIME stagefs[PID]: error: ` */
	LOG_LINE_LEVEL, /* `error: `: syslog adds the rest */
};

struct log_line {
	enum log_level level;
	enum log_line_start start;
	const struct log_where *where; /* may be NULL */
	const char *sentence;
	const char *time; /* RFC 3339 */
	long pid;
};

/* Appends it, without a newline. */
void log_line_write(const struct log_line *l, enum log_format format,
		    struct buf *out);

#endif
