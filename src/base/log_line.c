/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields are the same in each format. In logfmt and JSON they are all the
 * line has, so the time stands there too, even where the system's log adds its
 * own; an error is its text and its number, which a sentence has at its end.
 */
#include "base/log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char *const log_line_levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static bool log_line_is_bare(const char *value)
{
	return *value && !value[strcspn(value, " =\"\\'")] &&
	       !text_has_control(value);
}

/* ` name=value`, in quotes when it could be taken for something else. */
static void log_line_add_pair(struct buf *out, const char *name,
			      const char *value, bool quote)
{
	if (!value)
		return;
	quote |= !log_line_is_bare(value);
	buf_addf(out, " %s=%s", name, quote ? "\"" : "");
	text_printable(out, value);
	buf_adds(out, quote ? "\"" : "");
}

static void log_line_add_member(struct buf *out, const char *name,
				const char *value)
{
	if (!value)
		return;
	buf_addf(out, ",\"%s\":", name);
	text_json_string(out, value);
}

static const char *log_line_error(int rc)
{
	const char *why = strerrordesc_np(rc);

	return why ? why : "unknown";
}

/* ---- the formats ---- */

static void log_line_text(const struct log_line *l, const struct log_where *w,
			  struct buf *out)
{
	size_t begin;

	if (l->start == LOG_LINE_NAME)
		buf_adds(out, "stagefs: ");
	else if (l->start == LOG_LINE_TIME)
		buf_addf(out, "%s stagefs[%ld]: ", l->time, l->pid);
	buf_addf(out, "%s: ", log_line_levels[l->level]);
	text_one_line(out, l->sentence);
	buf_addc(out, ':');
	begin = out->len;
	log_line_add_pair(out, "stage", w->stage, false);
	log_line_add_pair(out, "key", w->key, true);
	log_line_add_pair(out, "code", w->code, false);
	if (w->status)
		buf_addf(out, " status=%ld", w->status);
	log_line_add_pair(out, "request", w->request, false);
	if (out->len == begin && !out->rc)
		buf_truncate(out, begin - 1);
	if (w->rc)
		buf_addf(out, ": %s (errno %d)", log_line_error(w->rc), w->rc);
}

static void log_line_logfmt(const struct log_line *l, const struct log_where *w,
			    struct buf *out)
{
	buf_addf(out, "time=%s level=%s pid=%ld", l->time,
		 log_line_levels[l->level], l->pid);
	log_line_add_pair(out, "msg", l->sentence, true);
	log_line_add_pair(out, "stage", w->stage, false);
	log_line_add_pair(out, "key", w->key, true);
	log_line_add_pair(out, "code", w->code, false);
	if (w->status)
		buf_addf(out, " status=%ld", w->status);
	log_line_add_pair(out, "request", w->request, false);
	if (!w->rc)
		return;
	log_line_add_pair(out, "error", log_line_error(w->rc), true);
	buf_addf(out, " errno=%d", w->rc);
}

static void log_line_json(const struct log_line *l, const struct log_where *w,
			  struct buf *out)
{
	buf_addf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%ld", l->time,
		 log_line_levels[l->level], l->pid);
	log_line_add_member(out, "msg", l->sentence);
	log_line_add_member(out, "stage", w->stage);
	log_line_add_member(out, "key", w->key);
	log_line_add_member(out, "code", w->code);
	if (w->status)
		buf_addf(out, ",\"status\":%ld", w->status);
	log_line_add_member(out, "request", w->request);
	if (w->rc) {
		log_line_add_member(out, "error", log_line_error(w->rc));
		buf_addf(out, ",\"errno\":%d", w->rc);
	}
	buf_addc(out, '}');
}

void log_line_write(const struct log_line *l, enum log_format format,
		    struct buf *out)
{
	struct log_where w = { 0 };

	if (l->where)
		w = *l->where;
	if (w.rc < 0)
		w.rc = -w.rc;
	switch (format) {
	case LOG_FORMAT_TEXT:
		return log_line_text(l, &w, out);
	case LOG_FORMAT_LOGFMT:
		return log_line_logfmt(l, &w, out);
	case LOG_FORMAT_JSON:
		return log_line_json(l, &w, out);
	}
}
