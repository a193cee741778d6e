noinst_LIBRARIES += libauth.a
libauth_a_SOURCES = \
	src/auth/aws_files.c src/auth/aws_files.h \
	src/auth/cred_cache.c src/auth/cred_cache.h \
	src/auth/cred_env.c src/auth/cred_env.h \
	src/auth/cred_file.c src/auth/cred_file.h \
	src/auth/creds.c src/auth/creds.h \
	src/auth/signer.c src/auth/signer.h

check_PROGRAMS += \
	tests/unit/test_cred_cache \
	tests/unit/test_cred_env \
	tests/unit/test_cred_file \
	tests/unit/test_signer
TESTS += \
	tests/unit/test_cred_cache \
	tests/unit/test_cred_env \
	tests/unit/test_cred_file \
	tests/unit/test_signer
tests_unit_test_cred_cache_SOURCES = tests/unit/test_cred_cache.c \
	tests/unit/aws_home.c tests/unit/aws_home.h
tests_unit_test_cred_cache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_cache_LDADD = libauth.a $(SIGN_LIBS) $(UNIT_LIBS)
tests_unit_test_cred_env_SOURCES = tests/unit/test_cred_env.c
tests_unit_test_cred_env_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_env_LDADD = libauth.a $(SIGN_LIBS) $(UNIT_LIBS)
tests_unit_test_cred_file_SOURCES = tests/unit/test_cred_file.c \
	tests/unit/aws_home.c tests/unit/aws_home.h
tests_unit_test_cred_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cred_file_LDADD = libauth.a $(SIGN_LIBS) $(UNIT_LIBS)
tests_unit_test_signer_SOURCES = tests/unit/test_signer.c
tests_unit_test_signer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_signer_LDADD = libauth.a $(SIGN_LIBS) $(UNIT_LIBS)
