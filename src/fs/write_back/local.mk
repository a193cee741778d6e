# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_write_back.a
libfs_write_back_a_SOURCES = \
	src/fs/write_back/journal.c src/fs/write_back/journal.h \
	src/fs/write_back/journal_file.c src/fs/write_back/journal_file.h \
	src/fs/write_back/journal_index.c src/fs/write_back/journal_index.h \
	src/fs/write_back/queue.c src/fs/write_back/queue.h \
	src/fs/write_back/record.c src/fs/write_back/record.h \
	src/fs/write_back/restore.c \
	src/fs/write_back/salvage.c src/fs/write_back/salvage.h \
	src/fs/write_back/send.c src/fs/write_back/send.h \
	src/fs/write_back/write_back.c src/fs/write_back/write_back.h
