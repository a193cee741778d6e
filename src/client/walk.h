/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a location means, for LIST and REMOVE alike.
 */
#ifndef CLIENT_WALK_H
#define CLIENT_WALK_H

#include <stdbool.h>

struct failure;
struct list_entry;
struct pattern;
struct stage;

struct walk {
	struct stage *stage;
	const char *path; /* in the stage: a prefix of names */
	struct pattern *pattern; /* for what follows path; NULL: all */
	bool one_level; /* directories as `dir/`, not what is in them */
	bool markers; /* directories' own keys too, but the stage's */
	/* 0, or what ends the walk and is returned; f is set then. name: in
	 * the stage; a marker's ends in '/'. */
	int (*each)(void *arg, const struct list_entry *e, const char *name,
		    struct failure *f);
	void *arg;
};

/* In the order of the store's keys. 0 or -errno. Blocks. */
int walk_files(const struct walk *w, struct failure *f);

#endif
