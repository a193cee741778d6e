/*
 * `stagefs list`: LIST with ordinary options.
 */
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "client/pattern.h"
#include "client/session.h"
#include "stage/location.h"
#include "client/statement.h"

struct list_options {
	char *config, *pattern;
	int format;
	bool header;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct list_options, field), __VA_ARGS__ \
	}
static const struct option options[] = {
	ROW("config", STRING, config, .help = "configuration file"),
	ROW("pattern", STRING, pattern,
	    .help = "a regular expression for what follows the prefix, whole"),
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static int run_session(const struct list_options *o, const char *what,
		       const struct location *where, struct pattern *pattern)
{
	const struct output output = { o->format, o->header };
	struct failure failure = FAILURE_INIT;
	struct session s;
	int status = cmd_status(session_open(o->config, &s));

	if (!status && statement_list(&s, where, pattern, &output, &failure))
		status = cmd_failure(what, &failure);
	session_close(&s);
	failure_clear(&failure);
	return status;
}

static int read_words(const struct list_options *o,
		      const struct cmd_words *words, struct location *where,
		      struct pattern **pattern)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	if (!words->n)
		buf_adds(&why, "which stage? name it as @stage or @stage/path");
	else
		location_parse(words->word[0], where, &why);
	if (!why.len && o->pattern)
		pattern_new(o->pattern, pattern, &why);
	if (why.len)
		status = cmd_usage(&list_command, buf_str(&why));
	buf_clear(&why);
	return status;
}

static int run(int argc, char **argv)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);
	struct list_options o = { 0 };
	struct location where = { 0 };
	struct pattern *pattern = NULL;
	struct cmd_words words;
	int status = cmd_parse(&list_command, argc, argv, &o, &words, 1);

	if (!status)
		status = read_words(&o, &words, &where, &pattern);
	if (!status) {
		buf_addf(&what, "cannot list %s", words.word[0]);
		status = run_session(&o, buf_str(&what), &where, pattern);
	}
	pattern_free(pattern);
	location_clear(&where);
	option_clear(options, &o);
	buf_clear(&what);
	return status;
}

const struct command list_command = {
	.verb = "list",
	.synopsis = "@STAGE[/PREFIX] [--pattern RE] [--format F]",
	.help = "Name, size, md5 (the ETag), last_modified and creator of "
		"files",
	.options = options,
	.run = run,
};
