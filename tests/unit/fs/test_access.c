/* SPDX-License-Identifier: Apache-2.0 */
/* Permission bits, by the caller's uid, gid and groups. */
#include "unit.h"

#include <errno.h>

#include "fs/access.h"
#include "fs/fs.h"

static int no_groups(const struct fs_caller *c, gid_t *list, int max)
{
	return -EIO;
}

static int two_groups(const struct fs_caller *c, gid_t *list, int max)
{
	list[0] = 30;
	list[1] = 31;
	return 2;
}

static const struct {
	const char *sentence;
	uid_t uid;
	gid_t gid;
	int (*groups)(const struct fs_caller *c, gid_t *list, int max);
	mode_t mode; /* of a file of 10:31 */
	unsigned want;
	int result;
} rows[] = {
	{ "root reads what nobody may", 0, 0, no_groups, 0, ACCESS_READ, 0 },
	{ "root writes what nobody may", 0, 0, no_groups, 0, ACCESS_WRITE, 0 },
	{ "the owner by the owner's bits", 10, 5, no_groups, 0600, ACCESS_WRITE,
	  0 },
	{ "the owner is not the group", 10, 31, no_groups, 0060, ACCESS_READ,
	  -EACCES },
	{ "the owner is not the others", 10, 5, no_groups, 0006, ACCESS_READ,
	  -EACCES },
	{ "the group by its own gid", 11, 31, no_groups, 0640, ACCESS_READ, 0 },
	{ "a group of several", 11, 5, two_groups, 0640, ACCESS_READ, 0 },
	{ "the group may not write", 11, 5, two_groups, 0642, ACCESS_WRITE,
	  -EACCES },
	{ "nobody's group: the others' bits", 11, 5, NULL, 0604, ACCESS_READ,
	  -EACCES },
	{ "others", 11, 5, two_groups, 0640 | 06, ACCESS_READ, 0 },
	{ "groups that cannot be read refuse", 11, 5, no_groups, 0640,
	  ACCESS_READ, -EACCES },
	{ "... also what others may", 11, 5, no_groups, 0604, ACCESS_READ,
	  -EACCES },
	{ "... but do not matter when both say yes", 11, 5, no_groups, 0644,
	  ACCESS_READ, 0 },
	{ "... or both no", 11, 5, no_groups, 0600, ACCESS_READ, -EACCES },
	{ "all that is wanted counts", 10, 5, no_groups, 0400,
	  ACCESS_READ | ACCESS_WRITE, -EACCES },
	{ "search", 11, 5, two_groups, 0710, ACCESS_SEARCH, 0 },
};

static void test_rows(void **state)
{
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct fs_caller c = { rows[r].uid, rows[r].gid, rows[r].groups,
				       NULL };

		row_number(rows[r].sentence,
			   access_check(&c, rows[r].mode, 10, 31, rows[r].want),
			   rows[r].result);
	}
}

SUITE(access)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
