noinst_LIBRARIES += libfs_names.a
libfs_names_a_SOURCES = \
	src/fs/names/announced.c src/fs/names/announced.h \
	src/fs/names/attr.c \
	src/fs/names/changed.c \
	src/fs/names/dircache.c src/fs/names/dircache.h \
	src/fs/names/inode.c src/fs/names/inode.h \
	src/fs/names/inode_fields.c \
	src/fs/names/lifetime.c \
	src/fs/names/moves.c \
	src/fs/names/pins.c \
	src/fs/names/told.c \
	src/fs/names/tree.c src/fs/names/tree.h \
	src/fs/names/tree_hash.c \
	src/fs/names/tree_number.c
