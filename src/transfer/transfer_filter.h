/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of a tree are wanted: --include and --exclude. Pure.
 */
#ifndef TRANSFER_TRANSFER_FILTER_H
#define TRANSFER_TRANSFER_FILTER_H

#include <stdbool.h>

/* Patterns, one a line; NULL: none. A pattern without a '/' is for the last
 * name, one with it for the path below the directory that was named. What
 * is in a directory that is excluded is excluded. */
struct transfer_filter {
	const char *include, *exclude;
};

/* path: below that directory. What is excluded goes before what is included.
 */
bool transfer_filter_wants(const struct transfer_filter *f, const char *path);

#endif
