/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mount refuses for good and an errno cannot explain: the log says why,
 * at the default level, once a minute at most for each kind.
 */
#ifndef FS_NAMES_REFUSAL_H
#define FS_NAMES_REFUSAL_H

enum refusal {
	REFUSAL_ROOT_FILE, /* only stages are at the root */
	REFUSAL_STAGE_NAME,
	REFUSAL_NEW_STAGE, /* there is no place for one */
	REFUSAL_NAME, /* the store takes no such name */
	REFUSAL_LINK,
	REFUSAL_SYMLINK,
	REFUSAL_N
};

/* Says it of that name. Returns rc. */
int refusal_say(enum refusal kind, const char *name, int rc);
/* Of a failed call that made a name, if its errno is such a refusal. Returns
 * rc, also 0. */
int refusal_say_name(const char *name, int rc);

#endif
