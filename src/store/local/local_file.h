/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on single files that do more than the kernel's.
 */
#ifndef STORE_LOCAL_LOCAL_FILE_H
#define STORE_LOCAL_LOCAL_FILE_H

#include <stdbool.h>
#include <time.h>

#include "store/store.h"

struct local;

#define LOCAL_ID_SIZE 25 /* 96 random bits in hex, with the NUL */

/* openat2() beneath the root; path "" is the root. No symlink is followed, no
 * mount entered. A file descriptor or -errno. What O_TMPFILE makes has 0666. */
int local_file_openat(int at, const char *path, int flags);
/* Owner and mode of what is made: 0 or -errno. */
int local_file_own(int fd, const struct store_owner *owner, bool mode);
/* Is the open directory one that we have made since then? Between making and
 * opening it the owner of the folder above may give its name to another. */
bool local_file_is_made(int fd, const struct timespec *since);
/* A directory, made with its owner (and mode) if nothing is there; *made says
 * which. A file descriptor or -errno. */
int local_file_mkdir(int at, const char *name, const struct store_owner *owner,
		     bool mode, bool *made);
/* A name for a file that has none. */
int local_file_link(int fd, int dir, const char *name);
void local_file_random_id(char out[LOCAL_ID_SIZE]);

/* A file without a name on the disk where key would be, open for both. */
int local_file_make(struct local *l, const char *key);
/* len bytes from one file to another: -EIO it is short, -EINTR. */
int local_file_copy(int from, uint64_t from_at, int to, uint64_t to_at,
		    uint64_t len);
int local_file_write(const struct store_body *body, int to, uint64_t to_at);

#endif
