/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: arguments, names, mistakes. By table. */
#include "cli/cmd.h"
#include "cli_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct target {
	char *config;
	uint64_t parts;
	bool quiet, small;
};

#define ROW(...) OPTION_ROW(target, __VA_ARGS__)
static const struct option options[] = {
	ROW("--config", STRING, config, .word = "FILE"),
	ROW("--parts", UINT, parts, .min = 1, .max = 9, .def = "3"),
	ROW("--quiet", BOOL, quiet, .def = "no"),
	ROW("-q", BOOL, quiet, .alias_of = "--quiet"),
	ROW("-s", BOOL, small, .def = "no"),
	{ 0 },
};

static const struct command list = { .verb = "list",
				     .also = "ls",
				     .options = options };
static const struct command get = { .verb = "get", .options = options };
static const struct command help = { .verb = "help" };
static const struct command mount = { .verb = "" };
static const struct command *const commands[] = { &list, &get, &help, &mount,
						  NULL };

#define ARGS_MAX 8

static int count(char **argv)
{
	int n = 0;

	while (argv[n])
		n++;
	return n;
}

static const struct {
	const char *sentence;
	const char *argv[ARGS_MAX];
	int status;
	const char *config, *parts, *words, *says;
	bool quiet, small;
} parses[] = {
	{ "nothing: the defaults", { "list" }, 0, "", "3", "", "" },
	{ "words", { "list", "@s/a", "-" }, 0, "", "3", "@s/a - ", "" },
	{ "a value behind a space",
	  { "list", "--config", "f" },
	  0,
	  "f",
	  "3",
	  "",
	  "" },
	{ "a value behind =", { "list", "--config=f" }, 0, "f", "3", "", "" },
	{ "a value with = in it",
	  { "list", "--config=a=b" },
	  0,
	  "a=b",
	  "3",
	  "",
	  "" },
	{ "an option behind a word",
	  { "list", "w", "--parts", "9" },
	  0,
	  "",
	  "9",
	  "w ",
	  "" },
	{ "a switch", { "list", "--quiet" }, 0, "", "3", "", "", true },
	{ "its other name", { "list", "-q" }, 0, "", "3", "", "", true },
	{ "a switch that is off",
	  { "list", "--quiet=no" },
	  0,
	  "",
	  "3",
	  "",
	  "" },
	{ "switches in one word",
	  { "list", "-qs" },
	  0,
	  "",
	  "3",
	  "",
	  "",
	  true,
	  true },
	{ "the end of options",
	  { "list", "--", "--quiet" },
	  0,
	  "",
	  "3",
	  "--quiet ",
	  "" },
	{ "a comment of SQL is a word",
	  { "list", "-- x" },
	  0,
	  "",
	  "3",
	  "-- x ",
	  "" },
	{ "too many words",
	  { "list", "a", "b", "c" },
	  2,
	  "",
	  "3",
	  "a b ",
	  "stagefs: list: too many arguments (see `stagefs list --help`)\n" },
	{ "a value that is missing",
	  { "list", "--config" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: --config: a value is missing (see `stagefs list "
	  "--help`)\n" },
	{ "a value out of bounds",
	  { "list", "--parts=10" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: --parts = 10: a whole number of 1 to 9 (see `stagefs "
	  "list --help`)\n" },
	{ "a switch with another value",
	  { "list", "--quiet=maybe" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: --quiet = maybe: yes or no (see `stagefs list "
	  "--help`)\n" },
	{ "an option that is near one",
	  { "list", "--confg=f" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: unknown option --confg; did you mean --config? (see "
	  "`stagefs list --help`)\n" },
	{ "an option that is near none, with a line end",
	  { "list", "--x\ny" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: unknown option --x\\ny (see `stagefs list "
	  "--help`)\n" },
	{ "letters of which one is no switch",
	  { "list", "-qx" },
	  2,
	  "",
	  "3",
	  "",
	  "stagefs: list: unknown option -qx; did you mean -q? (see `stagefs "
	  "list --help`)\n" },
};

static void test_parse(void **state)
{
	for (size_t i = 0; i < COUNT(parses); i++) {
		BUF_LOCAL words = BUF_INIT(BUF_LINE);
		char *argv[ARGS_MAX], parts[16];
		struct target t = { 0 };
		struct cmd_words w;
		struct said said;
		int status;

		memcpy(argv, parses[i].argv, sizeof(argv));
		said_begin(&said, STDERR_FILENO);
		status = cmd_parse(&list, count(argv), argv, &t, &w, 2);
		said_end(&said);
		for (unsigned k = 0; k < w.n; k++)
			buf_addf(&words, "%s ", w.word[k]);
		snprintf(parts, sizeof(parts), "%d", (int)t.parts);
		row_equal(parses[i].sentence, said.text, parses[i].says);
		row_number(parses[i].sentence, status, parses[i].status);
		row_equal(parses[i].sentence, t.config ? t.config : "",
			  parses[i].config);
		row_equal(parses[i].sentence, parts, parses[i].parts);
		row_equal(parses[i].sentence, buf_str(&words), parses[i].words);
		row_number(parses[i].sentence, t.quiet, parses[i].quiet);
		row_number(parses[i].sentence, t.small, parses[i].small);
		option_clear(options, &t);
	}
}

static void test_find(void **state)
{
	cmd_all = commands;
	assert_ptr_equal(cmd_find("list"), &list);
	assert_ptr_equal(cmd_find("ls"), &list);
	assert_ptr_equal(cmd_find(""), &mount);
	assert_null(cmd_find("lis"));
	assert_null(cmd_find("LIST"));
}

/* Options in front of the verb go behind it. */
static void test_lead(void **state)
{
	static const struct {
		const char *sentence;
		const char *argv[ARGS_MAX];
		bool moved;
		const char *after;
	} rows[] = {
		{ "the verb first",
		  { "p", "list", "-q" },
		  false,
		  "p list -q " },
		{ "a value",
		  { "p", "--config", "f", "list", "x" },
		  true,
		  "p list --config f x " },
		{ "a value behind =",
		  { "p", "--config=f", "list" },
		  true,
		  "p list --config=f " },
		{ "a switch", { "p", "--quiet", "ls" }, true, "p ls --quiet " },
		{ "a value that is named as a verb",
		  { "p", "--config", "get", "list" },
		  true,
		  "p list --config get " },
		{ "an unknown option is for the verb to refuse",
		  { "p", "--what", "list" },
		  true,
		  "p list --what " },
		{ "letters are a mount's",
		  { "p", "-o", "list" },
		  false,
		  "p -o list " },
		{ "a verb without options",
		  { "p", "--quiet", "help" },
		  true,
		  "p help --quiet " },
		{ "no verb",
		  { "p", "--config", "f", "dir" },
		  false,
		  "p --config f dir " },
	};

	cmd_all = commands;
	for (size_t i = 0; i < COUNT(rows); i++) {
		BUF_LOCAL after = BUF_INIT(BUF_LINE);
		char *argv[ARGS_MAX];
		int n;

		memcpy(argv, rows[i].argv, sizeof(argv));
		n = count(argv);
		row_number(rows[i].sentence, cmd_lead_verb(n, argv),
			   rows[i].moved);
		for (int k = 0; k < n; k++)
			buf_addf(&after, "%s ", argv[k]);
		row_equal(rows[i].sentence, buf_str(&after), rows[i].after);
	}
}

static void test_unknown(void **state)
{
	static const struct {
		const char *sentence, *word, *says;
	} rows[] = {
		{ "a verb with a letter too few", "lst",
		  "stagefs: lst: no verb; did you mean `stagefs list`? (see "
		  "`stagefs --help`)\n" },
		{ "near the other name", "lls",
		  "stagefs: lls: no verb; did you mean `stagefs ls`? (see "
		  "`stagefs --help`)\n" },
		{ "what other programs call it", "umount",
		  "stagefs: umount: no verb; did you mean `umount(8) or "
		  "fusermount3 -u`? (see `stagefs --help`)\n" },
		{ "near nothing", "quux",
		  "stagefs: quux: no verb (see `stagefs --help`)\n" },
	};

	cmd_all = commands;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct said said;
		int status;

		said_begin(&said, STDERR_FILENO);
		status = cmd_unknown(rows[i].word, "no verb");
		said_end(&said);
		row_equal(rows[i].sentence, said.text, rows[i].says);
		row_number(rows[i].sentence, status, STATUS_USAGE);
	}
}

static void test_read(void **state)
{
	char name[] = "/tmp/stagefs-cmd.XXXXXX";
	int fd = mkstemp(name);
	BUF_LOCAL all = BUF_INIT(64), little = BUF_INIT(3);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "four", 4), 4);
	close(fd);
	assert_int_equal(cmd_read(name, &all), 0);
	assert_string_equal(buf_str(&all), "four");
	assert_int_equal(cmd_read(name, &little), -EFBIG);
	unlink(name);
	assert_int_equal(cmd_read(name, &all), -ENOENT);
	assert_int_equal(cmd_status(0), STATUS_OK);
	assert_int_equal(cmd_status(-EIO), STATUS_FAILED);
}

SUITE(cmd)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_find),
		cmocka_unit_test(test_lead),  cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("cmd", tests, NULL, NULL);
}
