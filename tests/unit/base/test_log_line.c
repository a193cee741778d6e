/* SPDX-License-Identifier: Apache-2.0 */
/* The three formats of a line, with the same fields. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/log_line.h"

#define NOW "2026-01-02T03:04:05.678Z"

static const struct {
	const char *sentence;
	enum log_format format;
	enum log_line_start start;
	enum log_level level;
	const char *text;
	struct log_where where;
	const char *wanted;
} rows[] = {
	{ "a sentence on a terminal",
	  LOG_FORMAT_TEXT,
	  LOG_LINE_NAME,
	  LOG_LEVEL_WARN,
	  "no server",
	  { .stage = "s" },
	  "stagefs: warning: no server: stage=s" },
	{ "a sentence in a file",
	  LOG_FORMAT_TEXT,
	  LOG_LINE_TIME,
	  LOG_LEVEL_INFO,
	  "it is mounted",
	  { 0 },
	  NOW " stagefs[7]: info: it is mounted" },
	{ "a sentence for syslog",
	  LOG_FORMAT_TEXT,
	  LOG_LINE_LEVEL,
	  LOG_LEVEL_DEBUG,
	  "GET",
	  { .status = 200 },
	  "debug: GET: status=200" },
	{ "logfmt, a sentence alone",
	  LOG_FORMAT_LOGFMT,
	  LOG_LINE_NAME,
	  LOG_LEVEL_ERROR,
	  "cannot mount",
	  { 0 },
	  "time=" NOW " level=error pid=7 msg=\"cannot mount\"" },
	{ "logfmt, all that is known",
	  LOG_FORMAT_LOGFMT,
	  LOG_LINE_TIME,
	  LOG_LEVEL_ERROR,
	  "cannot upload",
	  { "s", "a b.csv", "SlowDown", "tx0001", 503, -EIO },
	  "time=" NOW " level=error pid=7 msg=\"cannot upload\" stage=s "
	  "key=\"a b.csv\" code=SlowDown status=503 request=tx0001 "
	  "error=\"Input/output error\" errno=5" },
	{ "logfmt, a text that forges fields",
	  LOG_FORMAT_LOGFMT,
	  LOG_LINE_TIME,
	  LOG_LEVEL_ERROR,
	  "x\" level=\"info\n",
	  { .code = "a b=c" },
	  "time=" NOW " level=error pid=7 msg=\"x\\\" level=\\\"info\\n\" "
	  "code=\"a b=c\"" },
	{ "JSON, a sentence alone",
	  LOG_FORMAT_JSON,
	  LOG_LINE_NAME,
	  LOG_LEVEL_WARN,
	  "no \"server\"\n",
	  { 0 },
	  "{\"time\":\"" NOW "\",\"level\":\"warning\",\"pid\":7,"
	  "\"msg\":\"no \\\"server\\\"\\n\"}" },
	{ "JSON, all that is known",
	  LOG_FORMAT_JSON,
	  LOG_LINE_TIME,
	  LOG_LEVEL_ERROR,
	  "cannot upload",
	  { "s", "a b.csv", "SlowDown", "tx0001", 503, EIO },
	  "{\"time\":\"" NOW "\",\"level\":\"error\",\"pid\":7,"
	  "\"msg\":\"cannot upload\",\"stage\":\"s\",\"key\":\"a b.csv\","
	  "\"code\":\"SlowDown\",\"status\":503,\"request\":\"tx0001\","
	  "\"error\":\"Input/output error\",\"errno\":5}" },
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT(BUF_MESSAGE);
		const struct log_line l = {
			.level = rows[i].level,
			.start = rows[i].start,
			.where = &rows[i].where,
			.sentence = rows[i].text,
			.time = NOW,
			.pid = 7,
		};

		log_line_write(&l, rows[i].format, &out);
		row_equal(rows[i].sentence, buf_str(&out), rows[i].wanted);
		buf_clear(&out);
	}
}

SUITE(log_line)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}
