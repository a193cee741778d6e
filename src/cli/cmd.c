/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front ends of the verbs share.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "client/failure.h"
#include "client/message.h"

#define CMD_MAX 64 /* verbs */

int cmd_read(const char *file, struct buf *out)
{
	int rc = strcmp(file, "-") ? io_read_file(file, out)
				   : io_read_all(STDIN_FILENO, out);

	return rc == -EMSGSIZE ? -EFBIG : rc;
}

int cmd_status(int rc)
{
	return rc ? STATUS_FAILED : STATUS_OK;
}

int cmd_failure(const char *what, const struct failure *f)
{
	message(f->what ? f->what : what, buf_str(&f->why));
	return STATUS_FAILED;
}

int cmd_usage(const struct command *c, const char *why)
{
	BUF_LOCAL line = BUF_INIT(2 * BUF_MESSAGE);

	text_one_line(&line, why);
	fprintf(stderr, "%sstagefs: %s: %s (see `stagefs %s --help`)\n",
		log_priority(LOG_LEVEL_ERROR), c->verb, buf_str(&line),
		c->verb);
	return STATUS_USAGE;
}

/* `--name` and what follows its `=`, or NULL. */
static const struct option *cmd_args_find(const struct command *c,
					  const char *arg, const char **value)
{
	size_t n = strcspn(arg, "=");
	char name[64] = "";

	*value = arg[n] ? arg + n + 1 : NULL;
	if (n >= sizeof(name))
		return NULL;
	memcpy(name, arg, n);
	return option_find(c->options, name);
}

static int cmd_args_refuse(const struct command *c, const char *arg)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const char *near = option_suggest(c->options, arg);

	buf_addf(&why, "unknown option %.*s", (int)strcspn(arg, "="), arg);
	if (near)
		buf_addf(&why, "; did you mean %s?", near);
	cmd_usage(c, buf_str(&why));
	return STATUS_USAGE;
}

/* `-sh` for `-s -h`: switches, all of them. True when they were taken. */
static bool cmd_args_take_letters(const struct command *c, const char *arg,
				  void *target)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	char name[3] = "-";

	if (arg[1] == '-' || !arg[1] || !arg[2] || !c->options)
		return false;
	for (const char *p = arg + 1; *p; p++) {
		const struct option *row;

		name[1] = *p;
		row = option_find(c->options, name);
		if (!row || row->type != OPTION_BOOL)
			return false;
	}
	for (const char *p = arg + 1; *p; p++) {
		name[1] = *p;
		option_set(option_find(c->options, name), target, "yes", &why);
	}
	return true;
}

/* Takes the option at argv[*i]; *i is its last word afterwards. */
static int cmd_args_take_option(const struct command *c, int argc, char **argv,
				int *i, void *target)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const char *value;
	const struct option *row = cmd_args_find(c, argv[*i], &value);
	int status = STATUS_OK;

	if (!row)
		return cmd_args_take_letters(c, argv[*i], target)
			       ? STATUS_OK
			       : cmd_args_refuse(c, argv[*i]);
	if (!value && row->type == OPTION_BOOL)
		value = "yes";
	else if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		buf_addf(&why, "%s: a value is missing", row->name);
	else
		option_set(row, target, value, &why);
	if (why.len)
		status = cmd_usage(c, buf_str(&why));
	return status;
}

/* Not a lone `-`, nor a statement that begins with SQL's comment. */
static bool cmd_args_is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] &&
	       !(arg[1] == '-' && arg[2] && strchr(" \t\r\n", arg[2]));
}

/* Are the words in front of argv[n] options for that verb? Unknown ones are
 * for it to refuse, but letters, which are a mount's. */
static bool cmd_args_lead(const struct command *c, char **argv, int n)
{
	int i = 1;

	while (i < n) {
		const char *value;
		const struct option *row = cmd_args_find(c, argv[i], &value);

		if (!cmd_args_is_option(argv[i]) || !strcmp(argv[i], "--") ||
		    (!row && argv[i][1] != '-'))
			return false;
		i += row && !value && row->type != OPTION_BOOL ? 2 : 1;
	}
	return i == n;
}

bool cmd_lead_verb(int argc, char **argv)
{
	for (int i = 2; i < argc && cmd_args_is_option(argv[1]); i++) {
		char *verb = argv[i];
		const struct command *c = *verb ? cmd_find(verb) : NULL;

		if (!c || !cmd_args_lead(c, argv, i))
			continue;
		memmove(&argv[2], &argv[1], (size_t)(i - 1) * sizeof(*argv));
		argv[1] = verb;
		return true;
	}
	return false;
}

/* `check FILE`, as a mount has it. */
static int cmd_too_many(const struct command *c, const char *word)
{
	BUF_LOCAL why = BUF_INIT(2 * BUF_MESSAGE);

	buf_adds(&why, "too many arguments");
	if (option_find(c->options, "--config") && *word != '@' &&
	    !access(word, F_OK))
		buf_addf(&why, "; did you mean --config %s?", word);
	return cmd_usage(c, buf_str(&why));
}

int cmd_parse(const struct command *c, int argc, char **argv, void *target,
	      struct cmd_words *out, unsigned max)
{
	bool options = true;
	int status = STATUS_OK;

	*out = (struct cmd_words){ argv + (argc > 0), 0 };
	if (option_defaults(c->options, target))
		return cmd_usage(c, strerror(ENOMEM));
	for (int i = 1; i < argc && !status; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && cmd_args_is_option(argv[i]))
			status =
				cmd_args_take_option(c, argc, argv, &i, target);
		else if (out->n == max)
			status = cmd_too_many(c, argv[i]);
		else /* not behind argv[i], which was read */
			out->word[out->n++] = argv[i];
	}
	return status;
}

/* ---- the verbs ---- */

const struct command *const *cmd_all;

static bool cmd_is(const struct command *c, const char *word)
{
	return !strcmp(c->verb, word) || (c->also && !strcmp(c->also, word));
}

const struct command *cmd_find(const char *verb)
{
	for (const struct command *const *c = cmd_all; *c; c++)
		if (cmd_is(*c, verb))
			return *c;
	return NULL;
}

/* What people type who know other programs, and what that is here. */
static const struct {
	const char *word, *here;
} cmd_habits[] = {
	{ "mount", "stagefs SOURCE MOUNTPOINT" },
	{ "umount", "umount(8) or fusermount3 -u" },
	{ "unmount", "umount(8) or fusermount3 -u" },
	{ "copy", "stagefs cp" },
	{ "download", "stagefs get" },
	{ "upload", "stagefs put" },
	{ "delete", "stagefs rm" },
	{ "dir", "stagefs ls" },
	{ "move", "stagefs mv" },
	{ "rename", "stagefs mv" },
	{ "config", "stagefs init" },
	{ "configure", "stagefs init" },
	{ "url", "stagefs presign" },
	{ "sign", "stagefs presign" },
	{ "share", "stagefs presign" },
	{ "version", "stagefs --version" },
	{ "mounts", "stagefs status" },
	{ "stages", "stagefs show" },
};

/* `; did you mean ...?`, if something is near. */
static void cmd_add_nearest(const char *word, struct buf *out)
{
	struct option names[2 * CMD_MAX + 1] = { 0 };
	const char *near = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(cmd_habits) / sizeof(*cmd_habits); i++) {
		if (strcmp(cmd_habits[i].word, word))
			continue;
		buf_addf(out, "; did you mean `%s`?", cmd_habits[i].here);
		return;
	}
	for (const struct command *const *c = cmd_all; *c; c++) {
		if (n + 2 > 2 * CMD_MAX)
			break;
		if (*(*c)->verb)
			names[n++].name = (*c)->verb;
		if ((*c)->also)
			names[n++].name = (*c)->also;
	}
	near = option_suggest(names, word);
	if (near)
		buf_addf(out, "; did you mean `stagefs %s`?", near);
}

int cmd_unknown(const char *word, const char *why)
{
	BUF_LOCAL line = BUF_INIT(BUF_MESSAGE);

	buf_adds(&line, why);
	cmd_add_nearest(word, &line);
	buf_adds(&line, " (see `stagefs --help`)");
	message(word, buf_str(&line));
	return STATUS_USAGE;
}
