/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local files: directories, temporary ones, and what a file's ETag would be.
 */
#ifndef TRANSFER_TRANSFER_FILE_H
#define TRANSFER_TRANSFER_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct object_info;

/* All directories of a path but its last name (all: that one too). */
int transfer_file_make_dirs(const char *path, bool all);

/* An unlinked file in $TMPDIR or /tmp. A descriptor or -errno. */
int transfer_file_temporary(void);
/* One with everything that fd gives, for what has no size yet. */
int transfer_file_spool(int fd, int *out, uint64_t *size);

/* Has a part with that ETag these bytes of the file, as far as one can tell? 0
 * or -errno. */
int transfer_file_part_equal(int fd, uint64_t at, uint64_t len,
			     const char *etag, bool *equal);
/* Has the object these bytes, as far as size and ETag tell? 0 or -errno. */
int transfer_file_equal(int fd, uint64_t size, uint64_t part_size,
			const struct object_info *info, bool *equal);

#endif
