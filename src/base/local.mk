noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/budget.c src/base/budget.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/digest.c src/base/digest.h \
	src/base/dirs.c src/base/dirs.h \
	src/base/fatal.c src/base/fatal.h \
	src/base/field.h \
	src/base/ini.c src/base/ini.h \
	src/base/ini_expand.c \
	src/base/ini_set.c \
	src/base/kdf.c src/base/kdf.h \
	src/base/lock.h \
	src/base/log.c src/base/log.h \
	src/base/option.c src/base/option.h \
	src/base/option_help.c \
	src/base/option_type.c src/base/option_type.h \
	src/base/mime.c src/base/mime.h \
	src/base/proc.c src/base/proc.h \
	src/base/text.c src/base/text.h \
	src/base/thread.c src/base/thread.h \
	src/base/wait.c src/base/wait.h

check_PROGRAMS += tests/unit/test_buf
TESTS += tests/unit/test_buf
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_buf_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_clock
TESTS += tests/unit/test_clock
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c
tests_unit_test_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_clock_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_digest
TESTS += tests/unit/test_digest
tests_unit_test_digest_SOURCES = tests/unit/test_digest.c
tests_unit_test_digest_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_digest_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_text
TESTS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c
tests_unit_test_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_text_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mime
TESTS += tests/unit/test_mime
tests_unit_test_mime_SOURCES = tests/unit/test_mime.c
tests_unit_test_mime_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mime_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_budget
TESTS += tests/unit/test_budget
tests_unit_test_budget_SOURCES = tests/unit/test_budget.c
tests_unit_test_budget_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_budget_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_proc
TESTS += tests/unit/test_proc
tests_unit_test_proc_SOURCES = tests/unit/test_proc.c
tests_unit_test_proc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_proc_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

# The test stands in for syslog(3), under both names that it has.
check_PROGRAMS += tests/unit/test_log
TESTS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syslog \
	-Wl,--wrap=__syslog_chk

check_PROGRAMS += tests/unit/test_wait
TESTS += tests/unit/test_wait
tests_unit_test_wait_SOURCES = tests/unit/test_wait.c
tests_unit_test_wait_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wait_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fatal
TESTS += tests/unit/test_fatal
tests_unit_test_fatal_SOURCES = tests/unit/test_fatal.c
tests_unit_test_fatal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fatal_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_option
TESTS += tests/unit/test_option
tests_unit_test_option_SOURCES = tests/unit/test_option.c
tests_unit_test_option_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_option_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ini
TESTS += tests/unit/test_ini
tests_unit_test_ini_SOURCES = tests/unit/test_ini.c
tests_unit_test_ini_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ini_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_kdf
TESTS += tests/unit/test_kdf
tests_unit_test_kdf_SOURCES = tests/unit/test_kdf.c
tests_unit_test_kdf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_kdf_LDADD = $(BASE_LIBS) $(UNIT_LIBS)
