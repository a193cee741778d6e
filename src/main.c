/*
 * The verbs, in the order of --help.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cmd.h"
#include "cli/manual.h"

static const struct command *const commands[] = {
	&mount_command,  &presign_command, &list_command, &get_command,
	&put_command,    &remove_command,  &show_command, &desc_command,
	&create_command, &drop_command,    &sql_command,  &check_command,
	&serve_command,  &passwd_command,  &keys_command, NULL,
};

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || !strcmp(word, b);
}

static const struct command *find(const char *verb)
{
	for (const struct command *const *c = commands; *c; c++)
		if (*verb && !strcmp((*c)->verb, verb))
			return *c;
	return NULL;
}

/* mount(8) calls us so for `-t stagefs`. */
static bool is_mount_helper(const char *program)
{
	const char *slash = strrchr(program, '/');

	return text_starts_with(slash ? slash + 1 : program, "mount.");
}

static int run_verb(const struct command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (is_one_of(argv[i], "--help", "-h")) {
			cmd_verb_help(c, stdout);
			return STATUS_OK;
		}
	}
	return c->run(c, argc, argv);
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (is_mount_helper(argv[0]))
		return mount_command.run(&mount_command, argc, argv);
	if (argc < 2) {
		cmd_help(commands, stderr);
		return STATUS_USAGE;
	}
	if (is_one_of(argv[1], "--help", "-h")) {
		cmd_help(commands, stdout);
		return STATUS_OK;
	}
	if (is_one_of(argv[1], "--version", "-V")) {
		puts("stagefs " PACKAGE_VERSION);
		return STATUS_OK;
	}
	/* For the build: the manual pages and the completion. */
	if (argc == 3 && !strcmp(argv[1], "--generate"))
		return manual_print(commands, argv[2], stdout) ? STATUS_USAGE
							       : STATUS_OK;
	c = find(argv[1]);
	if (c)
		return run_verb(c, argc - 1, argv + 1);
	return run_verb(&mount_command, argc, argv);
}
