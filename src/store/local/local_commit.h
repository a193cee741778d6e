/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole file takes its place.
 */
#ifndef STORE_LOCAL_LOCAL_COMMIT_H
#define STORE_LOCAL_LOCAL_COMMIT_H

#include <stdbool.h>

#include "store/local/local_record.h"
#include "store/store.h"

struct local;

struct local_commit {
	struct local *l;
	const char *what; /* for the log */
	const char *key;
	const struct store_owner *owner;
	const struct store_cond *cond;
	const struct local_props *kept;
	bool inherit; /* the headers of what is replaced, below these */
	int fd; /* the file */
	/* Where it has a name; NULL: it has none. */
	int from_dir;
	const char *from_name;
};
int local_commit(const struct local_commit *c, struct object_info *out);
/* A key that ends in '/'. */
int local_commit_dir(struct local *l, const char *key,
		     const struct store_meta *meta,
		     const struct store_cond *cond,
		     const struct local_props *kept, struct object_info *out);

#endif
