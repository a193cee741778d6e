# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs.a
libfs_a_SOURCES = \
	src/fs/access.c src/fs/access.h \
	src/fs/attributes.c \
	src/fs/close_errors.c src/fs/close_errors.h \
	src/fs/closing.c src/fs/closing.h \
	src/fs/dir_ahead.c src/fs/dir_ahead.h \
	src/fs/dirlist.c src/fs/dirlist.h \
	src/fs/dirops.c \
	src/fs/file_ahead.c src/fs/file_ahead.h \
	src/fs/fs.c src/fs/fs.h \
	src/fs/fs_dir.c \
	src/fs/fs_file.c \
	src/fs/fs_range.c \
	src/fs/fs_setattr.c \
	src/fs/handle.c src/fs/handle.h \
	src/fs/inval_queue.c src/fs/inval_queue.h \
	src/fs/look.c src/fs/look.h \
	src/fs/marker.c \
	src/fs/names.c src/fs/names.h \
	src/fs/questions.c src/fs/questions.h \
	src/fs/removals.c src/fs/removals.h \
	src/fs/resolve.c \
	src/fs/stages.c \
	src/fs/state.h src/fs/subtree.c src/fs/subtree.h \
	src/fs/traversal.c src/fs/traversal.h
