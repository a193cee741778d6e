/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder `.stagefs` of a root, and what lies in it.
 */
#ifndef STORE_LOCAL_LOCAL_FOLDER_H
#define STORE_LOCAL_LOCAL_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"

struct local;

#define LOCAL_LOCKS "locks" /* one byte for each hash of a key */
#define LOCAL_TMP "tmp" /* names that stand for microseconds */
#define LOCAL_UPLOADS "uploads" /* a folder for each upload */
#define LOCAL_KEYS "keys"
#define LOCAL_GATEWAY "gateway"
#define LOCAL_FOLDER_FILE_MAX 4096 /* bytes of a small file of the folder */

/* A small file of the folder as it was read last. */
struct local_stamp {
	uint64_t ino;
	uint64_t size;
	struct timespec mtime, ctime;
};

/* One of its folders, made where it is not there: a file descriptor, to be
 * closed; -EUCLEAN: something else is there. */
int local_folder_open(struct local *l, const char *name);
/* One in an open folder. */
int local_folder_below(int at, const char *name);
/* A file of an open folder. -EUCLEAN: another's, with two names, none. */
int local_folder_file(int at, const char *name, int flags, struct stat *st);
/* The file of locks. */
int local_folder_locks(struct local *l);

/* ---- its small files ---- */

bool local_folder_same(const struct local_stamp *a,
		       const struct local_stamp *b);
/* 0, -ENOENT ... */
int local_folder_stamp(struct local *l, const char *name,
		       struct local_stamp *out);
/* -EACCES also when it is open to others. */
int local_folder_read(struct local *l, const char *name, struct buf *out,
		      struct local_stamp *stamp);
/* Whole or not at all; -EEXIST unless it may replace. */
int local_folder_write(struct local *l, const char *name,
		       const struct buf *text, bool replace);

#endif
