/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line an event, with what only the discoverer of a failure knows.
 *
 *   stagefs: error: cannot upload: stage=s key="a b.csv" code=SlowDown
 *   status=503 request=tx0001: Input/output error (errno 5)
 *
 * Keys are escaped so that a line stays a line. A pre-signed URL, a query
 * string or a secret is never passed in here; tests/mount looks for them.
 * Any thread; does not block on anything but the log file itself.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_format {
	LOG_FORMAT_TEXT, /* as above */
	LOG_FORMAT_LOGFMT, /* time=... level=error pid=1 msg="..." ... */
	LOG_FORMAT_JSON, /* an object a line, with the same names */
};

/* Where a line belongs; any of them may be NULL or 0. */
struct log_where {
	const char *stage;
	const char *key;
	const char *code; /* the store's error code, as SlowDown */
	const char *request; /* the store's request id */
	long status; /* HTTP status */
	int rc; /* errno, positive or negative */
};

/*
 * target: "stderr", "syslog" or a file's path (appended, created 0600).
 * 0 or -errno; on failure the former target stays. Not thread-safe against
 * itself: called at start, and once more when going to the background.
 */
int log_open(const char *target, enum log_level level);

/* At any time, from one thread: another level, and a file is opened anew, as
 * after logrotate(8), or another file is. target NULL: what it is. 0,
 * -EOPNOTSUPP (it is no file, or shall be none any more), or -errno, and all is
 * as it was. */
int log_reopen(const char *target, enum log_level level);

/* From here on; at any time. */
void log_set_format(enum log_format format);

/* What stands in front of a line on stderr that is no log line: its priority
 * where stderr goes to systemd's journal, as `<3>`, else nothing. Static. */
const char *log_priority(enum log_level level);

/* Until log_open(), and again from here on, lines go to stderr. */
void log_close(void);
int log_wants(enum log_level level);

void log_at(enum log_level level, const struct log_where *where,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(...) log_at(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, NULL, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

#endif
