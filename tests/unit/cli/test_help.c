/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed of the verbs' tables, whatever stands in them. */
#include "cli/cmd.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct command *const commands[] = {
	&mount_command,   &status_command, &get_command,
	&put_command,     &cp_command,     &mv_command,
	&cat_command,     &sync_command,   &list_command,
	&tree_command,    &du_command,     &remove_command,
	&show_command,    &desc_command,   &create_command,
	&alter_command,   &drop_command,   &sql_command,
	&presign_command, &check_command,  &serve_command,
	&keys_command,    &passwd_command, &init_command,
	&reload_command,  &stats_command,  &flush_command,
	&recover_command, &help_command,   NULL,
};

static FILE *open_text(char **text)
{
	static size_t n;
	FILE *out = open_memstream(text, &n);

	assert_non_null(out);
	return out;
}

/* No line is wider than a terminal, and the last one ends. */
static void check_lines(const char *sentence, const char *text)
{
	row_check(sentence, *text && text[strlen(text) - 1] == '\n');
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 80)
			fail_msg("%s: %zu columns: %.*s", sentence, n, (int)n,
				 text);
		text += n + (text[n] != '\0');
	}
}

static void test_verbs(void **state)
{
	for (const struct command *const *c = commands; *c; c++) {
		const char *name = *(*c)->verb ? (*c)->verb : "mount";
		char *text = NULL;
		FILE *out = open_text(&text);

		help_verb(*c, out);
		fclose(out);
		check_lines(name, text);
		for (const struct option *o = (*c)->options; o && o->name; o++)
			if (!o->alias_of && !strncmp(o->name, "--", 2))
				row_check(o->name, strstr(text, o->name));
		row_check(name, !(*c)->brief || strlen((*c)->brief) <= 62);
		free(text);
	}
}

static void test_page(void **state)
{
	char *text = NULL;
	FILE *out = open_text(&text);

	help_page(commands, out);
	fclose(out);
	check_lines("the page", text);
	for (const struct command *const *c = commands; *c; c++)
		row_check((*c)->verb, strstr(text, (*c)->verb));
	free(text);
}

static void test_printed(void **state)
{
	static const struct {
		const char *what;
		bool is_shell;
		int rc;
	} rows[] = {
		{ "completion", true, 0 }, { "zsh", true, 0 },
		{ "fish", true, 0 },       { "man1", false, 0 },
		{ "man5", false, 0 },      { "man8", false, 0 },
		{ "csh", false, -EINVAL }, { "", false, -EINVAL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = NULL;
		FILE *out = open_text(&text);

		row_number(rows[i].what,
			   manual_print(commands, rows[i].what, out),
			   rows[i].rc);
		if (rows[i].is_shell)
			row_number(rows[i].what,
				   completion_print(commands, rows[i].what,
						    out),
				   0);
		else if (rows[i].rc)
			row_number(rows[i].what,
				   completion_print(commands, rows[i].what,
						    out),
				   -EINVAL);
		fclose(out);
		row_check(rows[i].what, !*text == !!rows[i].rc);
		for (const struct command *const *c = commands;
		     rows[i].is_shell && *c; c++)
			row_check((*c)->verb, strstr(text, (*c)->verb));
		free(text);
	}
}

SUITE(help)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_printed),
	};

	return cmocka_run_group_tests_name("help", tests, NULL, NULL);
}
