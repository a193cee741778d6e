# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libfs_xattr.a
libfs_xattr_a_SOURCES = \
	src/fs/xattr/fs_xattr.c src/fs/xattr/fs_xattr.h \
	src/fs/xattr/xattr.h \
	src/fs/xattr/xattr_args.c src/fs/xattr/xattr_args.h \
	src/fs/xattr/xattr_presign.c \
	src/fs/xattr/xattr_props.c \
	src/fs/xattr/xattr_stage.c
