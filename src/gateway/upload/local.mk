# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgateway_upload.a
libgateway_upload_a_SOURCES = \
	src/gateway/upload/form.c src/gateway/upload/form.h \
	src/gateway/upload/form_head.c src/gateway/upload/form_head.h \
	src/gateway/upload/upload.c src/gateway/upload/upload.h \
	src/gateway/upload/upload_name.c src/gateway/upload/upload_name.h
