# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_names.a
libfs_names_a_SOURCES = \
	src/fs/names/ask.c src/fs/names/ask.h \
	src/fs/names/claims.c \
	src/fs/names/dir_filler.c src/fs/names/dir_filler.h \
	src/fs/names/dir_levels.c src/fs/names/dir_levels.h \
	src/fs/names/dircache.c src/fs/names/dircache.h \
	src/fs/names/inode.c src/fs/names/inode.h \
	src/fs/names/inode_attr.c \
	src/fs/names/inode_etag.c \
	src/fs/names/inode_file.c \
	src/fs/names/inode_meta.c src/fs/names/inode_meta.h \
	src/fs/names/likeness.c src/fs/names/likeness.h \
	src/fs/names/policy.c src/fs/names/policy.h \
	src/fs/names/store_event.c src/fs/names/store_event.h \
	src/fs/names/trail.c src/fs/names/trail.h \
	src/fs/names/refusal.c src/fs/names/refusal.h \
	src/fs/names/tree.c src/fs/names/tree.h \
	src/fs/names/tree_gone.c \
	src/fs/names/tree_hash.c \
	src/fs/names/tree_lru.c \
	src/fs/names/tree_number.c \
	src/fs/names/tree_refresh.c
