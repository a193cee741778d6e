noinst_LIBRARIES += libpresign.a
libpresign_a_SOURCES = \
	src/presign/presign.c src/presign/presign.h \
	src/presign/presign_fields.c \
	src/presign/presign_row.c \
	src/presign/presign_impl.h \
	src/presign/presign_name.c \
	src/presign/presign_parts.c
