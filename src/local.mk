bin_PROGRAMS += stagefs
stagefs_SOURCES = \
	src/main.c \
	src/config_catalog.c \
	$(CONFIG_SOURCES)
stagefs_LDADD = $(FUSE_FLOOR_LIBS) $(PCRE_LIBS)

CONFIG_SOURCES = \
	src/config.c src/config.h src/config_impl.h \
	src/config_command.c \
	src/config_file.c \
	src/config_table.c

check_PROGRAMS += tests/unit/test_config
TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c \
	tests/unit/config_fixture.h $(CONFIG_SOURCES)
tests_unit_test_config_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_config_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_bad
TESTS += tests/unit/test_config_bad
tests_unit_test_config_bad_SOURCES = tests/unit/test_config_bad.c \
	$(CONFIG_SOURCES)
tests_unit_test_config_bad_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_config_bad_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_bad_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mount_options
TESTS += tests/unit/test_mount_options
tests_unit_test_mount_options_SOURCES = tests/unit/test_mount_options.c \
	src/mount_options.c src/mount_options.h
tests_unit_test_mount_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mount_options_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
