noinst_LIBRARIES += libfs_content.a
libfs_content_a_SOURCES = \
	src/fs/content/data.c src/fs/content/data.h \
	src/fs/content/file.c src/fs/content/file.h \
	src/fs/content/file_change.c \
	src/fs/content/file_fd.c src/fs/content/file_fd.h \
	src/fs/content/file_internal.h \
	src/fs/content/file_local.c src/fs/content/file_local.h \
	src/fs/content/file_map.c \
	src/fs/content/file_props.c \
	src/fs/content/file_remote.c \
	src/fs/content/file_scratch.c \
	src/fs/content/file_tail.c \
	src/fs/content/file_turn.c \
	src/fs/content/file_writers.c \
	src/fs/content/flight.c \
	src/fs/content/pending.c src/fs/content/pending.h \
	src/fs/content/pending_internal.h \
	src/fs/content/pending_recover.c \
	src/fs/content/publish.c \
	src/fs/content/publish_body.c \
	src/fs/content/publish_internal.h \
	src/fs/content/publish_parts.c \
	src/fs/content/reader.c src/fs/content/reader.h \
	src/fs/content/spill.c src/fs/content/spill.h \
	src/fs/content/write.c \
	src/fs/content/writer.c
