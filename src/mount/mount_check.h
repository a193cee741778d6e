/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must answer before a mount goes to the background.
 */
#ifndef MOUNT_MOUNT_CHECK_H
#define MOUNT_MOUNT_CHECK_H

struct buf;
struct catalog;
struct stage;

/*
 * The storage, and with check = all the external stages too; or, when a stage
 * alone is mounted, that stage, which *only gets with a reference. check is an
 * enum config_check. Reaches each store once. 0, or -errno with why set.
 */
int mount_check(struct catalog *c, const char *stage_name, int check,
		struct stage **only, struct buf *why);

/* A warning in the log for each external stage that does not answer. */
void mount_check_warn(struct catalog *c);

#endif
