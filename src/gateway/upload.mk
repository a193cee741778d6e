# The upload API.
libgateway_a_SOURCES += \
	src/gateway/form.c src/gateway/form.h \
	src/gateway/form_head.c src/gateway/form_head.h

check_PROGRAMS += tests/unit/test_form
TESTS += tests/unit/test_form
tests_unit_test_form_SOURCES = tests/unit/test_form.c \
	tests/unit/form_text.h
tests_unit_test_form_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_form_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_form
TESTS += tests/fuzz/fuzz_form
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c tests/fuzz/corpus.c \
	tests/unit/form_text.h
tests_fuzz_fuzz_form_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_form_LDADD = $(GATEWAY_LIBS)
