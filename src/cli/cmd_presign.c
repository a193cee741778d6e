/*
 * `stagefs presign`: what PRESIGN does, without a mount, and what it does not:
 * HEAD, DELETE, parts, many at once. Signing asks nobody; only an internal
 * stage is looked up first, so that a typo in its name is an error and not a
 * URL to nowhere. A path on a mount is signed by the mount.
 */
#include "cli/cmd_presign.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "client/session.h"
#include "client/presign_job.h"

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "-" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct presign_options, field), __VA_ARGS__ \
	}
const struct option presign_options[] = {
	ROW("-config", STRING, config, .help = "configuration file"),
	ROW("-expire", STRING, expire,
	    .help = "seconds that the URL lives, 1 to 604800 (default: "
		    "presign_expire of the configuration, 3600)"),
	ROW("-method", CHOICE, method, .choices = "GET|PUT|HEAD|DELETE|auto",
	    .def = "auto", .help = "auto is GET, or PUT for upload"),
	ROW("-content-type", STRING, content_type, .max = 255,
	    .help = "uploads must send this type; a download's answer "
		    "says it"),
	ROW("-content-disposition", STRING, content_disposition, .max = 2048,
	    .help = "the same for Content-Disposition; `attachment` has the "
		    "file's own name"),
	ROW("-content-encoding", STRING, content_encoding, .max = 255,
	    .help = "the same for Content-Encoding"),
	ROW("-content-language", STRING, content_language, .max = 255,
	    .help = "the same for Content-Language"),
	ROW("-cache-control", STRING, cache_control, .max = 1024,
	    .help = "the same for Cache-Control"),
	ROW("-http-expires", STRING, http_expires, .max = 64,
	    .help = "the same for Expires"),
	ROW("-content-length", STRING, content_length, .max = 32,
	    .help = "uploads have exactly so many bytes"),
	ROW("-checksum", STRING, checksum, .max = 128,
	    .help = "uploads have this checksum: crc32c=, sha256= or md5= "
		    "and base64 or hexadecimal"),
	ROW("-storage-class", STRING, storage_class, .max = 64,
	    .help = "storage class of the upload"),
	ROW("-meta", STRING, meta, .max = 2048, .flags = OPTION_REPEATED,
	    .help = "KEY=VALUE, metadata of the upload; may be repeated"),
	ROW("-send", STRING, headers, .max = 2048, .flags = OPTION_REPEATED,
	    .help = "`NAME: VALUE`, one more header that must be sent; may "
		    "be repeated"),
	ROW("-version-id", STRING, version_id, .max = 1024,
	    .help = "this version of the file"),
	ROW("-strict", BOOL, strict, .def = "no",
	    .help = "credentials that end before the URL are an error, not "
		    "a warning"),
	ROW("-parts", UINT, parts, .min = 1, .max = 10000,
	    .help = "begin a multipart upload and print the URLs of its "
		    "parts, as JSON"),
	ROW("-recursive", BOOL, recursive, .def = "no",
	    .help = "a row for each file of a directory"),
	ROW("0", BOOL, nul, .def = "no",
	    .help = "with `-`: locations end in NUL, not in a line break"),
	ROW("-verbose", BOOL, verbose, .def = "no",
	    .help = "each URL on standard error too, without its signature"),
	ROW("-format", CHOICE, format, .choices = OUTPUT_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV; url is the URL "
		    "alone, curl a command line"),
	ROW("-header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	ROW("-compat-host", BOOL, compat_host, .def = "no",
	    .help = "the host is among the headers, as old servers had it"),
	{ 0 },
};

static int usage(const char *why)
{
	return cmd_usage(&presign_command, why);
}

/* ---- words ---- */

/* The action by the first word and --method, which must not differ. */
static int read_action(const struct presign_options *o, const char *word,
		       enum presign_action *out)
{
	static const enum presign_action by_method[] = {
		[VERB_GET] = PRESIGN_DOWNLOAD,
		[VERB_PUT] = PRESIGN_UPLOAD,
		[VERB_HEAD] = PRESIGN_HEAD,
		[VERB_DELETE] = PRESIGN_DELETE,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	*out = PRESIGN_DOWNLOAD;
	if (word && presign_parse_action(word, out))
		buf_addf(&why, "%s: the first word is download or upload",
			 word);
	else if (word && o->method != VERB_ANY && by_method[o->method] != *out)
		buf_addf(&why, "%s is %s, and --method says otherwise", word,
			 store_presign_method(*out));
	else if (o->method != VERB_ANY)
		*out = by_method[o->method];
	if (why.len)
		status = usage(buf_str(&why));
	buf_clear(&why);
	return status;
}

static int read_words(const struct cmd_words *words, struct presign_words *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	if (!words->n || !*words->word[words->n - 1])
		return usage("which file? name it as @stage/path, or by its "
			     "path on a mount");
	out->text = words->word[words->n - 1];
	if (!strcmp(out->text, "-"))
		out->input = true;
	else if (*out->text != '@')
		out->on_mount = true;
	else if (location_parse(out->text, &out->location, &why))
		status = usage(buf_str(&why));
	buf_clear(&why);
	return status;
}

/* What does not go together, by table. */
static int check_sense(const struct presign_options *o,
		       const struct presign_words *w, enum presign_action a)
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
		{ !w->input && !w->on_mount && !o->recursive &&
			  !*w->location.path,
		  LOCATION_IS_STAGE },
		{ o->parts && a != PRESIGN_UPLOAD, "--parts is for uploads" },
		{ o->parts && (w->input || w->on_mount || o->recursive),
		  "--parts takes one location: @stage/path" },
		{ o->parts && o->format != TABLE_AUTO &&
			  o->format != TABLE_JSON && o->format != TABLE_NDJSON,
		  "--parts prints JSON" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].wrong)
			return usage(rows[i].why);
	return STATUS_OK;
}

static int read_expire(const struct presign_options *o, int64_t *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	*out = 0;
	if (o->expire && presign_parse_expire(o->expire, 0, out, &why))
		status = usage(buf_str(&why));
	buf_clear(&why);
	return status;
}

static int read_headers(const struct presign_options *o,
			struct presign_headers *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	if (cmd_presign_headers_read(o, out, &why))
		status = usage(buf_str(&why));
	buf_clear(&why);
	return status;
}

/* ---- the verb ---- */

static int sign_location(struct session *s, const struct presign_options *o,
			 const struct presign_words *w,
			 const struct presign_request *request,
			 struct failure *f)
{
	const struct output output = { o->format, o->header, o->compat_host };
	struct failure second = FAILURE_INIT;
	struct presign_job *j;
	bool go_on;
	int rc, end;

	if (o->parts)
		return presign_job_parts(s, &w->location, request, o->parts,
					 &output, f);
	j = presign_job_new(s, request, &output, o->verbose);
	if (!j)
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	rc = o->recursive ? presign_job_tree(j, &w->location, f)
			  : presign_job_row(j, &w->location, f, &go_on);
	end = presign_job_end(j, rc, rc ? &second : f);
	failure_clear(&second);
	return rc ? rc : end;
}

static int run_session(const struct presign_options *o,
		       const struct presign_words *w,
		       const struct presign_request *request)
{
	struct failure failure = FAILURE_INIT;
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct session s;
	int status = cmd_status(session_open(o->config, &s));

	buf_addf(&what, "cannot presign %s", w->text);
	if (!status && w->input)
		status = cmd_presign_input(&s, o, request);
	else if (!status && sign_location(&s, o, w, request, &failure))
		status = cmd_failure(buf_str(&what), &failure);
	session_close(&s);
	failure_clear(&failure);
	buf_clear(&what);
	return status;
}

/* The attributes know the expiry and the type, and nothing else. */
static bool has_more(const struct presign_request *r)
{
	return r->action > PRESIGN_UPLOAD || r->content_disposition ||
	       r->content_encoding || r->content_language || r->cache_control ||
	       r->http_expires || r->version_id || r->content_length ||
	       r->checksum || r->storage_class || r->n_headers || r->strict;
}

static int check_mount(const struct presign_words *w,
		       const struct presign_request *r)
{
	if (w->on_mount && has_more(r))
		return usage("a path on a mount takes --expire and "
			     "--content-type only: name the file as "
			     "@stage/path");
	return STATUS_OK;
}

static int run_options(const struct presign_options *o,
		       const struct cmd_words *words)
{
	struct presign_headers headers = { .n = 0 };
	struct presign_words w = { 0 };
	struct presign_request r = {
		.content_type = o->content_type,
		.content_disposition = o->content_disposition,
		.content_encoding = o->content_encoding,
		.content_language = o->content_language,
		.cache_control = o->cache_control,
		.http_expires = o->http_expires,
		.version_id = o->version_id,
		.content_length = o->content_length,
		.checksum = o->checksum,
		.storage_class = o->storage_class,
		.strict = o->strict,
	};
	int status = read_action(o, words->n == 2 ? words->word[0] : NULL,
				 &r.action);

	if (!status)
		status = read_words(words, &w);
	if (!status)
		status = check_sense(o, &w, r.action);
	if (!status)
		status = read_expire(o, &r.expire);
	if (!status)
		status = read_headers(o, &headers);
	r.headers = headers.list;
	r.n_headers = headers.n;
	if (!status)
		status = check_mount(&w, &r);
	if (!status)
		status = w.on_mount ? cmd_presign_mount(o, w.text, &r)
				    : run_session(o, &w, &r);
	cmd_presign_headers_clear(&headers);
	location_clear(&w.location);
	return status;
}

static int run(int argc, char **argv)
{
	struct presign_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&presign_command, argc, argv, &o, &words, 2);

	if (!status)
		status = run_options(&o, &words);
	option_clear(presign_options, &o);
	return status;
}

const struct command presign_command = {
	.verb = "presign",
	.synopsis = "[download|upload] @STAGE/PATH|FILE|- [--expire N] "
		    "[--content-type T] [--format F] [OPTION...]",
	.help = "A URL that downloads or uploads one file without any key; "
		"FILE is a path on a mount, - reads locations from standard "
		"input",
	.options = presign_options,
	.run = run,
};
