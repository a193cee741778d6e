/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs, in the order of --help.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/cmd.h"
#include "cli/help.h"
#include "cli/manual.h"

static const struct command *const commands[] = {
	&mount_command,   &init_command,    &check_command,
	&status_command,  &reload_command,  &stats_command,
	&flush_command,   &recover_command, &list_command,
	&tree_command,    &du_command,      &cat_command,
	&get_command,     &put_command,     &cp_command,
	&mv_command,      &sync_command,    &remove_command,
	&presign_command, &show_command,    &desc_command,
	&create_command,  &alter_command,   &drop_command,
	&sql_command,     &help_command,    &serve_command,
	&passwd_command,  &keys_command,    NULL,
};

static bool main_is_one_of(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || !strcmp(word, b);
}

/* mount(8) calls us so for `-t stagefs`. */
static bool main_is_mount_helper(const char *program)
{
	const char *slash = strrchr(program, '/');

	return text_starts_with(slash ? slash + 1 : program, "mount.");
}

static int main_run_verb(const struct command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") ||
		    (!strcmp(argv[i], "-h") &&
		     !(c->options && option_find(c->options, "-h")))) {
			help_verb(c, stdout);
			return STATUS_OK;
		}
	}
	return c->run(c, argc, argv);
}

/* Is that the SOURCE or the MOUNTPOINT of a mount? A word that is nothing on
 * this machine is a verb that was mistyped. */
static bool main_begins_mount(const char *word)
{
	struct stat st;

	return *word == '-' || *word == '@' || !strcmp(word, "stagefs") ||
	       strchr(word, '/') || !lstat(word, &st) || errno != ENOENT;
}

int main(int argc, char **argv)
{
	const struct command *c;

	cmd_all = commands;
	if (main_is_mount_helper(argv[0]))
		return mount_command.run(&mount_command, argc, argv);
	if (argc < 2) {
		help_page(commands, stderr);
		return STATUS_USAGE;
	}
	if (main_is_one_of(argv[1], "--help", "-h")) {
		help_page(commands, stdout);
		return STATUS_OK;
	}
	if (main_is_one_of(argv[1], "--version", "-V")) {
		help_version(stdout);
		return STATUS_OK;
	}
	/* For the build: the manual pages and the completion. */
	if (argc == 3 && !strcmp(argv[1], "--generate"))
		return manual_print(commands, argv[2], stdout) ? STATUS_USAGE
							       : STATUS_OK;
	cmd_lead_verb(argc, argv);
	c = *argv[1] ? cmd_find(argv[1]) : NULL;
	if (c)
		return main_run_verb(c, argc - 1, argv + 1);
	if (!main_begins_mount(argv[1]))
		return cmd_unknown(argv[1],
				   "neither a verb nor a file or directory "
				   "that is here");
	return main_run_verb(&mount_command, argc, argv);
}
