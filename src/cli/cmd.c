/*
 * What the front ends of the verbs share.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"
#include "client/message.h"
#include "client/statement.h"
#include "config/config.h"

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
	struct buf line = BUF_INIT(2 * BUF_MESSAGE);

	text_one_line(&line, why);
	fprintf(stderr, "stagefs: %s: %s (see `stagefs %s --help`)\n", c->verb,
		buf_str(&line), c->verb);
	buf_clear(&line);
	return STATUS_USAGE;
}

/* `--name` and what follows its `=`, or NULL. */
static const struct option *args_find(const struct command *c, const char *arg,
				      const char **value)
{
	size_t n = strcspn(arg, "=");
	char name[64] = "";

	*value = arg[n] ? arg + n + 1 : NULL;
	if (n >= sizeof(name))
		return NULL;
	memcpy(name, arg, n);
	return option_find(c->options, name);
}

static int args_refuse(const struct command *c, const char *arg)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	const char *near = option_suggest(c->options, arg);

	buf_addf(&why, "unknown option %.*s", (int)strcspn(arg, "="), arg);
	if (near)
		buf_addf(&why, "; did you mean %s?", near);
	cmd_usage(c, buf_str(&why));
	buf_clear(&why);
	return STATUS_USAGE;
}

/* Takes the option at argv[*i]; *i is its last word afterwards. */
static int args_take_option(const struct command *c, int argc, char **argv,
			    int *i, void *target)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	const char *value;
	const struct option *row = args_find(c, argv[*i], &value);
	int status = STATUS_OK;

	if (!row)
		return args_refuse(c, argv[*i]);
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
	buf_clear(&why);
	return status;
}

/* Not a lone `-`, nor a statement that begins with SQL's comment. */
static bool args_is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] &&
	       !(arg[1] == '-' && arg[2] && strchr(" \t\r\n", arg[2]));
}

/* At most max words. */
static int args_parse(const struct command *c, int argc, char **argv,
		      void *target, const char **words, unsigned max,
		      unsigned *n)
{
	bool options = true;
	int status = STATUS_OK;

	*n = 0;
	if (option_defaults(c->options, target))
		return cmd_usage(c, strerror(ENOMEM));
	for (int i = 1; i < argc && !status; i++) {
		if (options && !strcmp(argv[i], "--"))
			options = false;
		else if (options && args_is_option(argv[i]))
			status = args_take_option(c, argc, argv, &i, target);
		else if (*n == max)
			status = cmd_usage(c, "too many arguments");
		else
			words[(*n)++] = argv[i];
	}
	return status;
}

int cmd_parse(const struct command *c, int argc, char **argv, void *target,
	      struct cmd_words *out, unsigned max)
{
	return args_parse(c, argc, argv, target, out->word, max, &out->n);
}

int cmd_parse_list(const struct command *c, int argc, char **argv, void *target,
		   const char **words, unsigned *n)
{
	return args_parse(c, argc, argv, target, words, (unsigned)argc, n);
}

/* ---- help ---- */

void cmd_verb_help(const struct command *c, FILE *out)
{
	fprintf(out, "usage: stagefs %s%s%s\n\n%s.\n", c->verb,
		*c->verb ? " " : "", c->synopsis, c->help);
	if (c->options) {
		fputc('\n', out);
		option_help(c->options, out);
	}
}

void cmd_help(const struct command *const *commands, FILE *out)
{
	fputs("Stages of an object store as directories.\n\n", out);
	for (const struct command *const *c = commands; *c; c++)
		fprintf(out, "%s stagefs %s%s%s\n            %s\n",
			c == commands ? "usage:" : "      ", (*c)->verb,
			*(*c)->verb ? " " : "", (*c)->synopsis, (*c)->help);
	fputs("\nstagefs VERB --help tells a verb's options. A first word that "
	      "is a verb is the\nverb: write ./list for a mountpoint of that "
	      "name. Exit status: 0, 1 failed,\n2 usage.\n\n",
	      out);
	config_options_help(out);
}
