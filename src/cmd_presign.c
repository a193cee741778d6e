/*
 * `stagefs presign`: what PRESIGN does, without a mount. Signing asks nobody;
 * only an internal stage is looked up first, so that a typo in its name is an
 * error and not a URL to nowhere. A path on a mount is signed by the mount.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "mount_presign.h"
#include "stage/path.h"
#include "stage/presign.h"
#include "statement.h"

struct presign_options {
	char *config, *expire, *content_type;
	int format;
	bool header, compat_host;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct presign_options, field), __VA_ARGS__ \
	}
static const struct option options[] = {
	ROW("config", STRING, config, .help = "configuration file"),
	ROW("expire", STRING, expire,
	    .help = "seconds that the URL lives, 1 to 604800 (default: "
		    "presign_expire of the configuration, 3600)"),
	ROW("content-type", STRING, content_type, .max = 255,
	    .help = "uploads must send this type; a download's answer "
		    "says it"),
	ROW("format", CHOICE, format, .choices = OUTPUT_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV; url is the URL "
		    "alone, curl a command line"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	ROW("compat-host", BOOL, compat_host, .def = "no",
	    .help = "the host is among the headers, as old servers had it"),
	{ 0 },
};

/* What the words say. */
struct presign_words {
	enum presign_action action;
	bool on_mount; /* text is a path */
	struct location location;
	const char *text; /* the location as given */
};

static int read_words(const struct cmd_words *words, struct presign_words *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	out->action = PRESIGN_DOWNLOAD;
	if (!words->n || !*words->word[words->n - 1])
		return cmd_usage(&presign_command,
				 "which file? name it as @stage/path, or by "
				 "its path on a mount");
	out->text = words->word[words->n - 1];
	if (words->n == 2 && presign_parse_action(words->word[0], &out->action))
		buf_addf(&why, "%s: the first word is download or upload",
			 words->word[0]);
	else if (*out->text != '@')
		out->on_mount = true;
	else
		location_parse(out->text, &out->location, &why);
	if (why.len)
		status = cmd_usage(&presign_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int read_expire(const struct presign_options *o, int64_t *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	*out = 0;
	if (o->expire && presign_parse_expire(o->expire, 0, out, &why))
		status = cmd_usage(&presign_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

/* ---- the verb ---- */

static int run_session(const struct presign_options *o,
		       const struct presign_words *w, int64_t expire)
{
	const struct presign_request request = {
		.action = w->action,
		.expire = expire,
		.content_type = o->content_type,
	};
	const struct output output = { o->format, o->header, o->compat_host };
	struct failure failure = FAILURE_INIT;
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct cmd_session s;
	int status = cmd_open(o->config, &s);

	buf_addf(&what, "cannot presign %s", w->text);
	if (!status &&
	    statement_presign(&s, &w->location, &request, &output, &failure))
		status = cmd_failure(buf_str(&what), &failure);
	cmd_close(&s);
	failure_clear(&failure);
	buf_clear(&what);
	return status;
}

/* ---- a path on a mount ---- */

/* The form of the attribute that has the whole output, or NULL. */
static const char *whole_form(int format)
{
	switch (format) {
	case FORMAT_URL:
		return "";
	case FORMAT_CURL:
		return ".curl";
	case TABLE_JSON:
	case TABLE_NDJSON:
		return ".json";
	default:
		return NULL;
	}
}

static int print_whole(const struct mount_presign *ask, int format,
		       struct buf *why)
{
	struct buf value = BUF_INIT(4 * BUF_URL), out = BUF_INIT(5 * BUF_URL);
	int rc = mount_presign(ask, whole_form(format), &value, why);

	if (!rc) {
		buf_addf(&out, format == TABLE_JSON ? "[%s]" : "%s",
			 buf_str(&value));
		rc = presign_print_text(&out);
	}
	buf_clear(&value);
	buf_clear(&out);
	return rc;
}

static int print_columns(const struct mount_presign *ask,
			 const struct output *o, struct buf *why)
{
	struct buf url = BUF_INIT(4 * BUF_URL), headers = BUF_INIT(4 * BUF_URL);
	int rc = mount_presign(ask, ".headers", &headers, why);

	if (!rc)
		rc = mount_presign(ask, "", &url, why);
	if (!rc) {
		const struct store_presigned row = {
			.method = ask->action == PRESIGN_UPLOAD ? "PUT" : "GET",
			.headers = headers.data,
			.url = url.data,
		};

		rc = presign_print(&row, ask->action, o);
	}
	buf_clear(&url);
	buf_clear(&headers);
	return rc;
}

static int run_mount(const struct presign_options *o,
		     const struct presign_words *w, int64_t expire)
{
	const struct mount_presign ask = {
		.path = w->text,
		.action = w->action,
		.expire = expire,
		.content_type = o->content_type,
	};
	const struct output output = { o->format, o->header, o->compat_host };
	struct buf what = BUF_INIT(BUF_MESSAGE), why = BUF_INIT(BUF_MESSAGE);
	int rc;

	buf_addf(&what, "cannot presign %s", w->text);
	rc = whole_form(o->format) ? print_whole(&ask, o->format, &why)
				   : print_columns(&ask, &output, &why);
	if (rc)
		cmd_error(buf_str(&what),
			  why.len ? buf_str(&why) : strerror(-rc));
	buf_clear(&what);
	buf_clear(&why);
	return rc ? STATUS_FAILED : STATUS_OK;
}

static int run(int argc, char **argv)
{
	struct presign_options o = { 0 };
	struct presign_words w = { 0 };
	struct cmd_words words;
	int64_t expire;
	int status = cmd_parse(&presign_command, argc, argv, &o, &words, 2);

	if (!status)
		status = read_words(&words, &w);
	if (!status)
		status = read_expire(&o, &expire);
	if (!status)
		status = w.on_mount ? run_mount(&o, &w, expire)
				    : run_session(&o, &w, expire);
	location_clear(&w.location);
	option_clear(options, &o);
	return status;
}

const struct command presign_command = {
	.verb = "presign",
	.synopsis = "[download|upload] @STAGE/PATH|FILE [--expire N] "
		    "[--content-type T] [--format F]",
	.help = "A URL that downloads or uploads one file without any key; "
		"FILE is a "
		"path on a mount",
	.options = options,
	.run = run,
};
