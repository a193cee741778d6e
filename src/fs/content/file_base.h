/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a small object that an open for writing has fetched, with its
 * headers, where it would have asked by a HEAD: the publication needs both.
 */
#ifndef FS_CONTENT_FILE_BASE_H
#define FS_CONTENT_FILE_BASE_H

#include <stdbool.h>

#include "fs/content/file.h"

#define FILE_BASE_MAX (64U << 10)

/*
 * Is the object still the one of v? 0, -ESTALE, or why that could not be told;
 * -EAGAIN: it is not small, or what goes with it is known. One GET.
 */
int file_base_fetch(struct file *f, const char *key,
		    const struct inode_view *v);
/* Those at start, if they are here and of that ETag. They are gone then: the
 * caller keeps them. */
bool file_base_take(struct file *f, const char *etag, uint64_t start,
		    char *bytes, size_t n);
/* They were: the store has not been asked since whether it has that object, so
 * what is made of it replaces no other. */
bool file_base_taken(struct file *f, const char *etag);
/* The bytes that count of them are that object's as well. */
void file_base_moved(struct file *f, const char *etag);

#endif
