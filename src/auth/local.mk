noinst_LIBRARIES += libauth.a
libauth_a_SOURCES = \
	src/auth/aws_files.c src/auth/aws_files.h \
	src/auth/aws_profile.c src/auth/aws_profile.h \
	src/auth/cred_ask.c src/auth/cred_ask.h \
	src/auth/cred_cache.c src/auth/cred_cache.h \
	src/auth/cred_cache_impl.h src/auth/cred_flight.c \
	src/auth/cred_chain.c src/auth/cred_chain.h \
	src/auth/cred_container.c src/auth/cred_container.h \
	src/auth/cred_env.c src/auth/cred_env.h \
	src/auth/cred_fetch.c src/auth/cred_fetch.h \
	src/auth/cred_fields.c src/auth/cred_fields.h \
	src/auth/cred_http.c src/auth/cred_http.h \
	src/auth/cred_imds.c src/auth/cred_imds.h \
	src/auth/cred_process.c src/auth/cred_process.h \
	src/auth/cred_profile.c src/auth/cred_profile.h \
	src/auth/cred_refresh.c src/auth/cred_refresh.h \
	src/auth/cred_role.c src/auth/cred_role.h \
	src/auth/cred_sso.c src/auth/cred_sso.h \
	src/auth/cred_sts.c src/auth/cred_sts.h \
	src/auth/cred_sts_doc.c src/auth/cred_sts_doc.h \
	src/auth/cred_words.c src/auth/cred_words.h \
	src/auth/creds.c src/auth/creds.h \
	src/auth/signer.c src/auth/signer.h

check_PROGRAMS += \
	tests/unit/test_cred_cache \
	tests/unit/test_cred_env \
	tests/unit/test_aws_profile \
	tests/unit/test_signer
TESTS += \
	tests/unit/test_cred_cache \
	tests/unit/test_cred_env \
	tests/unit/test_aws_profile \
	tests/unit/test_signer
tests_unit_test_cred_cache_SOURCES = tests/unit/test_cred_cache.c \
	tests/unit/aws_home.c tests/unit/aws_home.h
tests_unit_test_cred_cache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_cache_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)
tests_unit_test_cred_env_SOURCES = tests/unit/test_cred_env.c
tests_unit_test_cred_env_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_env_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)
tests_unit_test_aws_profile_SOURCES = tests/unit/test_aws_profile.c \
	tests/unit/aws_home.c tests/unit/aws_home.h
tests_unit_test_aws_profile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_aws_profile_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)
tests_unit_test_signer_SOURCES = tests/unit/test_signer.c
tests_unit_test_signer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_signer_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

CRED_TEST_FILES = tests/unit/cred_rig.c tests/unit/cred_rig.h \
	tests/unit/aws_home.c tests/unit/aws_home.h \
	tests/unit/standin.c tests/unit/standin.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_cred_near
TESTS += tests/unit/test_cred_near
tests_unit_test_cred_near_SOURCES = tests/unit/test_cred_near.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_near_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_near_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cred_process
TESTS += tests/unit/test_cred_process
tests_unit_test_cred_process_SOURCES = tests/unit/test_cred_process.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_process_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_process_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cred_refresh
TESTS += tests/unit/test_cred_refresh
tests_unit_test_cred_refresh_SOURCES = tests/unit/test_cred_refresh.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_refresh_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_refresh_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cred_sso
TESTS += tests/unit/test_cred_sso
tests_unit_test_cred_sso_SOURCES = tests/unit/test_cred_sso.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_sso_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_sso_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cred_sts
TESTS += tests/unit/test_cred_sts
tests_unit_test_cred_sts_SOURCES = tests/unit/test_cred_sts.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_sts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_sts_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cred_sts_doc
TESTS += tests/unit/test_cred_sts_doc
tests_unit_test_cred_sts_doc_SOURCES = tests/unit/test_cred_sts_doc.c \
	$(CRED_TEST_FILES)
tests_unit_test_cred_sts_doc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_sts_doc_LDADD = $(AUTH_LIBS) $(UNIT_LIBS)

TESTS += tests/vectors/cred-order.py
dist_check_SCRIPTS += tests/vectors/cred-order.py
