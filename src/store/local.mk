# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/attr_meta.c src/store/attr_meta.h \
	src/store/parts.c src/store/parts.h \
	src/store/props.c src/store/props.h \
	src/store/storage_class.c src/store/storage_class.h \
	src/store/store.c src/store/store.h \
	src/store/store_broken.c \
	src/store/store_check.c src/store/store_check.h \
	src/store/store_get_sync.c \
	src/store/store_list.c \
	src/store/store_meta.h \
	src/store/store_presign.c src/store/store_presign.h \
	src/store/store_probe.c src/store/store_probe.h \
	src/store/store_upload.h \
	src/store/upload_parts.c src/store/upload_parts.h \
	src/store/upload_record.c src/store/upload_record.h \
	src/store/upload_stream.c src/store/upload_stream.h \
	src/store/xattrs.c src/store/xattrs.h
