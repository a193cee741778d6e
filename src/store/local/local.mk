# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstore_local.a
libstore_local_a_SOURCES = \
	src/store/local/local.c src/store/local/local.h \
	src/store/local/local_address.c src/store/local/local_address.h \
	src/store/local/local_attr.c \
	src/store/local/local_commit.c src/store/local/local_commit.h \
	src/store/local/local_error.c src/store/local/local_error.h \
	src/store/local/local_file.c src/store/local/local_file.h \
	src/store/local/local_folder.c src/store/local/local_folder.h \
	src/store/local/local_key.c src/store/local/local_key.h \
	src/store/local/local_list.c \
	src/store/local/local_lock.c src/store/local/local_lock.h \
	src/store/local/local_names.c \
	src/store/local/local_ops.h \
	src/store/local/local_path.c src/store/local/local_path.h \
	src/store/local/local_pending.c src/store/local/local_pending.h \
	src/store/local/local_presign.c \
	src/store/local/local_put.c \
	src/store/local/local_read.c \
	src/store/local/local_record.c src/store/local/local_record.h \
	src/store/local/local_root.c src/store/local/local_root.h \
	src/store/local/local_scan.c src/store/local/local_scan.h \
	src/store/local/local_upload.c
