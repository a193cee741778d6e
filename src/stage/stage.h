/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stage: a name, a store, and the prefix of its keys there. Immutable and
 * counted; a change of settings publishes a new one, open files keep theirs.
 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/scope.h"

struct buf;
struct store;

enum stage_kind { STAGE_USER, STAGE_INTERNAL, STAGE_EXTERNAL };

struct stage {
	char *name; /* "~" for the user stage */
	enum stage_kind kind;
	struct store *store; /* a reference */
	char *prefix; /* "" or ends in '/' */
	bool ro;
	uint64_t part_size; /* bytes; 0: auto */
	/* The gateway's upload API may write here for users with a password.
	 * Set before another thread has the stage. */
	bool upload_api;
	unsigned refs; /* atomic */
};

/* [_a-zA-Z][_$a-zA-Z0-9]*, and none of v1, health, metrics, storage,
 * _databend_load (any case). */
bool stage_name_valid(const char *name);

/* Copies the strings, takes a reference to the store. NULL without memory. */
struct stage *stage_new(const char *name, enum stage_kind kind,
			struct store *store, const char *prefix, bool ro,
			uint64_t part_size);
struct stage *stage_ref(struct stage *s);
void stage_unref(struct stage *s); /* NULL is fine */
SCOPE_POINTER(struct stage, stage_unref);
#define STAGE_LOCAL SCOPED(stage_unref) struct stage

/* The key at path ("" for the stage itself), added to out. 0, -ENOMEM, or
 * -ENAMETOOLONG when it has more bytes than a key or out may have. */
int stage_key(const struct stage *s, const char *path, struct buf *out);

#endif
