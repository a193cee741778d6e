/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings by table: what is taken, what is said of what is not.
 *
 * Covers: base/option_type.c
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/option.h"

struct settings {
	char *url;
	char *secret;
	bool ro;
	uint64_t ttl;
	uint64_t any;
	uint64_t memory;
	unsigned mode;
	int check;
	unsigned uid, gid;
};

#define AT(field) .offset = offsetof(struct settings, field)

static const struct option table[] = {
	{ "url", OPTION_STRING, .min = 1, .max = 10, AT(url),
	  .help = "where it is" },
	{ "secret_key", OPTION_STRING, OPTION_SECRET | OPTION_NO_COMMAND,
	  AT(secret), .help = "the key that signs" },
	{ "aws_secret_key", .alias_of = "secret_key" },
	{ "ro", OPTION_BOOL, AT(ro), .def = "no", .help = "read only" },
	{ "metadata_ttl", OPTION_UINT, .max = 86400, AT(ttl), .def = "5",
	  .help = "seconds that a name, a size and a time may be shown before "
		  "the store is asked again" },
	{ "any", OPTION_UINT, AT(any) },
	{ "memory", OPTION_SIZE, .min = 32 << 20, AT(memory), .def = "512M",
	  .help = "bytes of object data" },
	{ "file_mode", OPTION_OCTAL, .max = 0777, AT(mode), .def = "0644",
	  .help = "mode of files" },
	{ "check", OPTION_CHOICE, .choices = "storage|all|none", AT(check),
	  .def = "all", .help = "what must answer" },
	{ "uid", OPTION_USER, AT(uid), .help = "owner" },
	{ "gid", OPTION_GROUP, AT(gid), .help = "group" },
	{ NULL },
};

static const struct {
	const char *sentence, *name, *value;
	const char *shown; /* NULL: refused */
	const char *why;
} rows[] = {
	{ "a string", "url", "s3://b/", "s3://b/", "" },
	{ "a name in capitals", "URL", "x", "x", "" },
	{ "the longest string", "url", "0123456789", "0123456789", "" },
	{ "too long a string", "url", "0123456789a", NULL,
	  "url = 0123456789a: text without control bytes of 1 to 10 bytes" },
	{ "an empty string", "url", "", NULL,
	  "url = : text without control bytes of 1 to 10 bytes" },
	{ "a line end in a string", "url", "a\nb", NULL,
	  "url = a\\nb: text without control bytes of 1 to 10 bytes" },
	{ "a secret is masked", "secret_key", "hush", "***", "" },
	{ "under its other name too", "aws_secret_key", "hush", "***", "" },
	{ "and in messages", "secret_key", "hu\nsh", NULL,
	  "secret_key = ***: text without control bytes" },
	{ "yes", "ro", "on", "yes", "" },
	{ "no truth", "ro", "maybe", NULL, "ro = maybe: yes or no" },
	{ "a number", "metadata_ttl", "86400", "86400", "" },
	{ "a negative one", "metadata_ttl", "-3", NULL,
	  "metadata_ttl = -3: a whole number of 0 to 86400" },
	{ "one too large", "metadata_ttl", "86401", NULL,
	  "metadata_ttl = 86401: a whole number of 0 to 86400" },
	{ "no number", "any", "x", NULL, "any = x: a whole number" },
	{ "the largest of all", "any", "18446744073709551615",
	  "18446744073709551615", "" },
	{ "a size", "memory", "1024M", "1G", "" },
	{ "a size in bytes", "memory", "33554433", "33554433", "" },
	{ "too small a size", "memory", "31M", NULL,
	  "memory = 31M: a number of bytes, or with K, M, G or T, of at least "
	  "32M" },
	{ "a mode", "file_mode", "600", "0600", "" },
	{ "too large a mode", "file_mode", "4755", NULL,
	  "file_mode = 4755: an octal mode of at most 0777" },
	{ "a choice", "check", "None", "none", "" },
	{ "the beginning of a choice", "check", "al", NULL,
	  "check = al: one of storage, all or none" },
	{ "no choice", "check", "", NULL,
	  "check = : one of storage, all or none" },
	{ "two choices", "check", "all|none", NULL,
	  "check = all|none: one of storage, all or none" },
	{ "a user's name", "uid", "root", "0", "" },
	{ "a user's number", "uid", "1000", "1000", "" },
	{ "the number that is no user", "uid", "4294967295", NULL,
	  "uid = 4294967295: a user's name or number" },
	{ "nobody we know", "uid", "no such user", NULL,
	  "uid = no such user: a user's name or number" },
	{ "a group", "gid", "root", "0", "" },
	{ "no group", "gid", "-1", NULL, "gid = -1: a group's name or number" },
	{ "a long value is cut", "any",
	  "0123456789012345678901234567890123456789012345678901234567890123x",
	  NULL,
	  "any = 0123456789012345678901234567890123456789012345678901234567890"
	  "123...: a whole number" },
};

static void test_set(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct option *row = option_find(table, rows[i].name);
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct buf shown = BUF_INIT(BUF_MESSAGE);
		struct settings s = { NULL }, untouched = { NULL };
		int result;

		row_check(rows[i].sentence, row != NULL);
		result = option_set(row, &s, rows[i].value, &why);
		row_number(rows[i].sentence, result,
			   rows[i].shown ? 0 : -EINVAL);
		row_equal(rows[i].sentence, buf_str(&why), rows[i].why);
		if (rows[i].shown) {
			option_show(row, &s, &shown);
			row_equal(rows[i].sentence, buf_str(&shown),
				  rows[i].shown);
		} else {
			row_check(rows[i].sentence,
				  !memcmp(&s, &untouched, sizeof(s)));
		}
		option_clear(table, &s);
		buf_clear(&why);
		buf_clear(&shown);
	}
}

static void test_defaults_and_clear(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE), shown = BUF_INIT(10);
	struct settings s = { NULL };

	assert_int_equal(option_defaults(table, &s), 0);
	assert_null(s.url);
	assert_false(s.ro);
	assert_int_equal(s.ttl, 5);
	assert_int_equal(s.memory, 512 << 20);
	assert_int_equal(s.mode, 0644);
	assert_int_equal(s.check, 1);
	option_show(&table[0], &s, &shown);
	assert_string_equal(buf_str(&shown), "");
	assert_int_equal(option_set(&table[0], &s, "one", &why), 0);
	assert_int_equal(option_set(&table[0], &s, "two", &why), 0);
	assert_string_equal(s.url, "two");
	option_clear(table, &s);
	assert_null(s.url);
	option_clear(table, &s);
}

static void test_find(void **state)
{
	const struct option *row = option_find(table, "AWS_Secret_Key");

	assert_non_null(row);
	assert_string_equal(row->name, "secret_key");
	assert_int_equal(option_index(table, row), 1);
	assert_null(option_find(table, "secret"));
	assert_null(option_find(table, ""));
}

static const struct {
	const char *sentence, *typed, *meant;
} mistyped[] = {
	{ "a letter too few", "metadata_tl", "metadata_ttl" },
	{ "two letters swapped", "memroy", "memory" },
	{ "capitals do not count", "MEMORI", "memory" },
	{ "a hyphen", "file-mode", "file_mode" },
	{ "an alias", "aws_secret_kee", "aws_secret_key" },
	{ "the first word of it", "metadata", "metadata_ttl" },
	{ "three letters are no word", "met", NULL },
	{ "the beginning of a word", "meta", NULL },
	{ "nothing like it", "bandwidth", NULL },
	{ "two letters, one of them wrong", "rx", NULL },
	{ "nothing", "", NULL },
	{ "longer than any of ours",
	  "memorymemorymemorymemorymemorymemorymemorymemorymemorymemorymemory",
	  NULL },
};

static void test_suggest(void **state)
{
	for (size_t i = 0; i < COUNT(mistyped); i++) {
		const char *got = option_suggest(table, mistyped[i].typed);

		row_equal(mistyped[i].sentence, got ? got : "(none)",
			  mistyped[i].meant ? mistyped[i].meant : "(none)");
	}
}

static const char help[] =
	"  url=TEXT                    where it is\n"
	"  secret_key=SECRET           the key that signs (only in the file; "
	"also\n"
	"                              aws_secret_key)\n"
	"  ro=yes|no                   read only (default no)\n"
	"  metadata_ttl=N              seconds that a name, a size and a time "
	"may be\n"
	"                              shown before the store is asked again "
	"(default 5)\n"
	"  any=N\n"
	"  memory=SIZE                 bytes of object data (default 512M)\n"
	"  file_mode=MODE              mode of files (default 0644)\n"
	"  check=storage|all|none      what must answer (default all)\n"
	"  uid=USER                    owner\n"
	"  gid=GROUP                   group\n";

/* Of a command line. */
static const struct option flags[] = {
	{ .name = "--recursive",
	  .type = OPTION_BOOL,
	  .def = "no",
	  .help = "all of it" },
	{ .name = "-r", .type = OPTION_BOOL, .alias_of = "--recursive" },
	{ .name = "-R", .type = OPTION_BOOL, .alias_of = "--recursive" },
	{ .name = "--config",
	  .type = OPTION_STRING,
	  .word = "FILE",
	  .help = "the configuration" },
	{ .name = "--expire",
	  .type = OPTION_UINT,
	  .def = "3600",
	  .help = "seconds" },
	{ 0 },
};

static const char flags_help[] =
	"  -r, -R, --recursive         all of it\n"
	"  --config=FILE               the configuration\n"
	"  --expire=N                  seconds (default 3600)\n";

static void test_help_of_flags(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	option_help(flags, out);
	fclose(out);
	assert_string_equal(text, flags_help);
	free(text);
}

static void test_help(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	option_help(table, out);
	fclose(out);
	assert_string_equal(text, help);
	free(text);
}

SUITE(option)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_defaults_and_clear),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_of_flags),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
