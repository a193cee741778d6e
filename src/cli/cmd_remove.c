/*
 * `stagefs remove`: REMOVE with ordinary options, and the safe reading as the
 * default: one file, unless more was asked for.
 */
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "client/pattern.h"
#include "client/session.h"
#include "stage/location.h"
#include "client/statement.h"

struct remove_options {
	char *config, *pattern;
	bool recursive, prefix, dry_run, header;
	int format;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct remove_options, field), __VA_ARGS__ \
	}
static const struct option options[] = {
	ROW("config", STRING, config, .help = "configuration file"),
	ROW("recursive", BOOL, recursive, .def = "no",
	    .help = "a directory with all that is in it"),
	ROW("prefix", BOOL, prefix, .def = "no",
	    .help = "all whose names begin with PATH, as SQL's REMOVE"),
	ROW("pattern", STRING, pattern,
	    .help = "only those of them whose rest matches this regular "
		    "expression, whole"),
	ROW("dry-run", BOOL, dry_run, .def = "no",
	    .help = "print what would go, and remove nothing"),
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static int run_session(const struct remove_options *o, const char *what,
		       const struct location *where,
		       const struct remove_request *request)
{
	const struct output output = { o->format, o->header };
	struct failure failure = FAILURE_INIT;
	struct session s;
	int status = cmd_status(session_open(o->config, &s));

	if (!status && statement_remove(&s, where, request, &output, &failure))
		status = cmd_failure(what, &failure);
	session_close(&s);
	failure_clear(&failure);
	return status;
}

static int read_words(const struct remove_options *o,
		      const struct cmd_words *words, struct location *where,
		      struct remove_request *request)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	request->dry_run = o->dry_run;
	request->scope = o->recursive ? REMOVE_TREE
			 : o->prefix  ? REMOVE_PREFIX
				      : REMOVE_FILE;
	if (!words->n)
		buf_adds(&why, "which file? name it as @stage/path");
	else if (o->recursive && o->prefix)
		buf_adds(&why, "--recursive or --prefix, not both");
	else if (o->pattern && request->scope == REMOVE_FILE)
		buf_adds(&why, "--pattern goes with --recursive or --prefix");
	else
		location_parse(words->word[0], where, &why);
	if (!why.len && o->pattern)
		pattern_new(o->pattern, &request->pattern, &why);
	if (why.len)
		status = cmd_usage(&remove_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int run(int argc, char **argv)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct remove_options o = { 0 };
	struct remove_request request = { 0 };
	struct location where = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&remove_command, argc, argv, &o, &words, 1);

	if (!status)
		status = read_words(&o, &words, &where, &request);
	if (!status) {
		buf_addf(&what, "cannot remove %s", words.word[0]);
		status = run_session(&o, buf_str(&what), &where, &request);
	}
	pattern_free(request.pattern);
	location_clear(&where);
	option_clear(options, &o);
	buf_clear(&what);
	return status;
}

const struct command remove_command = {
	.verb = "remove",
	.synopsis = "@STAGE/PATH [--recursive|--prefix] [--pattern RE] "
		    "[--dry-run]",
	.help = "Removes a file of a stage, or a directory of them",
	.options = options,
	.run = run,
};
