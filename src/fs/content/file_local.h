/*
 * What the two files of the local way share: file_local.c (reading, writing,
 * the store's object) and file_scratch.c (the file that takes what is written).
 */
#ifndef FS_CONTENT_FILE_LOCAL_H
#define FS_CONTENT_FILE_LOCAL_H

#include "fs/content/file_internal.h"

/* Where the bytes from some offset on are. */
struct local_place {
	enum file_kind kind;
	uint64_t end;
	struct file_fd *fd; /* referenced; NULL: zeros */
	char etag[STORE_ETAG_SIZE]; /* of the base */
};
void file_local_find(struct file *f, uint64_t offset, uint64_t end,
		     struct local_place *out);

/* Is the base's file still what its ETag says? One that has no name any more
 * has another ctime for that, which an ETag may be made of. 0 or -ESTALE. */
int file_base_same(struct file *f, struct file_fd *x, const char *etag);

/* The scratch file; NULL: there is none yet. */
struct file_fd *file_scratch(struct file *f);
/* With the turn: one that may be written to, made at the first need; lives as
 * long as the turn does. seed: it is to be written into, so that the base is
 * taken over if that costs little. */
int file_scratch_need(struct file *f, bool seed, struct file_fd **out);
/* With the turn: what the scratch file lacks of the content comes from the
 * base. -ESTALE when that was written to meanwhile. */
int file_scratch_fill(struct file *f, int scratch, uint64_t size);

#endif
