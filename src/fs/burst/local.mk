# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_burst.a
libfs_burst_a_SOURCES = \
	src/fs/burst/burst.c src/fs/burst/burst.h \
	src/fs/burst/gather.c src/fs/burst/gather.h
