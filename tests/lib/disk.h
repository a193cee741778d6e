/* SPDX-License-Identifier: Apache-2.0 */
/* A mount, without a kernel, over a store of files in a folder of its own. */
#ifndef TESTS_LIB_DISK_H
#define TESTS_LIB_DISK_H

#include "fs_fixture.h"
#include "local_rig.h"

struct disk {
	struct local_rig rig;
	struct mount m;
};

/* ttl_s: metadata_ttl. What is made there is this process's. */
void disk_up(struct disk *d, unsigned ttl_s);
void disk_down(struct disk *d);
/* As local_rig_path(). */
const char *disk_path(struct disk *d, const char *name);

#endif
