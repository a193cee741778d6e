noinst_LIBRARIES += libauth.a
libauth_a_SOURCES = \
	src/auth/creds.c src/auth/creds.h
