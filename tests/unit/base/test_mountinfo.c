/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/mountinfo by table, and our own. */
#include <stdlib.h>

#include "base/mountinfo.h"
#include "unit.h"

static const struct {
	const char *says, *line;
	struct mountinfo_row want; /* id 0: it is none */
} rows[] = {
	{ "a plain one",
	  "36 35 98:0 / /mnt rw,noatime - ext3 /dev/root rw\n",
	  { 36, "98:0", "/", "/mnt", "ext3", "/dev/root" } },
	{ "with tags",
	  "36 35 98:0 /a /mnt rw shared:1 master:2 - ext3 /dev/root rw\n",
	  { 36, "98:0", "/a", "/mnt", "ext3" } },
	{ "white space in names",
	  "7 1 0:42 /a\\040b /m\\011n rw - fuse.stagefs st\\040x rw\n",
	  { 7, "0:42", "/a b", "/m\tn", "fuse.stagefs", "st x" } },
	{ "a bar in a name",
	  "7 1 0:42 / /a\\040-\\040b rw - tmpfs none rw\n",
	  { 7, "0:42", "/", "/a - b", "tmpfs" } },
	{ "a user's",
	  "7 1 0:42 / /m rw - fuse.x y rw,user_id=1000,group_id=100\n",
	  { 7, "0:42", "/", "/m", "fuse.x", "y", 1000 } },
	{ "one whose only option it is",
	  "7 1 0:42 / /m rw - fuse.x y user_id=7\n",
	  { 7, "0:42", "/", "/m", "fuse.x", "y", 7 } },
	{ "an option with another name",
	  "7 1 0:42 / /m rw - fuse.x y rw,fuse_user_id=7\n",
	  { 7, "0:42", "/", "/m", "fuse.x", "y", 0 } },
	{ "no source",
	  "7 1 0:42 / /m rw - tmpfs\n",
	  { 7, "0:42", "/", "/m", "tmpfs", "" } },
	{ "no type", "7 1 0:42 / /m rw\n", { 0 } },
	{ "no number", "x 1 0:42 / /m rw - tmpfs none rw\n", { 0 } },
	{ "too short", "7 1 0:42\n", { 0 } },
	{ "empty", "", { 0 } },
};

static void lines(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct mountinfo_row *want = &rows[i].want;
		char *line = strdup(rows[i].line);
		struct mountinfo_row row;
		bool is = mountinfo_parse(line, &row);

		row_number(rows[i].says, is, want->id != 0);
		if (is) {
			row_number(rows[i].says, row.id, want->id);
			row_equal(rows[i].says, row.device, want->device);
			row_equal(rows[i].says, row.root, want->root);
			row_equal(rows[i].says, row.point, want->point);
			row_equal(rows[i].says, row.type, want->type);
			row_number(rows[i].says, row.user, want->user);
			if (want->source)
				row_equal(rows[i].says, row.source,
					  want->source);
		}
		free(line);
	}
}

static void ours(void **state)
{
	struct mountinfo_row row;
	struct mountinfo m;
	bool root = false;

	mountinfo_open(&m, "self");
	while (mountinfo_next(&m, &row))
		root |= !strcmp(row.point, "/");
	mountinfo_close(&m);
	assert_true(root);
	mountinfo_open(&m, "none");
	assert_false(mountinfo_next(&m, &row));
	mountinfo_close(&m);
}

static void a_place(void **state)
{
	struct mountinfo_place p;

	row_check("found", mountinfo_at("/proc", &p));
	row_equal("its type", p.type, "proc");
	row_check("its device", strchr(p.device, ':'));
	row_check("its number", p.id);
	row_check("nothing", !mountinfo_at("/proc/self", &p));
}

SUITE(mountinfo)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(ours),
		cmocka_unit_test(a_place),
	};

	return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
