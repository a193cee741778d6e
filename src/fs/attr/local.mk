# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_attr.a
libfs_attr_a_SOURCES = \
	src/fs/attr/attr_learn.c src/fs/attr/attr_learn.h \
	src/fs/attr/attr_queue.c src/fs/attr/attr_queue.h \
	src/fs/attr/attr_send.c src/fs/attr/attr_send.h
