/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of names on a stage of its own, without I/O. */
#ifndef TESTS_LIB_TREE_FIXTURE_H
#define TESTS_LIB_TREE_FIXTURE_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

#include "fs/names/inode.h"
#include "stage/stage.h"
#include "memstore.h"

static struct store *store;
static struct stage *stage;

static inline int setup(void **state)
{
	store = memstore_new("s");
	stage = stage_new("s", STAGE_EXTERNAL, store, "pre/", false, 0);
	return !store || !stage;
}

static inline int teardown(void **state)
{
	stage_unref(stage);
	store_unref(store);
	return 0;
}

static inline struct tree_settings tree_fixture_settings(unsigned ttl_ms,
							 unsigned cache_max)
{
	return (struct tree_settings){
		.ttl_ms = ttl_ms,
		.uid = 7,
		.gid = 8,
		.file_mode = 0644,
		.dir_mode = 0755,
		.cache_max = cache_max,
	};
}

static inline struct tree *new_tree(unsigned ttl_ms, unsigned cache_max)
{
	struct tree_settings s = tree_fixture_settings(ttl_ms, cache_max);
	struct tree *t = tree_new(&s, stage);

	assert_non_null(t);
	return t;
}

static inline struct object_info info_of(uint64_t size, const char *etag)
{
	struct object_info info = { .size = size, .mtime = { 1000, 5 } };

	snprintf(info.etag, sizeof(info.etag), "%s", etag);
	return info;
}

static inline struct inode *must(struct inode *i)
{
	assert_non_null(i);
	return i;
}

static inline struct inode *refreshed_dir(struct tree *t, struct inode *dir,
					  const char *name)
{
	return must(tree_refresh(t, dir, name, INODE_DIR, NULL, false,
				 tree_clock(t)));
}

#endif
