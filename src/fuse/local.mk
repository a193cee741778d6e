# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfuse_ops.a
libfuse_ops_a_SOURCES = \
	src/fuse/guard.c src/fuse/guard.h \
	src/fuse/init_patch.c src/fuse/init_patch.h \
	src/fuse/killpriv.c src/fuse/killpriv.h \
	src/fuse/notify.c src/fuse/notify.h \
	src/fuse/op.c src/fuse/op.h \
	src/fuse/op_counts.c src/fuse/op_counts.h \
	src/fuse/ops.c src/fuse/ops.h \
	src/fuse/ops_file.c \
	src/fuse/session.c src/fuse/session.h
