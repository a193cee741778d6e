noinst_LIBRARIES += libsign.a
libsign_a_SOURCES = \
	src/sign/sigv4.c src/sign/sigv4.h
