# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_cache.a
libfs_cache_a_SOURCES = \
	src/fs/cache/block.c src/fs/cache/block.h \
	src/fs/cache/block_cache.c src/fs/cache/block_cache.h \
	src/fs/cache/block_disk.c src/fs/cache/block_disk.h \
	src/fs/cache/block_source.c \
	src/fs/cache/disk_cache.c src/fs/cache/disk_cache.h \
	src/fs/cache/disk_segment.c src/fs/cache/disk_segment.h \
	src/fs/cache/disk_usage.c src/fs/cache/disk_usage.h \
	src/fs/cache/prefetch.c src/fs/cache/prefetch.h \
	src/fs/cache/wire.c src/fs/cache/wire.h
