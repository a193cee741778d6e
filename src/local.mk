bin_PROGRAMS += stagefs
stagefs_SOURCES = \
	src/main.c
stagefs_LDADD = $(FUSE_FLOOR_LIBS) $(PCRE_LIBS)

check_PROGRAMS += tests/unit/test_mount_options
TESTS += tests/unit/test_mount_options
tests_unit_test_mount_options_SOURCES = tests/unit/test_mount_options.c \
	src/mount_options.c src/mount_options.h
tests_unit_test_mount_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mount_options_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
