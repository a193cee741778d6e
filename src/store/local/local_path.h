/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a key to a folder and a name in it.
 */
#ifndef STORE_LOCAL_LOCAL_PATH_H
#define STORE_LOCAL_LOCAL_PATH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/store.h"

struct local;

#define LOCAL_NAME_SIZE 256 /* a segment with its NUL */

struct local_path {
	int dir; /* the folder that holds it; -1: none is open */
	char name[LOCAL_NAME_SIZE];
	bool is_dir; /* the key ends in '/' */
};

/* 0 or -errno: can a file system hold it? *why: a sentence. */
int local_path_check(const char *key, const char **why);
/* The folder of a key that was checked: -ENOENT there is none (or a file
 * stands in its way: -ENOTDIR). */
int local_path_open(struct local *l, const char *key, struct local_path *out);
/* The same for writing; folders that are not there are made and flushed. */
int local_path_make(struct local *l, const char *key,
		    const struct store_owner *owner, struct local_path *out);
void local_path_close(struct local_path *p);
#define LOCAL_PATH_LOCAL \
	__attribute__((cleanup(local_path_close))) struct local_path
/* Folders that only keys needed, and that are empty now, go: from the one that
 * holds key upwards. */
void local_path_prune(struct local *l, const char *key);
/* The object's file for reading; -ENOENT: no regular file. */
int local_path_open_file(struct local *l, const char *key, struct stat *st);
int local_path_open_dir(struct local *l, const char *key, struct stat *st);

#endif
