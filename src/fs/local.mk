noinst_LIBRARIES += libfs.a
libfs_a_SOURCES = \
	src/fs/fs.h src/fs/data.c src/fs/data.h

# The names half: the tree and what is done with it.
libfs_a_SOURCES += \
	src/fs/access.c src/fs/access.h \
	src/fs/announced.c src/fs/announced.h \
	src/fs/attr.c \
	src/fs/attributes.c \
	src/fs/changed.c \
	src/fs/closing.c src/fs/closing.h \
	src/fs/closing_errors.c \
	src/fs/crew.c src/fs/crew.h \
	src/fs/dir.c \
	src/fs/dircache.c src/fs/dircache.h \
	src/fs/dirlist.c src/fs/dirlist.h \
	src/fs/fs.c src/fs/fs_internal.h \
	src/fs/handles.c \
	src/fs/inode.c src/fs/inode.h \
	src/fs/inode_fields.c \
	src/fs/keyset.c src/fs/keyset.h \
	src/fs/lifetime.c \
	src/fs/make.c \
	src/fs/moves.c \
	src/fs/names.c src/fs/names.h \
	src/fs/notices.c src/fs/notices.h \
	src/fs/open.c \
	src/fs/pins.c \
	src/fs/rename.c \
	src/fs/resolve.c \
	src/fs/setattr.c \
	src/fs/stages.c \
	src/fs/told.c \
	src/fs/tree.c src/fs/tree.h \
	src/fs/tree_hash.c \
	src/fs/tree_number.c \
	src/fs/untold.c src/fs/untold.h \
	src/fs/watch.c src/fs/watch.h \
	src/fs/xattr.c src/fs/xattr.h \
	src/fs/xattr_args.c src/fs/xattr_args.h \
	src/fs/xattr_presign.c \
	src/fs/xattr_stage.c

fs_names_tests = tests/unit/test_access tests/unit/test_dircache \
	tests/unit/test_inode tests/unit/test_names tests/unit/test_dir \
	tests/unit/test_rename tests/unit/test_rename_race \
	tests/unit/test_xattr tests/unit/test_xattr_args \
	tests/unit/test_claims tests/unit/test_open tests/unit/test_handles \
	tests/unit/test_replaced \
	tests/unit/test_inode_limits tests/unit/test_stages \
	tests/unit/test_closes tests/unit/test_watch tests/unit/test_fs_files \
	tests/unit/test_fs_urls
check_PROGRAMS += $(fs_names_tests)
TESTS += $(fs_names_tests)
tests_unit_test_access_SOURCES = tests/unit/test_access.c
tests_unit_test_access_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_access_LDADD = libfs.a $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_test_dircache_SOURCES = tests/unit/test_dircache.c
tests_unit_test_dircache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dircache_LDADD = libfs.a libstage.a libstore.a $(BASE_LIBS) \
	$(UNIT_LIBS)
tests_unit_test_inode_SOURCES = tests/unit/test_inode.c \
	tests/unit/tree_fixture.h
tests_unit_test_inode_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inode_LDADD = libfs.a libstage.a libstore.a $(BASE_LIBS) \
	$(UNIT_LIBS)
# fs_fixture.c: a mount on a store in memory.
tests_unit_test_names_SOURCES = tests/unit/test_names.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_names_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_names_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_dir_SOURCES = tests/unit/test_dir.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_dir_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dir_LDADD = $(FS_LIBS) $(UNIT_LIBS)

tests_unit_test_rename_SOURCES = tests/unit/test_rename.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_rename_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rename_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_rename_race_SOURCES = tests/unit/test_rename_race.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_rename_race_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rename_race_LDADD = $(FS_LIBS) $(UNIT_LIBS)

tests_unit_test_xattr_SOURCES = tests/unit/test_xattr.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_xattr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_xattr_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_xattr_args_SOURCES = tests/unit/test_xattr_args.c
tests_unit_test_xattr_args_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_xattr_args_LDADD = libfs.a libstage.a $(BASE_LIBS) $(UNIT_LIBS)

tests_unit_test_claims_SOURCES = tests/unit/test_claims.c \
	tests/unit/tree_fixture.h
tests_unit_test_claims_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_claims_LDADD = libfs.a libstage.a libstore.a $(BASE_LIBS) \
	$(UNIT_LIBS)
tests_unit_test_open_SOURCES = tests/unit/test_open.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_open_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_open_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_replaced_SOURCES = tests/unit/test_replaced.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_replaced_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_replaced_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_handles_SOURCES = tests/unit/test_handles.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_handles_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_handles_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_closes_SOURCES = tests/unit/test_closes.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_closes_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_closes_LDADD = $(FS_LIBS) $(UNIT_LIBS)

tests_unit_test_inode_limits_SOURCES = tests/unit/test_inode_limits.c \
	tests/unit/tree_fixture.h
tests_unit_test_inode_limits_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inode_limits_LDADD = libfs.a libstage.a libstore.a \
	$(BASE_LIBS) $(UNIT_LIBS)

tests_unit_test_stages_SOURCES = tests/unit/test_stages.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_stages_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stages_LDADD = $(FS_LIBS) $(UNIT_LIBS)

tests_unit_test_watch_SOURCES = tests/unit/test_watch.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h
tests_unit_test_watch_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_watch_LDADD = $(FS_LIBS) $(UNIT_LIBS)

tests_unit_test_fs_files_SOURCES = tests/unit/test_fs_files.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h $(LOCAL_RIG_SOURCES)
tests_unit_test_fs_files_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_files_LDADD = $(FS_LIBS) $(UNIT_LIBS)
tests_unit_test_fs_urls_SOURCES = tests/unit/test_fs_urls.c \
	tests/unit/fs_fixture.c tests/unit/fs_fixture.h $(LOCAL_RIG_SOURCES)
tests_unit_test_fs_urls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_urls_LDADD = $(FS_LIBS) $(UNIT_LIBS)

# The bytes half: content, blocks, parts.
libfs_a_SOURCES += \
	src/fs/extents.c src/fs/extents.h \
	src/fs/prefetch.c src/fs/prefetch.h \
	src/fs/spill.c src/fs/spill.h \
	src/fs/pool.c src/fs/pool.h \
	src/fs/block.c src/fs/block.h \
	src/fs/block_cache.c src/fs/block_internal.h \
	src/fs/file.c src/fs/file.h \
	src/fs/file_remote.c src/fs/file_tail.c src/fs/file_turn.c \
	src/fs/file_map.c src/fs/file_props.c src/fs/file_internal.h \
	src/fs/file_change.c \
	src/fs/file_local.c src/fs/file_local.h src/fs/file_scratch.c \
	src/fs/file_fd.c src/fs/file_fd.h \
	src/fs/file_writers.c \
	src/fs/write.c src/fs/writer.c src/fs/flight.c \
	src/fs/publish.c src/fs/publish_internal.h \
	src/fs/publish_body.c src/fs/publish_parts.c \
	src/fs/reader.c src/fs/reader.h \
	src/fs/pending.c src/fs/pending.h \
	src/fs/pending_recover.c src/fs/pending_internal.h

fs_data_tests = tests/unit/test_extents \
	tests/unit/test_prefetch tests/unit/test_spill tests/unit/test_file \
	tests/unit/test_file_model tests/unit/test_file_props \
	tests/unit/test_block \
	tests/unit/test_reader tests/unit/test_writer \
	tests/unit/test_pending tests/unit/test_writer_threads
check_PROGRAMS += $(fs_data_tests)
TESTS += $(fs_data_tests)
tests_unit_test_extents_SOURCES = tests/unit/test_extents.c
tests_unit_test_extents_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_extents_LDADD = libfs.a $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_test_prefetch_SOURCES = tests/unit/test_prefetch.c
tests_unit_test_prefetch_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_prefetch_LDADD = libfs.a $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_test_spill_SOURCES = tests/unit/test_spill.c
tests_unit_test_spill_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_spill_LDADD = libfs.a $(BASE_LIBS) $(UNIT_LIBS)
fs_rig = tests/unit/file_rig.c tests/unit/file_rig.h
fs_rig_libs = libfs.a libstage.a libstore.a $(BASE_LIBS) $(UNIT_LIBS)
tests_unit_test_file_SOURCES = tests/unit/test_file.c $(fs_rig)
tests_unit_test_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_LDADD = $(fs_rig_libs)
tests_unit_test_file_props_SOURCES = tests/unit/test_file_props.c $(fs_rig)
tests_unit_test_file_props_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_props_LDADD = $(fs_rig_libs)
tests_unit_test_block_SOURCES = tests/unit/test_block.c $(fs_rig)
tests_unit_test_block_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_block_LDADD = $(fs_rig_libs)
tests_unit_test_file_model_SOURCES = tests/unit/test_file_model.c $(fs_rig)
tests_unit_test_file_model_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_model_LDADD = $(fs_rig_libs)
tests_unit_test_reader_SOURCES = tests/unit/test_reader.c $(fs_rig)
tests_unit_test_reader_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reader_LDADD = $(fs_rig_libs)
tests_unit_test_writer_SOURCES = tests/unit/test_writer.c $(fs_rig)
tests_unit_test_writer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_writer_LDADD = $(fs_rig_libs)
tests_unit_test_pending_SOURCES = tests/unit/test_pending.c $(fs_rig)
tests_unit_test_pending_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pending_LDADD = $(fs_rig_libs)
tests_unit_test_writer_threads_SOURCES = tests/unit/test_writer_threads.c $(fs_rig)
tests_unit_test_writer_threads_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_writer_threads_LDADD = $(fs_rig_libs)
