# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_rename.a
libfs_rename_a_SOURCES = \
	src/fs/rename/rename.c src/fs/rename/rename.h \
	src/fs/rename/rename_attr.c \
	src/fs/rename/rename_dir.c \
	src/fs/rename/rename_exchange.c \
	src/fs/rename/rename_file.c \
	src/fs/rename/rename_keys.c src/fs/rename/rename_keys.h \
	src/fs/rename/rename_removal.c src/fs/rename/rename_removal.h \
	src/fs/rename/rename_step.c
