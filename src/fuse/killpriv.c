/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse/killpriv.h"

#include <linux/fuse.h>
#include <stdint.h>
#include <string.h>

/* libfuse runs a request on the thread that has read it. */
static __thread bool wanted;

/* Where a kind of request has its flags, after the header. */
static const struct {
	uint32_t opcode;
	size_t offset;
	uint32_t flag;
} fields[] = {
	{ FUSE_WRITE, offsetof(struct fuse_write_in, write_flags),
	  FUSE_WRITE_KILL_SUIDGID },
	{ FUSE_SETATTR, offsetof(struct fuse_setattr_in, valid),
	  FATTR_KILL_SUIDGID },
	{ FUSE_OPEN, offsetof(struct fuse_open_in, open_flags),
	  FUSE_OPEN_KILL_SUIDGID },
	{ FUSE_CREATE, offsetof(struct fuse_create_in, open_flags),
	  FUSE_OPEN_KILL_SUIDGID },
};

void killpriv_note(const void *request, size_t len)
{
	const struct fuse_in_header *h = request;

	wanted = false;
	if (len < sizeof(*h))
		return;
	for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
		size_t at = sizeof(*h) + fields[k].offset;
		uint32_t flags;

		if (fields[k].opcode != h->opcode || at + sizeof(flags) > len)
			continue;
		memcpy(&flags, (const char *)request + at, sizeof(flags));
		wanted = flags & fields[k].flag;
	}
}

bool killpriv_wanted(void)
{
	return wanted;
}
