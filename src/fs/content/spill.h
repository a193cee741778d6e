/*
 * A spill file: an unlinked temporary file with the bytes of one open file
 * that are not in memory. Made at the first need. It leaves the disk some
 * room: past that, -ENOSPC.
 */
#ifndef FS_CONTENT_SPILL_H
#define FS_CONTENT_SPILL_H

#include <stddef.h>
#include <stdint.h>

enum spill_direct { SPILL_DIRECT_UNTRIED, SPILL_DIRECT_ON, SPILL_DIRECT_OFF };

struct spill {
	unsigned refs; /* atomic: readers and parts under way have some too */
	int fd;
	enum spill_direct direct;
	int direct_fd; /* the same file past the page cache, when ON */
};

/* With a reference. dir is made (0700) when it is missing. 0 or -errno, logged
 * by the caller with the file's name. */
int spill_new(const char *dir, struct spill **out);
struct spill *spill_ref(struct spill *s);
void spill_unref(struct spill *s); /* NULL is fine */
/* All of it or -errno. optional: bytes that we could do without, and for
 * which a twentieth of the disk is left free. */
int spill_write(struct spill *s, uint64_t offset, const void *bytes, size_t len,
		int optional);
/* Holes and what lies beyond the end read as zeros. */
int spill_read(struct spill *s, uint64_t offset, void *bytes, size_t len);
int spill_truncate(struct spill *s, uint64_t size);
/* The bytes of [start, end) are zeros from now on, and there. */
int spill_zero(struct spill *s, uint64_t start, uint64_t end);

#endif
