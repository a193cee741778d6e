/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is there already where a directory is brought up to date, by one
 * listing: which of its files need not be sent again, and which are left over.
 */
#ifndef TRANSFER_TRANSFER_SYNC_H
#define TRANSFER_TRANSFER_SYNC_H

#include <stdbool.h>

struct object_info;
struct stage;
struct transfer_plan;
struct transfer_sync;

/* Lists the target: path in the stage, "" or with a '/' at its end. 1, or 0
 * after a failure was said; -ENOMEM, -EINTR. It is p->sync then, to be freed
 * after the plan was cleared. */
int transfer_sync_stage(struct transfer_plan *p, struct stage *stage,
			const char *path);
/* The same of a directory of this machine, which need not be there. */
int transfer_sync_local(struct transfer_plan *p, const char *directory);
void transfer_sync_free(struct transfer_sync *s); /* NULL is fine */

/*
 * Is the file of that name below it the source's: of its size, and no older
 * (or of the same ETag)? The name counts as wanted whatever is answered. s
 * NULL: no.
 */
bool transfer_sync_current(struct transfer_sync *s, const char *name,
			   const struct object_info *source);

/* Queues the removal of what no source has, but of names that the plan's
 * filter leaves out. 0, -ENOMEM, -EINTR. */
int transfer_sync_remove(struct transfer_plan *p);

#endif
