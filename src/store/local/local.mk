noinst_LIBRARIES += libstore_local.a
libstore_local_a_SOURCES = \
	src/store/local/local.c src/store/local/local.h \
	src/store/local/local_attr.c \
	src/store/local/local_body.c \
	src/store/local/local_commit.c \
	src/store/local/local_error.c \
	src/store/local/local_file.c \
	src/store/local/local_folder.c \
	src/store/local/local_head.c \
	src/store/local/local_impl.h \
	src/store/local/local_key.c \
	src/store/local/local_list.c \
	src/store/local/local_lock.c \
	src/store/local/local_name.c \
	src/store/local/local_note.c \
	src/store/local/local_note_impl.h \
	src/store/local/local_note_read.c \
	src/store/local/local_path.c \
	src/store/local/local_pending.c \
	src/store/local/local_presign.c \
	src/store/local/local_put.c \
	src/store/local/local_remove.c \
	src/store/local/local_root.c \
	src/store/local/local_scan.c \
	src/store/local/local_small.c \
	src/store/local/local_sweep.c \
	src/store/local/local_sync.c \
	src/store/local/local_upload.c
