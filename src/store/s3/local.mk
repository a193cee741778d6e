# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstore_s3.a
libstore_s3_a_SOURCES = \
	src/store/s3/s3.c src/store/s3/s3.h \
	src/store/s3/s3_ask.c src/store/s3/s3_ask.h \
	src/store/s3/s3_call.c src/store/s3/s3_call.h \
	src/store/s3/s3_clock.c src/store/s3/s3_clock.h \
	src/store/s3/s3_copy.c \
	src/store/s3/s3_crypt.c src/store/s3/s3_crypt.h \
	src/store/s3/s3_doc.c src/store/s3/s3_doc.h \
	src/store/s3/s3_error.c src/store/s3/s3_error.h \
	src/store/s3/s3_etag.c src/store/s3/s3_etag.h \
	src/store/s3/s3_get.c \
	src/store/s3/s3_head.c src/store/s3/s3_head.h \
	src/store/s3/s3_heed.h \
	src/store/s3/s3_info.c src/store/s3/s3_info.h \
	src/store/s3/s3_judge.c src/store/s3/s3_judge.h \
	src/store/s3/s3_lack.c src/store/s3/s3_lack.h \
	src/store/s3/s3_list.c \
	src/store/s3/s3_made.c src/store/s3/s3_made.h \
	src/store/s3/s3_ops.h \
	src/store/s3/s3_page.c src/store/s3/s3_page.h \
	src/store/s3/s3_part.c \
	src/store/s3/s3_endpoint.c src/store/s3/s3_endpoint.h \
	src/store/s3/s3_perform.c src/store/s3/s3_perform.h \
	src/store/s3/s3_plain.c src/store/s3/s3_plain.h \
	src/store/s3/s3_presign.c \
	src/store/s3/s3_put.c \
	src/store/s3/s3_remove.c \
	src/store/s3/s3_state.c src/store/s3/s3_state.h \
	src/store/s3/s3_sum.c src/store/s3/s3_sum.h \
	src/store/s3/s3_tags.c \
	src/store/s3/s3_upload.c src/store/s3/s3_upload.h \
	src/store/s3/s3_url.c src/store/s3/s3_url.h
