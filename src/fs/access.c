/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/access.h"

#include <errno.h>
#include <stdbool.h>

#include "fs/fs.h"

#define GROUPS_MAX 1024

static bool access_allows(mode_t mode, unsigned shift, unsigned want)
{
	return (mode >> shift & want) == want;
}

/* 1 a member, 0 not, -EACCES when that cannot be known. */
static int access_in_group(const struct fs_caller *c, gid_t gid)
{
	gid_t list[GROUPS_MAX];
	int n;

	if (c->gid == gid)
		return 1;
	n = c->groups ? c->groups(c, list, GROUPS_MAX) : -EACCES;
	if (n < 0 || n > GROUPS_MAX)
		return -EACCES;
	while (n--)
		if (list[n] == gid)
			return 1;
	return 0;
}

int access_check(const struct fs_caller *c, mode_t mode, uid_t uid, gid_t gid,
		 unsigned want)
{
	bool group = access_allows(mode, 3, want),
	     other = access_allows(mode, 0, want);
	int member;

	if (c->uid == 0)
		return 0;
	if (c->uid == uid)
		return access_allows(mode, 6, want) ? 0 : -EACCES;
	if (group == other) /* whichever class it is: the same answer */
		return group ? 0 : -EACCES;
	member = access_in_group(c, gid);
	if (member < 0)
		return member;
	return (member ? group : other) ? 0 : -EACCES;
}
