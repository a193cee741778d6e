/* SPDX-License-Identifier: Apache-2.0 */
/* Names and locations, by tables. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "stage/location.h"
#include "stage/stage.h"

static const struct {
	const char *sentence;
	const char *name;
	bool valid;
} names[] = {
	{ "letters", "stage", true },
	{ "an underscore first", "_s", true },
	{ "digits and a dollar later", "s1$2", true },
	{ "upper case", "Stage", true },
	{ "nothing", "", false },
	{ "a digit first", "1s", false },
	{ "a dollar first", "$s", false },
	{ "a hyphen", "my-stage", false },
	{ "a dot", "my.stage", false },
	{ "a space", "my stage", false },
	{ "a slash", "a/b", false },
	{ "the user stage", "~", false },
	{ "beyond ASCII", "\xc3\xa9t\xc3\xa9", false },
	{ "reserved: v1", "v1", false },
	{ "reserved: health", "health", false },
	{ "reserved: metrics", "metrics", false },
	{ "reserved: storage", "storage", false },
	{ "reserved names are so in lower case", "Health", true },
	{ "Databend's placeholder", "_databend_load", false },
	{ "Databend's placeholder in any case", "_Databend_LOAD", false },
	{ "a reserved name with more", "v1x", true },
};

static void stage_names(void **state)
{
	char longest[NAME_BYTES_MAX + 2];

	for (size_t i = 0; i < COUNT(names); i++)
		row_number(names[i].sentence, stage_name_valid(names[i].name),
			   names[i].valid);
	memset(longest, 'a', sizeof(longest));
	longest[NAME_BYTES_MAX + 1] = '\0';
	row_check("256 bytes are too many", !stage_name_valid(longest));
	longest[NAME_BYTES_MAX] = '\0';
	row_check("255 bytes are allowed", stage_name_valid(longest));
}

static const struct {
	const char *sentence;
	const char *name;
	unsigned long len;
	bool visible;
} components[] = {
	{ "a plain name", "a", 1, true },
	{ "a space", " ", 1, true },
	{ "a control byte", "\n", 1, true },
	{ "three dots", "...", 3, true },
	{ "a dot file", ".x", 2, true },
	{ "an empty one", "", 0, false },
	{ "a dot", ".", 1, false },
	{ "two dots", "..", 2, false },
	{ "a slash inside", "a/b", 3, false },
	{ "a NUL inside", "a\0b", 3, false },
};

static void visible_names(void **state)
{
	char longest[NAME_BYTES_MAX + 1];

	for (size_t i = 0; i < COUNT(components); i++)
		row_number(components[i].sentence,
			   location_name_visible(components[i].name,
						 components[i].len),
			   components[i].visible);
	memset(longest, 'a', sizeof(longest));
	row_check("255 bytes", location_name_visible(longest, NAME_BYTES_MAX));
	row_check("256 bytes",
		  !location_name_visible(longest, NAME_BYTES_MAX + 1));
}

static const struct {
	const char *sentence;
	const char *text;
	const char *stage; /* NULL: refused */
	const char *path; /* or what the refusal says */
} locations[] = {
	{ "a stage alone", "@s", "s", "" },
	{ "a stage and a slash", "@s/", "s", "" },
	{ "the user stage", "@~", "~", "" },
	{ "a file of the user stage", "@~/books.parquet", "~",
	  "books.parquet" },
	{ "a path", "@s/a/b.csv", "s", "a/b.csv" },
	{ "a directory keeps its slash", "@s/a/", "s", "a/" },
	{ "spaces and quotes are literal", "@s/a b/'c'\"", "s", "a b/'c'\"" },
	{ "percent signs are literal", "@s/%2e%2e/x", "s", "%2e%2e/x" },
	{ "a backslash is literal", "@s/a\\ b", "s", "a\\ b" },
	{ "an at sign later", "@s/@x", "s", "@x" },
	{ "an odd stage name", "@my-stage/x", "my-stage", "x" },
	{ "three dots are a name", "@s/.../x", "s", ".../x" },
	{ "no at sign", "s/a", NULL, "begins with @" },
	{ "nothing", "", NULL, "begins with @" },
	{ "an at sign alone", "@", NULL, "name of the stage is missing" },
	{ "no stage before the slash", "@/a", NULL,
	  "name of the stage is missing" },
	{ "dots as the stage", "@../a", NULL, "name of a stage" },
	{ "dot dot", "@s/../x", NULL, "`..`" },
	{ "dot dot at the end", "@s/a/..", NULL, "`..`" },
	{ "dot", "@s/./x", NULL, "`.`" },
	{ "two slashes", "@s/a//b", NULL, "empty name" },
	{ "a slash too many after the stage", "@s//a", NULL, "empty name" },
	{ "two slashes at the end", "@s/a//", NULL, "empty name" },
};

static void locations_parse(void **state)
{
	for (size_t i = 0; i < COUNT(locations); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct location l;
		int rc = location_parse(locations[i].text, &l, &why);

		if (locations[i].stage) {
			row_number(locations[i].sentence, rc, 0);
			row_equal(locations[i].sentence, l.stage,
				  locations[i].stage);
			row_equal(locations[i].sentence, l.path,
				  locations[i].path);
		} else {
			row_number(locations[i].sentence, rc, -EINVAL);
			row_check(locations[i].sentence,
				  strstr(buf_str(&why), locations[i].path));
			row_check(locations[i].sentence, !l.stage && !l.path);
		}
		location_clear(&l);
		buf_clear(&why);
	}
}

SUITE(location)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stage_names),
		cmocka_unit_test(visible_names),
		cmocka_unit_test(locations_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
