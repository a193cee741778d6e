# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libsign.a
libsign_a_SOURCES = \
	src/sign/sigv4.c src/sign/sigv4.h \
	src/sign/sigv4_canonical.c src/sign/sigv4_canonical.h \
	src/sign/sigv4_verify.c src/sign/sigv4_verify.h
