# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libpresign.a
libpresign_a_SOURCES = \
	src/presign/presign.c src/presign/presign.h \
	src/presign/presign_fields.c src/presign/presign_fields.h \
	src/presign/presign_parts.c \
	src/presign/presign_row.c
