/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs presign`: what PRESIGN does, without a mount, and what it does not:
 * HEAD, DELETE, parts, many at once. Signing sends no request; only an internal
 * stage is looked up first, so that a typo in its name is an error and not a
 * URL to nowhere. A path on a mount is signed by the mount.
 */
#include "cli/cmd_presign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "client/message.h"
#include "client/mount_presign.h"
#include "client/presign_job.h"
#include "client/session.h"

#define ROW(name_, ...) OPTION_ROW(presign_options, "-" name_, __VA_ARGS__)
static const struct option presign_options[] = {
	CMD_CONFIG_ROW(presign_options),
	ROW("-expire", STRING, expire, .word = "TIME",
	    .help = "how long the URL lives, 1s to 7d (default: "
		    "presign_expire of the configuration, 1h)"),
	ROW("-method", CHOICE, method, .choices = "GET|PUT|HEAD|DELETE|auto",
	    .def = "auto", .help = "auto is GET, or PUT for upload"),
	ROW("-content-type", STRING, r.content_type, .max = 255,
	    .help = "uploads must send this type; a download's answer "
		    "says it"),
	ROW("-content-disposition", STRING, r.content_disposition, .max = 2048,
	    .help = "the same for Content-Disposition; `attachment` has the "
		    "file's own name"),
	ROW("-content-encoding", STRING, r.content_encoding, .max = 255,
	    .help = "the same for Content-Encoding"),
	ROW("-content-language", STRING, r.content_language, .max = 255,
	    .help = "the same for Content-Language"),
	ROW("-cache-control", STRING, r.cache_control, .max = 1024,
	    .help = "the same for Cache-Control"),
	ROW("-http-expires", STRING, r.http_expires, .max = 64,
	    .help = "the same for Expires"),
	ROW("-content-length", STRING, r.content_length, .max = 32,
	    .help = "uploads have exactly so many bytes"),
	ROW("-checksum", STRING, r.checksum, .max = 128,
	    .help = "uploads have this checksum: crc32c=, sha256= or md5= "
		    "and base64 or hexadecimal"),
	ROW("-storage-class", STRING, r.storage_class, .max = 64,
	    .help = "storage class of the upload"),
	ROW("-meta", STRING, meta, .max = 2048, .flags = OPTION_REPEATED,
	    .help = "KEY=VALUE, metadata of the upload; may be repeated"),
	ROW("-send", STRING, headers, .max = 2048, .flags = OPTION_REPEATED,
	    .help = "`NAME: VALUE`, one more header that must be sent; may "
		    "be repeated"),
	ROW("-version-id", STRING, r.version_id, .max = 1024,
	    .help = "this version of the file"),
	ROW("-literal", BOOL, literal, .def = "no",
	    .help = "the file's name does end like `&expire=60`"),
	ROW("-strict", BOOL, r.strict, .def = "no",
	    .help = "credentials that end before the URL are an error, not "
		    "a warning"),
	ROW("-parts", UINT, parts, .min = 1, .max = 10000,
	    .help = "begin a multipart upload and print the URLs of its "
		    "parts, as JSON"),
	ROW("-recursive", BOOL, recursive, .def = "no",
	    .help = "a row for each file of a directory, as a / at its end "
		    "says too"),
	ROW("r", BOOL, recursive, .alias_of = "--recursive"),
	ROW("0", BOOL, nul, .def = "no",
	    .help = "with `-`: locations end in NUL, not in a line break"),
	ROW("-verbose", BOOL, verbose, .def = "no",
	    .help = "each URL on standard error too, without its signature"),
	ROW("-format", CHOICE, format, .choices = OUTPUT_FORMATS "|html",
	    .def = "auto",
	    .help = "auto is a table on a terminal, else TSV; url is the URL "
		    "alone, curl a command line, html a page of links"),
	ROW("-qr", BOOL, qr, .def = "no",
	    .help = "a QR code, for the camera of a phone"),
	ROW("-header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	ROW("-compat-host", BOOL, compat_host, .def = "no",
	    .help = "the host is among the headers, as old servers had it"),
	{ 0 },
};

/* What the words say. */
struct presign_words {
	bool input; /* `-`: locations come on standard input */
	bool on_mount; /* text is a path */
	bool tree; /* all files of a directory */
	struct location location;
	const char *text; /* the location as given */
};

/* --meta and --header, as the signer takes them. Owned. */
struct presign_headers {
	struct field list[PRESIGN_FIELDS_MAX];
	size_t n;
};

/* ---- headers: --meta and --send ---- */

#define META "x-amz-meta-"

static int presign_headers_refuse(struct buf *why, const char *option,
				  const char *form)
{
	return buf_fail(why, -EINVAL, "%s takes %s", option, form);
}

static int presign_headers_add(struct presign_headers *h, const char *prefix,
			       const char *name, size_t name_len,
			       const char *value, size_t value_len,
			       struct buf *why)
{
	struct buf lower = BUF_INIT(BUF_LINE);
	char *copy;

	if (h->n == PRESIGN_FIELDS_MAX)
		return buf_fail(why, -EINVAL, "more than %d headers",
				PRESIGN_FIELDS_MAX);
	buf_adds(&lower, prefix);
	for (size_t i = 0; i < name_len; i++)
		buf_addc(&lower, text_lower(name[i]));
	copy = strndup(value, value_len);
	h->list[h->n].name = buf_detach(&lower);
	h->list[h->n].value = copy;
	if (!h->list[h->n++].name || !copy)
		return buf_fail(why, -ENOMEM, "no memory");
	return 0;
}

static int presign_headers_add_meta(struct presign_headers *h, const char *line,
				    size_t n, struct buf *why)
{
	const char *equals = memchr(line, '=', n);

	if (!equals || equals == line)
		return presign_headers_refuse(why, "--meta", "KEY=VALUE");
	return presign_headers_add(h, META, line, equals - line, equals + 1,
				   line + n - equals - 1, why);
}

static int presign_headers_add_header(struct presign_headers *h,
				      const char *line, size_t n,
				      struct buf *why)
{
	const char *colon = memchr(line, ':', n), *value;

	if (!colon || colon == line)
		return presign_headers_refuse(why, "--send", "`NAME: VALUE`");
	for (value = colon + 1; value < line + n && *value == ' '; value++)
		;
	return presign_headers_add(h, "", line, colon - line, value,
				   line + n - value, why);
}

static int presign_headers_add_lines(struct presign_headers *h,
				     const char *lines,
				     int (*each)(struct presign_headers *h,
						 const char *line, size_t n,
						 struct buf *why),
				     struct buf *why)
{
	int rc = 0;

	for (const char *p = lines; p && *p && !rc;) {
		size_t n = strcspn(p, "\n");

		rc = each(h, p, n, why);
		p += n + (p[n] == '\n');
	}
	return rc;
}

static int presign_headers_read(const struct presign_options *o,
				struct presign_headers *out, struct buf *why)
{
	int rc = presign_headers_add_lines(out, o->meta,
					   presign_headers_add_meta, why);

	return rc ? rc
		  : presign_headers_add_lines(out, o->headers,
					      presign_headers_add_header, why);
}

static void presign_headers_clear(struct presign_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free((char *)h->list[i].name);
		free((char *)h->list[i].value);
	}
	h->n = 0;
}

/* ---- a path on a mount, which signs with its keys and by its rules ---- */

static int presign_mount_path(const struct presign_options *o, const char *path,
			      const struct presign_request *r)
{
	const struct mount_presign ask = {
		.path = path,
		.action = r->action,
		.expire = r->expire,
		.content_type = r->content_type,
	};
	const struct output output = { .format = o->format,
				       .header = o->header,
				       .compat_host = o->compat_host };
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE), why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned row;
	int rc = mount_presign(&ask, &row, &why);

	buf_addf(&what, "cannot presign %s", path);
	if (!rc) {
		rc = presign_job_print(&row, path, r->action, &output,
				       o->verbose);
		store_presign_clear(&row);
	}
	if (rc)
		message(buf_str(&what),
			why.len ? buf_str(&why) : strerror(-rc));
	return rc ? STATUS_FAILED : STATUS_OK;
}

/* ---- the verb's words ---- */

/* The action by the first word and --method, which must not differ. */
static void presign_read_action(const struct presign_options *o,
				const char *word, enum presign_action *out,
				struct buf *why)
{
	static const enum presign_action by_method[] = {
		[VERB_GET] = PRESIGN_DOWNLOAD,
		[VERB_PUT] = PRESIGN_UPLOAD,
		[VERB_HEAD] = PRESIGN_HEAD,
		[VERB_DELETE] = PRESIGN_DELETE,
	};

	*out = PRESIGN_DOWNLOAD;
	if (word && presign_parse_action(word, out))
		buf_addf(why, "%s: the first word is download or upload", word);
	else if (word && o->method != VERB_ANY && by_method[o->method] != *out)
		buf_addf(why, "%s is %s, and --method says otherwise", word,
			 store_presign_method(*out));
	else if (o->method != VERB_ANY)
		*out = by_method[o->method];
}

/* What an attribute's name would take for an argument is no key, as a rule. */
static void presign_check_name(const char *name, struct buf *why)
{
	const char *argument = location_argument(name);

	if (!argument)
		return;
	argument++;
	buf_addf(why,
		 "`&%s` would be part of the file's name: say `--%s %s`, or "
		 "--literal if it is",
		 argument, *argument == 'e' ? "expire" : "content-type",
		 strchr(argument, '=') + 1);
}

static void presign_read_words(const struct cmd_words *words,
			       struct presign_words *out, struct buf *why)
{
	if (!words->n || !*words->word[words->n - 1]) {
		buf_adds(why, "which file? name it as @stage/path, or by its "
			      "path on a mount");
		return;
	}
	out->text = words->word[words->n - 1];
	if (!strcmp(out->text, "-"))
		out->input = true;
	else if (*out->text != '@')
		out->on_mount = true;
	else
		location_parse(out->text, &out->location, why);
}

/* What does not go together, by table. */
static void presign_check_sense(const struct presign_options *o,
				const struct presign_words *w,
				enum presign_action a, struct buf *why)
{
	const struct {
		bool wrong;
		const char *why;
	} rows[] = {
		{ o->nul && !w->input, "-0 is for `-`, standard input" },
		{ o->recursive && w->input,
		  "--recursive lists a directory, `-` reads names" },
		{ o->recursive && w->on_mount,
		  "--recursive takes a location: @stage/directory" },
		{ !w->input && !w->on_mount && !w->tree && !*w->location.path,
		  LOCATION_IS_STAGE },
		{ o->parts && a != PRESIGN_UPLOAD, "--parts is for uploads" },
		{ o->parts && (w->input || w->on_mount || o->recursive),
		  "--parts takes one location: @stage/path" },
		{ o->parts && o->format != TABLE_AUTO &&
			  o->format != TABLE_JSON && o->format != TABLE_NDJSON,
		  "--parts prints JSON" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].wrong && !why->len)
			buf_adds(why, rows[i].why);
}

/* ---- the verb ---- */

static int presign_run_session(const struct presign_options *o,
			       const struct presign_words *w,
			       const struct presign_request *request)
{
	const struct output output = { .format = o->format,
				       .header = o->header,
				       .compat_host = o->compat_host };
	const struct presign_scope scope = { w->tree, (unsigned)o->parts,
					     o->verbose };
	FAILURE_LOCAL failure = FAILURE_INIT;
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);
	SESSION_LOCAL s = { 0 };
	int status = cmd_status(session_open(o->config, &s));

	buf_addf(&what, "cannot presign %s", w->text);
	if (!status && w->input)
		status = cmd_presign_input(&s, o, request);
	else if (!status && presign_job_run(&s, &w->location, request, &scope,
					    &output, &failure))
		status = cmd_failure(buf_str(&what), &failure);
	return status;
}

/* The attributes know the expiry and the type, and nothing else. */
static bool presign_has_more(const struct presign_request *r)
{
	return r->action > PRESIGN_UPLOAD || r->content_disposition ||
	       r->content_encoding || r->content_language || r->cache_control ||
	       r->http_expires || r->version_id || r->content_length ||
	       r->checksum || r->storage_class || r->n_headers || r->strict;
}

/* From words and options to a request. What is wrong is in why then. */
static void presign_read(const struct presign_options *o,
			 const struct cmd_words *words, struct presign_words *w,
			 struct presign_headers *headers,
			 struct presign_request *r, struct buf *why)
{
	presign_read_action(o, words->n == 2 ? words->word[0] : NULL,
			    &r->action, why);
	if (!why->len)
		presign_read_words(words, w, why);
	if (!why->len && !o->literal)
		presign_check_name(w->text, why);
	/* The end of a download's location is its directory's: no file has
	 * such a name. */
	w->tree = o->recursive || (!why->len && !w->input && !w->on_mount &&
				   r->action == PRESIGN_DOWNLOAD &&
				   text_ends_with(w->text, "/"));
	if (!why->len)
		presign_check_sense(o, w, r->action, why);
	if (!why->len && o->expire)
		presign_parse_expire(o->expire, 0, &r->expire, why);
	if (!why->len)
		presign_headers_read(o, headers, why);
	r->headers = headers->list;
	r->n_headers = headers->n;
	if (!why->len && w->on_mount && presign_has_more(r))
		buf_adds(why, "a path on a mount takes --expire and "
			      "--content-type only: name the file as "
			      "@stage/path");
}

static int presign_run_options(const struct presign_options *o,
			       const struct cmd_words *words)
{
	struct presign_headers headers = { .n = 0 };
	struct presign_words w = { 0 };
	struct presign_request r = o->r;
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int status;

	presign_read(o, words, &w, &headers, &r, &why);
	if (why.len)
		status = cmd_usage(&presign_command, buf_str(&why));
	else
		status = w.on_mount ? presign_mount_path(o, w.text, &r)
				    : presign_run_session(o, &w, &r);
	presign_headers_clear(&headers);
	location_clear(&w.location);
	return status;
}

/* 64M is as many bytes in the header; what is no size is said later. */
static int presign_expand_length(struct presign_options *o)
{
	uint64_t bytes;
	char *text;

	if (!o->r.content_length ||
	    parse_size(o->r.content_length, UINT64_MAX, &bytes))
		return 0;
	if (asprintf(&text, "%llu", (unsigned long long)bytes) < 0)
		return -ENOMEM;
	free((char *)o->r.content_length);
	o->r.content_length = text;
	return 0;
}

static int presign_run(const struct command *c, int argc, char **argv)
{
	struct presign_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&presign_command, argc, argv, &o, &words, 2);

	if (o.qr)
		o.format = FORMAT_QR;
	if (!status && presign_expand_length(&o))
		status = cmd_usage(&presign_command, strerror(ENOMEM));
	if (!status)
		status = presign_run_options(&o, &words);
	option_clear(presign_options, &o);
	return status;
}

const struct command presign_command = {
	.verb = "presign",
	.group = GROUP_FILES,
	.brief = "URLs that download or upload without any key",
	.synopsis = "[download|upload] @STAGE/PATH|FILE|- [--expire N] "
		    "[--content-type T] [--format F] [OPTION...]",
	.help = "A URL that downloads or uploads one file without any key; "
		"FILE is a path on a mount, - reads locations from standard "
		"input",
	.options = presign_options,
	.run = presign_run,
};
