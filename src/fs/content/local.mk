# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_content.a
libfs_content_a_SOURCES = \
	src/fs/content/content_local.c \
	src/fs/content/content_remote.c \
	src/fs/content/data.c \
	src/fs/content/data.h \
	src/fs/content/file.c \
	src/fs/content/file.h \
	src/fs/content/file_base.c \
	src/fs/content/file_base.h \
	src/fs/content/file_edit.c src/fs/content/file_edit.h \
	src/fs/content/file_fd.c \
	src/fs/content/file_fd.h \
	src/fs/content/file_map.c \
	src/fs/content/file_map.h \
	src/fs/content/file_props.c \
	src/fs/content/file_props.h \
	src/fs/content/pending.c \
	src/fs/content/pending.h \
	src/fs/content/publish.c \
	src/fs/content/publish.h \
	src/fs/content/range.c \
	src/fs/content/range.h \
	src/fs/content/reader.c \
	src/fs/content/reader.h \
	src/fs/content/seal.c \
	src/fs/content/seal.h \
	src/fs/content/sent.c \
	src/fs/content/sent.h \
	src/fs/content/spill.c \
	src/fs/content/spill.h \
	src/fs/content/turn.c \
	src/fs/content/turn.h \
	src/fs/content/upload.c \
	src/fs/content/upload.h \
	src/fs/content/writer.c \
	src/fs/content/writer.h
