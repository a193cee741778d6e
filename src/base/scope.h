/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pointer of a block holds is released where the block ends, whichever
 * way that is left:
 *
 *	SCOPE_POINTER(struct stage, stage_unref);
 *	#define STAGE_LOCAL SCOPED(stage_unref) struct stage
 *
 *	STAGE_LOCAL *stage = NULL;
 *
 * A structure that is cleared has its X_LOCAL beside its x_clear().
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCOPE_POINTER(type, release) \
	static inline void release##_scoped(type **held) \
	{ \
		if (*held) \
			release(*held); \
	} \
	type /* for the semicolon */
#define SCOPED(release) __attribute__((cleanup(release##_scoped)))

/* Memory of any type: MEM_LOCAL char *s; a file: FD_LOCAL fd, or none, < 0. */
static inline void free_scoped(void *held)
{
	void *memory;

	memcpy(&memory, held, sizeof(memory));
	free(memory);
}

#define MEM_LOCAL SCOPED(free)

static inline void close_scoped(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define FD_LOCAL SCOPED(close) int

#endif
