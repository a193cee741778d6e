noinst_LIBRARIES += libfs.a
libfs_a_SOURCES = \
	src/fs/fs.c src/fs/fs.h
