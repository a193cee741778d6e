noinst_LIBRARIES += libsign.a
libsign_a_SOURCES = \
	src/sign/sigv4.c src/sign/sigv4.h \
	src/sign/sigv4_canonical.c src/sign/sigv4_canonical.h \
	src/sign/sigv4_verify.c src/sign/sigv4_verify.h

check_PROGRAMS += tests/unit/test_sigv4
TESTS += tests/unit/test_sigv4
tests_unit_test_sigv4_SOURCES = tests/unit/test_sigv4.c
tests_unit_test_sigv4_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sigv4_LDADD = $(SIGN_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sigv4_rules
TESTS += tests/unit/test_sigv4_rules
tests_unit_test_sigv4_rules_SOURCES = tests/unit/test_sigv4_rules.c
tests_unit_test_sigv4_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sigv4_rules_LDADD = $(SIGN_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sigv4_verify
TESTS += tests/unit/test_sigv4_verify
tests_unit_test_sigv4_verify_SOURCES = tests/unit/test_sigv4_verify.c
tests_unit_test_sigv4_verify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sigv4_verify_LDADD = $(SIGN_LIBS) $(UNIT_LIBS)

# Against another implementation.
check_PROGRAMS += tests/vectors/sigv4-cli
tests_vectors_sigv4_cli_SOURCES = tests/vectors/sigv4-cli.c
tests_vectors_sigv4_cli_LDADD = $(SIGN_LIBS)
TESTS += tests/vectors/sigv4-botocore.py
dist_check_SCRIPTS += tests/vectors/sigv4-botocore.py
check_PROGRAMS += tests/vectors/verify-cli
tests_vectors_verify_cli_SOURCES = tests/vectors/verify-cli.c
tests_vectors_verify_cli_LDADD = $(SIGN_LIBS)
TESTS += tests/vectors/verify-botocore.py
dist_check_SCRIPTS += tests/vectors/verify-botocore.py
