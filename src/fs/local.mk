noinst_LIBRARIES += libfs.a
libfs_a_SOURCES = \
	src/fs/access.c src/fs/access.h \
	src/fs/attributes.c \
	src/fs/closing.c src/fs/closing.h \
	src/fs/closing_errors.c \
	src/fs/dir.c \
	src/fs/dirlist.c src/fs/dirlist.h \
	src/fs/fs.c src/fs/fs.h \
	src/fs/fs_internal.h \
	src/fs/handles.c \
	src/fs/keyset.c src/fs/keyset.h \
	src/fs/make.c \
	src/fs/names.c src/fs/names.h \
	src/fs/notices.c src/fs/notices.h \
	src/fs/open.c \
	src/fs/rename.c \
	src/fs/resolve.c \
	src/fs/setattr.c \
	src/fs/stages.c \
	src/fs/untold.c src/fs/untold.h \
	src/fs/watch.c src/fs/watch.h \
	src/fs/xattr.c src/fs/xattr.h \
	src/fs/xattr_args.c src/fs/xattr_args.h \
	src/fs/xattr_presign.c \
	src/fs/xattr_stage.c
