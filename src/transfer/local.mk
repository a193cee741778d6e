# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libtransfer.a
libtransfer_a_SOURCES = \
	src/transfer/transfer.c src/transfer/transfer.h \
	src/transfer/transfer_file.c src/transfer/transfer_file.h \
	src/transfer/transfer_copy.c \
	src/transfer/transfer_filter.c src/transfer/transfer_filter.h \
	src/transfer/transfer_find.c \
	src/transfer/transfer_get.c \
	src/transfer/transfer_glob.c src/transfer/transfer_glob.h \
	src/transfer/transfer_index.c src/transfer/transfer_index.h \
	src/transfer/transfer_local.c src/transfer/transfer_local.h \
	src/transfer/transfer_plan.c src/transfer/transfer_plan.h \
	src/transfer/transfer_progress.c src/transfer/transfer_progress.h \
	src/transfer/transfer_put.c \
	src/transfer/transfer_remote.c src/transfer/transfer_remote.h \
	src/transfer/transfer_resume.c src/transfer/transfer_resume.h \
	src/transfer/transfer_row.c src/transfer/transfer_row.h \
	src/transfer/transfer_sink.c src/transfer/transfer_sink.h \
	src/transfer/transfer_state.c src/transfer/transfer_state.h \
	src/transfer/transfer_sync.c src/transfer/transfer_sync.h \
	src/transfer/transfer_walk.c
