/*
 * `stagefs create`, `drop`, `show` and `desc`: the life of stages with
 * ordinary options. `create` fills the structure that CREATE STAGE parses to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ini.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/session.h"
#include "client/stages.h"
#include "stage/conf/conn.h"
#include "client/statement.h"

struct stages_options {
	char *config;
	bool replace, if_not_exists, if_exists, recursive, header;
	int format;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct stages_options, field), __VA_ARGS__ \
	}
#define CONFIG_ROW ROW("config", STRING, config, .help = "configuration file")
#define OUTPUT_ROWS \
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto", \
	    .help = "auto is a table on a terminal, else TSV"), \
		ROW("header", BOOL, header, .def = "no", \
		    .help = "names of the columns first (TSV, CSV)")

static const struct option create_options[] = {
	CONFIG_ROW,
	ROW("replace", BOOL, replace, .def = "no",
	    .help = "a stage of that name goes first; an internal one with "
		    "its files"),
	ROW("if-not-exists", BOOL, if_not_exists, .def = "no",
	    .help = "do nothing when there is one"),
	{ 0 },
};
static const struct option drop_options[] = {
	CONFIG_ROW,
	ROW("if-exists", BOOL, if_exists, .def = "no",
	    .help = "do nothing when there is none"),
	ROW("recursive", BOOL, recursive, .def = "no",
	    .help = "the files of an internal stage go too"),
	{ 0 },
};
static const struct option show_options[] = {
	CONFIG_ROW,
	OUTPUT_ROWS,
	{ 0 },
};

/* ---- what they share ---- */

/* What a verb does in an open session; what: as in `cannot drop s`. */
struct job {
	int (*run)(struct session *s, const void *arg, struct failure *f);
	const void *arg;
	const char *what;
};

static int run_job(const struct stages_options *o, const struct job *job)
{
	struct failure failure = FAILURE_INIT;
	struct session s;
	int status = cmd_status(session_open(o->config, &s));

	if (!status && job->run(&s, job->arg, &failure))
		status = cmd_failure(job->what, &failure);
	session_close(&s);
	failure_clear(&failure);
	return status;
}

static int run_named(const struct stages_options *o, const char *verb,
		     const char *name, struct job job)
{
	struct buf what = BUF_INIT(BUF_MESSAGE);
	int status;

	buf_addf(&what, "cannot %s %s", verb, name);
	job.what = buf_str(&what);
	status = run_job(o, &job);
	buf_clear(&what);
	return status;
}

/* ---- create ---- */

static int add_pair(struct sql_statement *q, const char *key, char *value)
{
	struct sql_pair *pair =
		realloc(q->connection, (q->n_connection + 1) * sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	q->connection = pair;
	q->has_connection = true;
	pair += q->n_connection++;
	*pair = (struct sql_pair){ .value = { .s = value } };
	pair->name.s = strdup(key);
	return pair->name.s ? 0 : -ENOMEM;
}

static struct sql_text *clause(struct sql_statement *q, const char *key)
{
	return !strcasecmp(key, "url")            ? &q->url
	       : !strcasecmp(key, "comment")      ? &q->comment
	       : !strcasecmp(key, "file_format")  ? &q->file_format
	       : !strcasecmp(key, "copy_options") ? &q->copy_options
						  : NULL;
}

/* A secret on a command line, other than by a reference, is seen by others. */
static void warn_secret(const char *key, const char *value)
{
	const struct option *row = option_find(conn_options, key);

	if (row && (row->flags & OPTION_SECRET) && !ini_has_reference(value))
		message("warning",
			"others can see a secret on a command line: write "
			"${file:PATH} or ${env:NAME} for it");
}

/* KEY=VALUE; references in the value are expanded. */
static int take_word(struct sql_statement *q, const char *word, struct buf *why)
{
	struct buf value = BUF_INIT(BUF_LINE), text = BUF_INIT(BUF_MESSAGE);
	size_t n = strcspn(word, "=");
	char *key = strndup(word, n), *copy;
	struct sql_text *to;
	int rc = -ENOMEM;

	if (!word[n]) {
		buf_addf(why, "%s: a setting is KEY=VALUE", word);
		rc = -EINVAL;
	} else if (key) {
		warn_secret(key, word + n + 1);
		rc = ini_expand(word + n + 1, &value, &text);
		if (rc)
			buf_addf(why, "%s: %s", key, buf_str(&text));
	}
	copy = rc ? NULL : value.len ? buf_detach(&value) : strdup("");
	if (!rc && !copy) {
		rc = -ENOMEM;
	} else if (!rc && (to = clause(q, key))) {
		free(to->s);
		to->s = copy;
	} else if (!rc) {
		rc = add_pair(q, key, copy);
	}
	free(key);
	buf_wipe(&value);
	buf_clear(&text);
	return rc;
}

static int run_create_job(struct session *s, const void *arg, struct failure *f)
{
	return stages_create(s, arg, f);
}

static int read_create(const struct stages_options *o,
		       const struct cmd_words *words, struct sql_statement *q)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK, rc = 0;

	q->kind = SQL_CREATE_STAGE;
	q->or_replace = o->replace;
	q->if_not_exists = o->if_not_exists;
	if (!words->n)
		buf_adds(&why, "what is the stage's name?");
	else if (o->replace && o->if_not_exists)
		buf_adds(&why, "--replace or --if-not-exists, not both");
	else if (!(q->name.s = strdup(words->word[0])))
		rc = -ENOMEM;
	for (unsigned i = 1; i < words->n && !rc && !why.len; i++)
		rc = take_word(q, words->word[i], &why);
	if (!rc && !why.len && q->has_connection && !q->url.s)
		buf_adds(&why, "connection settings without url=...: an "
			       "internal stage has none");
	if (why.len || rc)
		status = cmd_usage(&create_command,
				   why.len ? buf_str(&why) : strerror(-rc));
	buf_clear(&why);
	return status;
}

static int run_create(int argc, char **argv)
{
	struct stages_options o = { 0 };
	struct sql_statement q = { 0 };
	struct cmd_words words;
	int status =
		cmd_parse(&create_command, argc, argv, &o, &words, WORDS_MAX);

	if (!status)
		status = read_create(&o, &words, &q);
	if (!status)
		status = run_named(&o, "create", q.name.s,
				   (struct job){ run_create_job, &q });
	sql_statement_clear(&q);
	option_clear(create_options, &o);
	return status;
}

const struct command create_command = {
	.verb = "create",
	.synopsis = "NAME [url=s3://BUCKET/PATH/|url=fs:///DIRECTORY/] "
		    "[KEY=VALUE]...",
	.help = "Makes a stage: an external one with a url, else an internal "
		"one; keys are those of [stage NAME]",
	.options = create_options,
	.run = run_create,
};

/* ---- drop ---- */

struct drop_job {
	const struct stages_options *o;
	const char *name;
};

static int run_drop_job(struct session *s, const void *arg, struct failure *f)
{
	const struct drop_job *d = arg;

	return stages_drop(s, d->name, d->o->if_exists, d->o->recursive, f);
}

static int run_drop(int argc, char **argv)
{
	struct stages_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&drop_command, argc, argv, &o, &words, 1);
	const struct drop_job d = { &o, status ? "" : words.word[0] };

	if (!status && !words.n)
		status = cmd_usage(&drop_command, "which stage?");
	if (!status)
		status = run_named(&o, "drop", d.name,
				   (struct job){ run_drop_job, &d });
	option_clear(drop_options, &o);
	return status;
}

const struct command drop_command = {
	.verb = "drop",
	.synopsis = "NAME [--recursive] [--if-exists]",
	.help = "Drops a stage; files of an external one stay where they are",
	.options = drop_options,
	.run = run_drop,
};

/* ---- show, desc ---- */

struct show_job {
	struct output output;
	const char *name; /* NULL: any */
};

static int run_show_job(struct session *s, const void *arg, struct failure *f)
{
	const struct show_job *j = arg;

	return stages_show(s, j->name, UINT64_MAX, &j->output, f);
}

static int run_desc_job(struct session *s, const void *arg, struct failure *f)
{
	const struct show_job *j = arg;

	return stages_show_one(s, j->name, true, &j->output, f);
}

static int run_show(int argc, char **argv)
{
	struct stages_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&show_command, argc, argv, &o, &words, 1);
	struct show_job j = { { o.format, o.header } };
	const struct job job = { run_show_job, &j, "cannot show the stages" };

	if (!status) {
		j.name = words.n ? words.word[0] : NULL;
		status = run_job(&o, &job);
	}
	option_clear(show_options, &o);
	return status;
}

const struct command show_command = {
	.verb = "show",
	.synopsis = "[PATTERN] [--format F]",
	.help = "The stages, without ~; PATTERN is LIKE's: % any run, _ any "
		"character",
	.options = show_options,
	.run = run_show,
};

static int run_desc(int argc, char **argv)
{
	struct stages_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&desc_command, argc, argv, &o, &words, 1);
	struct show_job j = { { o.format, o.header } };

	if (!status && !words.n)
		status = cmd_usage(&desc_command, "which stage?");
	if (!status) {
		j.name = words.word[0];
		status = run_named(&o, "describe", j.name,
				   (struct job){ run_desc_job, &j });
	}
	option_clear(show_options, &o);
	return status;
}

const struct command desc_command = {
	.verb = "desc",
	.synopsis = "NAME [--format F]",
	.help = "What a stage is and where; secrets are masked",
	.options = show_options,
	.run = run_desc,
};
