/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that are statements with ordinary options: each fills the structure
 * that SQL parses to, and it is run as SQL's. What is wrong with the words is
 * told before the configuration is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/ini.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/pattern.h"
#include "client/session.h"
#include "client/statement.h"
#include "stage/conf/conn.h"
#include "stage/location.h"

struct statement_options {
	char *config, *pattern;
	bool recursive, prefix; /* remove */
	bool as_usual; /* list: what ls(1)'s users type */
	char *unset; /* alter */
	bool header;
	int format;
	struct sql_statement q; /* what the verb means */
};

#define ROW(name_, ...) OPTION_ROW(statement_options, "--" name_, __VA_ARGS__)
#define LETTER(letter_, type_, field, of_) \
	OPTION_ROW(statement_options, "-" letter_, type_, field, \
		   .alias_of = "--" of_)
#define CONFIG_ROW CMD_CONFIG_ROW(statement_options)
#define OUTPUT_ROWS \
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto", \
	    .help = "auto is a table on a terminal, else TSV"), \
		ROW("header", BOOL, header, .def = "no", \
		    .help = "names of the columns first (TSV, CSV)")

struct statement_verb {
	const char *cannot; /* `cannot list @s/a` */
	unsigned words; /* at most */
	bool each; /* word is a location of its own */
	/* 0 or -errno; what is wrong with the words in why. Of several
	 * locations the first is taken. */
	int (*fill)(struct statement_options *o, const struct cmd_words *words,
		    struct buf *why);
	/* SQL's word behind the verb, which may be there: `drop stage s`. */
	const char *noun;
	bool noun_alone; /* nothing need be behind it: `show stages` */
};

/* ---- what they share ---- */

/* Runs it for one word, which the verb may lack. An enum cmd_status. */
static int statement_run_word(struct session *s, const struct statement_verb *v,
			      const struct sql_statement *q,
			      const struct output *output, const char *word)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);
	FAILURE_LOCAL failure = FAILURE_INIT;

	if (!statement_run(s, q, output, &failure))
		return STATUS_OK;
	buf_addf(&what, "cannot %s%s%s", v->cannot,
		 q->kind == SQL_SHOW_STAGES ? "" : " ",
		 q->kind == SQL_SHOW_STAGES ? "" : word);
	return cmd_failure(buf_str(&what), &failure);
}

static int statement_take(const char *word, struct sql_text *out)
{
	free(out->s);
	out->s = strdup(word);
	return out->s ? 0 : -ENOMEM;
}

/* One location after the other, whatever becomes of the one before. */
static int statement_run_each(struct session *s, const struct statement_verb *v,
			      struct sql_statement *q, struct output *output,
			      const struct cmd_words *words)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	struct several all;
	int status = STATUS_OK;
	int rc = statement_several_begin(q, output, &all);

	for (unsigned i = 0; i < words->n && !rc && !ferror(stdout); i++) {
		rc = statement_take(words->word[i], &q->location);
		if (!rc && statement_run_word(s, v, q, output, words->word[i]))
			all.refused = true;
	}
	if (rc)
		message(v->cannot, strerror(-rc));
	if (statement_several_end(q, output, &failure) && !all.refused)
		status = cmd_failure(v->cannot, &failure);
	return rc || all.refused ? STATUS_FAILED : status;
}

static int statement_session(struct statement_options *o,
			     const struct statement_verb *v,
			     const struct cmd_words *words)
{
	struct output output = {
		.format = o->format,
		.header = o->header,
		.brief = output_is_for_person(o->format),
	};
	SESSION_LOCAL s = { 0 };
	int status = cmd_status(session_open(o->config, &s));

	if (status)
		return status;
	return v->each && words->n > 1
		       ? statement_run_each(&s, v, &o->q, &output, words)
		       : statement_run_word(&s, v, &o->q, &output,
					    words->n ? words->word[0] : "");
}

/* A stage may have that name: then it stands alone. */
static bool statement_has_noun(const struct statement_verb *v,
			       const struct cmd_words *words)
{
	return v->noun && words->n && !strcasecmp(words->word[0], v->noun) &&
	       (words->n == 1 ? v->noun_alone : !strchr(words->word[1], '='));
}

static int statement_parse(const struct command *c, int argc, char **argv,
			   struct statement_options *o, struct cmd_words *words)
{
	const struct statement_verb *v = c->how;
	unsigned most = v->words + (v->noun && v->words != WORDS_ANY);
	int status = cmd_parse(c, argc, argv, o, words, most);

	if (!status && statement_has_noun(v, words)) {
		words->word++;
		words->n--;
	}
	if (!status && words->n > v->words)
		status = cmd_usage(c, "too many arguments");
	return status;
}

static int statement_run_verb(const struct command *c, int argc, char **argv)
{
	const struct statement_verb *v = c->how;
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct statement_options o = { 0 };
	struct cmd_words words;
	int status = statement_parse(c, argc, argv, &o, &words);
	int rc = status ? 0 : v->fill(&o, &words, &why);

	if (rc || why.len)
		status = cmd_usage(c, why.len ? buf_str(&why) : strerror(-rc));
	else if (!status)
		status = statement_session(&o, v, &words);
	sql_statement_clear(&o.q);
	option_clear(c->options, &o);
	return status;
}

/* The one word that a verb must have. */
static int statement_take_word(const struct cmd_words *words, const char *which,
			       struct sql_text *out, struct buf *why)
{
	if (words->n)
		return statement_take(words->word[0], out);
	buf_adds(why, which);
	return 0;
}

/* The same for a stage: its name, which may be written as a location. */
static int statement_take_stage(const struct cmd_words *words,
				const char *which, struct sql_text *out,
				struct buf *why)
{
	int rc = statement_take_word(words, which, out, why);
	size_t len;

	if (rc || why->len || *out->s != '@')
		return rc;
	len = strlen(out->s) - 1;
	memmove(out->s, out->s + 1, len + 1);
	if (len > 1 && out->s[len - 1] == '/')
		out->s[len - 1] = '\0';
	return 0;
}

/* Locations and --pattern, which are what they should be. */
static int statement_take_files(struct statement_options *o,
				const struct cmd_words *words,
				const char *which, struct buf *why)
{
	struct sql_statement *q = &o->q;
	struct pattern *pattern = NULL;
	int rc = statement_take_word(words, which, &q->location, why);

	for (unsigned i = 0; i < words->n && !rc && !why->len; i++)
		location_check(words->word[i], why);
	if (!rc && !why->len && o->pattern) {
		pattern_new(o->pattern, &pattern, why);
		rc = statement_take(o->pattern, &q->pattern);
	}
	pattern_free(pattern);
	return rc;
}

/* ---- list, remove ---- */

static const struct option list_options[] = {
	CONFIG_ROW,
	ROW("pattern", STRING, pattern,
	    .help = "a regular expression for what follows the prefix, whole"),
	ROW("human", BOOL, q.human, .def = "no", .help = "sizes as 1.5 GiB"),
	LETTER("h", BOOL, q.human, "human"),
	ROW("one-level", BOOL, q.one_level, .def = "no",
	    .help = "directories as dir/, not what is in them"),
	LETTER("1", BOOL, q.one_level, "one-level"),
	ROW("long", BOOL, as_usual, .def = "no",
	    .help = "all that is known of a file: so it is without, too"),
	LETTER("l", BOOL, as_usual, "long"),
	LETTER("a", BOOL, as_usual, "long"),
	ROW("sort", CHOICE, q.sort, .choices = "name|size|time", .def = "name",
	    .help = "the largest or the youngest first"),
	OUTPUT_ROWS,
	{ 0 },
};

static int statement_list_fill(struct statement_options *o,
			       const struct cmd_words *words, struct buf *why)
{
	o->q.kind = SQL_LIST;
	return statement_take_files(
		o, words, "which stage? name it as @stage or @stage/path", why);
}

const struct command list_command = {
	.verb = "list",
	.also = "ls",
	.group = GROUP_FILES,
	.brief = "files of a stage",
	.synopsis = "@STAGE[/PREFIX]... [-h] [-1] [--sort KEY] [--pattern RE] "
		    "[--format F]",
	.help = "Name, size, md5 (the ETag), last_modified and creator of "
		"the files whose names begin with PREFIX, at any depth: "
		"@s/t has t8/a as well, @s/t/ only what is in t; of several "
		"locations a terminal shows a table each, and a program gets "
		"rows whose names are @STAGE/PATH",
	.options = list_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "list", WORDS_ANY, true,
					       statement_list_fill },
};

static const struct option remove_options[] = {
	CONFIG_ROW,
	ROW("recursive", BOOL, recursive, .def = "no",
	    .help = "a directory with all that is in it"),
	LETTER("r", BOOL, recursive, "recursive"),
	ROW("force", BOOL, q.if_exists, .def = "no",
	    .help = "what is not there is no error"),
	LETTER("f", BOOL, q.if_exists, "force"),
	ROW("prefix", BOOL, prefix, .def = "no",
	    .help = "all whose names begin with PATH, as SQL's REMOVE"),
	ROW("pattern", STRING, pattern,
	    .help = "only those of them whose rest matches this regular "
		    "expression, whole"),
	ROW("dry-run", BOOL, q.dry_run, .def = "no",
	    .help = "print what would go, and remove nothing"),
	OUTPUT_ROWS,
	{ 0 },
};

/* The safe reading is the default: one file, unless more is asked for. */
static int statement_remove_fill(struct statement_options *o,
				 const struct cmd_words *words, struct buf *why)
{
	o->q.kind = SQL_REMOVE;
	o->q.scope = o->recursive ? SQL_SCOPE_TREE
		     : o->prefix  ? SQL_SCOPE_PREFIX
				  : SQL_SCOPE_FILE;
	if (words->n && o->recursive && o->prefix)
		buf_adds(why, "--recursive or --prefix, not both");
	else if (words->n && o->pattern && o->q.scope == SQL_SCOPE_FILE)
		buf_adds(why, "--pattern goes with --recursive or --prefix");
	return why->len ? 0
			: statement_take_files(
				  o, words,
				  "which file? name it as @stage/path", why);
}

const struct command remove_command = {
	.verb = "remove",
	.also = "rm",
	.group = GROUP_FILES,
	.brief = "remove files, or with --recursive directories",
	.synopsis = "@STAGE/PATH... [--recursive|--prefix] [--force] "
		    "[--pattern RE] [--dry-run]",
	.help = "Removes files of stages, or directories of them; what cannot "
		"be removed is said, and the others go",
	.options = remove_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "remove", WORDS_ANY, true,
					       statement_remove_fill },
};

/* ---- create ---- */

static const struct option create_options[] = {
	CONFIG_ROW,
	ROW("replace", BOOL, q.or_replace, .def = "no",
	    .help = "a stage of that name goes first; an internal one with "
		    "its files"),
	ROW("if-not-exists", BOOL, q.if_not_exists, .def = "no",
	    .help = "do nothing when there is one"),
	{ 0 },
};

static int statement_create_add_pair(struct sql_statement *q, const char *key,
				     char *value)
{
	struct sql_pair *pair = sql_stage_pair(q);

	if (!pair) {
		free(value);
		return -ENOMEM;
	}
	q->has_connection = true;
	pair->value.s = value;
	pair->name.s = strdup(key);
	return pair->name.s ? 0 : -ENOMEM;
}

static struct sql_text *statement_create_clause(struct sql_statement *q,
						const char *key)
{
	return !strcasecmp(key, "url")            ? &q->url
	       : !strcasecmp(key, "comment")      ? &q->comment
	       : !strcasecmp(key, "file_format")  ? &q->file_format
	       : !strcasecmp(key, "copy_options") ? &q->copy_options
						  : NULL;
}

/* A secret on a command line, other than by a reference, is seen by others. */
static void statement_create_warn_secret(const char *key, const char *value)
{
	const struct option *row = option_find(conn_options, key);

	if (row && (row->flags & OPTION_SECRET) && !ini_has_reference(value))
		message("warning",
			"others can see a secret on a command line: write "
			"${file:PATH} or ${env:NAME} for it");
}

/* KEY=VALUE; references in the value are expanded. */
static int statement_create_take_word(struct sql_statement *q, const char *word,
				      struct buf *why)
{
	BUF_SECRET value = BUF_INIT(BUF_LINE);
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);
	size_t n = strcspn(word, "=");
	char *key = strndup(word, n), *copy;
	struct sql_text *to;
	int rc = -ENOMEM;

	if (!word[n]) {
		rc = buf_fail(why, -EINVAL, "%s: a setting is KEY=VALUE", word);
	} else if (key) {
		statement_create_warn_secret(key, word + n + 1);
		rc = ini_expand(word + n + 1, &value, &text);
		if (rc)
			buf_addf(why, "%s: %s", key, buf_str(&text));
	}
	copy = rc ? NULL : value.len ? buf_detach(&value) : strdup("");
	if (!rc && !copy) {
		rc = -ENOMEM;
	} else if (!rc && (to = statement_create_clause(q, key))) {
		free(to->s);
		to->s = copy;
	} else if (!rc) {
		rc = statement_create_add_pair(q, key, copy);
	}
	free(key);
	return rc;
}

static int statement_create_fill(struct statement_options *o,
				 const struct cmd_words *words, struct buf *why)
{
	struct sql_statement *q = &o->q;
	int rc;

	q->kind = SQL_CREATE_STAGE;
	if (words->n && q->or_replace && q->if_not_exists)
		return buf_fail(why, 0,
				"--replace or --if-not-exists, not both");
	rc = statement_take_stage(words, "what is the stage's name?", &q->name,
				  why);
	for (unsigned i = 1; i < words->n && !rc && !why->len; i++)
		rc = statement_create_take_word(q, words->word[i], why);
	if (!rc && !why->len && q->has_connection && !q->url.s)
		buf_adds(why, "connection settings without url=...: an "
			      "internal stage has none");
	return rc;
}

const struct command create_command = {
	.verb = "create",
	.group = GROUP_STAGES,
	.brief = "make a stage",
	.synopsis = "NAME [url=s3://BUCKET/PATH/|url=fs:///DIRECTORY/] "
		    "[KEY=VALUE]...",
	.help = "Makes a stage: an external one with a url, else an internal "
		"one; keys are those of [stage NAME]",
	.options = create_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "create", WORDS_ANY, false,
					       statement_create_fill, "stage" },
};

/* ---- alter ---- */

static const struct option alter_options[] = {
	CONFIG_ROW,
	ROW("unset", STRING, unset, .word = "KEY,...",
	    .help = "forget comment, file_format or copy_options"),
	ROW("if-exists", BOOL, q.if_exists, .def = "no",
	    .help = "do nothing when there is none"),
	{ 0 },
};

static void statement_alter_take_unset(const char *list,
				       struct sql_statement *q, struct buf *why)
{
	static const char *const keys[] = { "comment", "file_format",
					    "copy_options" };

	for (const char *p = list; *p && !why->len; p += *p == ',') {
		size_t n = strcspn(p, ","), i;

		for (i = 0; i < 3; i++)
			if (strlen(keys[i]) == n && !strncasecmp(keys[i], p, n))
				break;
		if (i == 3)
			buf_addf(why,
				 "--unset: %.*s: comment, file_format or "
				 "copy_options",
				 (int)n, p);
		else
			q->unset |= 1u << i;
		p += n;
	}
}

static int statement_alter_fill(struct statement_options *o,
				const struct cmd_words *words, struct buf *why)
{
	struct sql_statement *q = &o->q;
	int rc;

	q->kind = SQL_ALTER_STAGE;
	if (o->unset)
		statement_alter_take_unset(o->unset, q, why);
	if (words->n == 1 && !q->unset && !why->len)
		buf_adds(why, "what shall change? KEY=VALUE, or --unset KEY");
	else if (words->n > 1 && q->unset)
		buf_adds(why, "KEY=VALUE or --unset, not both");
	if (why->len)
		return 0;
	rc = statement_take_stage(words, "which stage?", &q->name, why);
	for (unsigned i = 1; i < words->n && !rc && !why->len; i++)
		rc = statement_create_take_word(q, words->word[i], why);
	return rc;
}

const struct command alter_command = {
	.verb = "alter",
	.group = GROUP_STAGES,
	.brief = "change settings of a stage",
	.synopsis = "STAGE KEY=VALUE... | STAGE --unset KEY,...",
	.help = "Changes settings of a stage that create made; keys are those "
		"of [stage NAME]",
	.options = alter_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "alter", WORDS_ANY, false,
					       statement_alter_fill, "stage" },
};

/* ---- drop, show, desc ---- */

static const struct option drop_options[] = {
	CONFIG_ROW,
	ROW("if-exists", BOOL, q.if_exists, .def = "no",
	    .help = "do nothing when there is none"),
	ROW("recursive", BOOL, recursive, .def = "no",
	    .help = "the files of an internal stage go too"),
	{ 0 },
};

static int statement_drop_fill(struct statement_options *o,
			       const struct cmd_words *words, struct buf *why)
{
	o->q.kind = SQL_DROP_STAGE;
	o->q.keep_files = !o->recursive;
	return statement_take_stage(words, "which stage?", &o->q.name, why);
}

const struct command drop_command = {
	.verb = "drop",
	.group = GROUP_STAGES,
	.brief = "drop a stage",
	.synopsis = "STAGE [--recursive] [--if-exists]",
	.help = "Drops a stage; files of an external one stay where they are",
	.options = drop_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "drop", 1, false,
					       statement_drop_fill, "stage" },
};

static const struct option show_options[] = {
	CONFIG_ROW,
	OUTPUT_ROWS,
	{ 0 },
};

static int statement_show_fill(struct statement_options *o,
			       const struct cmd_words *words, struct buf *why)
{
	o->q.kind = SQL_SHOW_STAGES;
	return words->n ? statement_take(words->word[0], &o->q.like) : 0;
}

const struct command show_command = {
	.verb = "show",
	.group = GROUP_STAGES,
	.brief = "the stages that there are",
	.synopsis = "[STAGE|PATTERN] [--format F]",
	.help = "The stages, without ~; PATTERN is LIKE's: % any run, _ any "
		"character",
	.options = show_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "show the stages", 1, false,
					       statement_show_fill, "stages",
					       true },
};

static int statement_desc_fill(struct statement_options *o,
			       const struct cmd_words *words, struct buf *why)
{
	o->q.kind = SQL_DESC_STAGE;
	o->q.must_exist = true;
	return statement_take_stage(words, "which stage?", &o->q.name, why);
}

const struct command desc_command = {
	.verb = "desc",
	.group = GROUP_STAGES,
	.brief = "all about one stage",
	.synopsis = "STAGE [--format F]",
	.help = "What a stage is and where; secrets are masked",
	.options = show_options,
	.run = statement_run_verb,
	.how = &(const struct statement_verb){ "describe", 1, false,
					       statement_desc_fill, "stage" },
};
