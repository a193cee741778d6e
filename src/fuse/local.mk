noinst_LIBRARIES += libfuse_floor.a
libfuse_floor_a_SOURCES = \
	src/fuse/session.c src/fuse/session.h
