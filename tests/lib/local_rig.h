/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A local store in a folder of its own, for tests: below $TMPDIR or /tmp, and
 * gone afterwards. Whatever fails ends the test.
 */
#ifndef TESTS_LIB_LOCAL_RIG_H
#define TESTS_LIB_LOCAL_RIG_H

#include <stddef.h>

#include "store/store.h"

struct local_rig {
	struct store *s;
	char *root;
};

void local_rig_open(struct local_rig *rig);
void local_rig_close(struct local_rig *rig); /* zeroed: nothing is done */
/* Another handle of the same root, as a second daemon has it. */
struct store *local_rig_again(const struct local_rig *rig);

/* A path below the root; good for the next 7 calls. */
const char *local_rig_path(const struct local_rig *rig, const char *name);
/* A file of another program's. */
void local_rig_write(const struct local_rig *rig, const char *name,
		     const char *text);
/* Everything below a folder goes, and the folder. */
void local_rig_wipe(const char *path);

struct object_info local_rig_put(struct store *s, const char *key,
				 const char *text);
/* Whole objects of less than 4 KiB, as text; the call's result. */
int local_rig_get(struct store *s, const char *key, char text[4096]);
/* Keys of a listing, each followed by a space; to be freed. */
char *local_rig_list(struct store *s, const char *prefix, char delimiter);
/* What the listing of everything below it ends with. */
int local_rig_list_error(struct store *s, const char *prefix);

/* Root, for a while, is an ordinary user: the owner of everything below the
 * root but with no right to what is closed to its owner. For another user
 * nothing happens. */
void local_rig_unprivileged(void);
void local_rig_privileged(void);

#endif
