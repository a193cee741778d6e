noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/absent.c src/store/absent.h \
	src/store/parts.c src/store/parts.h \
	src/store/props.c src/store/props.h \
	src/store/store_check.c src/store/store_check.h \
	src/store/store_files.c \
	src/store/store_get_sync.c \
	src/store/store_list.c \
	src/store/store_meta.h \
	src/store/store_presign.c src/store/store_presign.h \
	src/store/store_watch.c src/store/store_watch.h \
	src/store/memstore.c src/store/memstore.h \
	src/store/memstore_impl.h src/store/memstore_data.c \
	src/store/memstore_list.c src/store/memstore_object.c \
	src/store/memstore_upload.c \
	src/store/local.c \
	src/store/local.h \
	src/store/local_impl.h \
	src/store/local_attr.c \
	src/store/local_body.c \
	src/store/local_commit.c \
	src/store/local_folder.c \
	src/store/local_error.c \
	src/store/local_file.c \
	src/store/local_head.c \
	src/store/local_key.c \
	src/store/local_list.c \
	src/store/local_lock.c \
	src/store/local_name.c \
	src/store/local_note.c src/store/local_note_impl.h \
	src/store/local_note_read.c \
	src/store/local_path.c \
	src/store/local_pending.c \
	src/store/local_presign.c \
	src/store/local_put.c \
	src/store/local_remove.c \
	src/store/local_root.c \
	src/store/local_scan.c \
	src/store/local_small.c src/store/local_sweep.c \
	src/store/local_sync.c \
	src/store/local_upload.c \
	src/store/s3.c src/store/s3.h src/store/s3_impl.h \
	src/store/s3_body.c \
	src/store/s3_call.c \
	src/store/s3_copy.c \
	src/store/s3_doc.c src/store/s3_doc.h src/store/s3_doc_list.c \
	src/store/s3_doc_names.c \
	src/store/s3_error.c src/store/s3_error.h \
	src/store/s3_ask.c \
	src/store/s3_get.c \
	src/store/s3_head.c \
	src/store/s3_info.c \
	src/store/s3_judge.c \
	src/store/s3_lack.c \
	src/store/s3_learn.c \
	src/store/s3_list.c \
	src/store/s3_state.c \
	src/store/s3_sum.c \
	src/store/s3_part.c \
	src/store/s3_pending.c \
	src/store/s3_place.c src/store/s3_place.h \
	src/store/s3_presign.c \
	src/store/s3_put.c \
	src/store/s3_remove.c \
	src/store/s3_tags.c \
	src/store/s3_upload.c src/store/s3_upload.h \
	src/store/s3_xml.c src/store/s3_xml.h

LOCAL_RIG_SOURCES = tests/unit/local_rig.c tests/unit/local_rig.h \
	tests/unit/unit.h
RIG_SOURCES = tests/unit/s3_rig.c tests/unit/s3_rig.h tests/unit/standin.c \
	tests/unit/standin.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_props
TESTS += tests/unit/test_props
tests_unit_test_props_SOURCES = tests/unit/test_props.c
tests_unit_test_props_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_props_LDADD = libstore.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_store_contract
TESTS += tests/unit/test_store_contract
tests_unit_test_store_contract_SOURCES = tests/unit/test_store_contract.c \
	tests/unit/contract_calls.c tests/unit/contract_objects.c \
	tests/unit/contract_uploads.c tests/unit/store_contract.h \
	tests/unit/store_help.c tests/unit/store_help.h $(RIG_SOURCES) \
	$(LOCAL_RIG_SOURCES)
tests_unit_test_store_contract_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_contract_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_s3_error tests/unit/test_s3_xml
TESTS += tests/unit/test_s3_error tests/unit/test_s3_xml
tests_unit_test_s3_error_SOURCES = tests/unit/test_s3_error.c \
	tests/unit/s3_error_rows.h tests/unit/unit.h
tests_unit_test_s3_error_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_error_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
tests_unit_test_s3_xml_SOURCES = tests/unit/test_s3_xml.c tests/unit/unit.h
tests_unit_test_s3_xml_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_xml_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_s3_wire tests/unit/test_s3_faults
TESTS += tests/unit/test_s3_wire tests/unit/test_s3_faults
tests_unit_test_s3_wire_SOURCES = tests/unit/test_s3_wire.c \
	tests/unit/s3_error_rows.h $(RIG_SOURCES)
tests_unit_test_s3_wire_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_wire_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
tests_unit_test_s3_faults_SOURCES = tests/unit/test_s3_faults.c $(RIG_SOURCES)
tests_unit_test_s3_faults_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_faults_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_s3_odd
TESTS += tests/unit/test_s3_odd
tests_unit_test_s3_odd_SOURCES = tests/unit/test_s3_odd.c $(RIG_SOURCES)
tests_unit_test_s3_odd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_odd_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_s3_creds
TESTS += tests/unit/test_s3_creds
tests_unit_test_s3_creds_SOURCES = tests/unit/test_s3_creds.c \
	tests/unit/aws_home.c tests/unit/aws_home.h $(RIG_SOURCES)
tests_unit_test_s3_creds_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_creds_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_s3_lack
TESTS += tests/unit/test_s3_lack
tests_unit_test_s3_lack_SOURCES = tests/unit/test_s3_lack.c \
	$(RIG_SOURCES)
tests_unit_test_s3_lack_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_lack_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_s3_fixes
TESTS += tests/unit/test_s3_fixes
tests_unit_test_s3_fixes_SOURCES = tests/unit/test_s3_fixes.c \
	tests/unit/aws_home.c tests/unit/aws_home.h $(RIG_SOURCES)
tests_unit_test_s3_fixes_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_fixes_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_s3_props
TESTS += tests/unit/test_s3_props
tests_unit_test_s3_props_SOURCES = tests/unit/test_s3_props.c \
	tests/unit/aws_home.c tests/unit/aws_home.h $(RIG_SOURCES)
tests_unit_test_s3_props_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_props_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_s3_place tests/unit/test_memstore
TESTS += tests/unit/test_s3_place tests/unit/test_memstore
tests_unit_test_s3_place_SOURCES = tests/unit/test_s3_place.c tests/unit/unit.h
tests_unit_test_s3_place_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_s3_place_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
tests_unit_test_memstore_SOURCES = tests/unit/test_memstore.c tests/unit/unit.h
tests_unit_test_memstore_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_memstore_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_parts
TESTS += tests/unit/test_parts
tests_unit_test_parts_SOURCES = tests/unit/test_parts.c
tests_unit_test_parts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parts_LDADD = libstore.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_path
TESTS += tests/unit/test_local_path
tests_unit_test_local_path_SOURCES = tests/unit/test_local_path.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_path_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_path_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_note
TESTS += tests/unit/test_local_note
tests_unit_test_local_note_SOURCES = tests/unit/test_local_note.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_note_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_note_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_props
TESTS += tests/unit/test_local_props
tests_unit_test_local_props_SOURCES = tests/unit/test_local_props.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_props_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_props_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_processes
TESTS += tests/unit/test_local_processes
tests_unit_test_local_processes_SOURCES = tests/unit/test_local_processes.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_processes_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_processes_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_calls
TESTS += tests/unit/test_local_calls
tests_unit_test_local_calls_SOURCES = tests/unit/test_local_calls.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_calls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_calls_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_list
TESTS += tests/unit/test_local_list
tests_unit_test_local_list_SOURCES = tests/unit/test_local_list.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_list_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_list_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_key
TESTS += tests/unit/test_local_key
tests_unit_test_local_key_SOURCES = tests/unit/test_local_key.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_key_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_key_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_folder
TESTS += tests/unit/test_local_folder
tests_unit_test_local_folder_SOURCES = tests/unit/test_local_folder.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_folder_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_folder_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_root
TESTS += tests/unit/test_local_root
tests_unit_test_local_root_SOURCES = tests/unit/test_local_root.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_root_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_root_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_attr
TESTS += tests/unit/test_local_attr
tests_unit_test_local_attr_SOURCES = tests/unit/test_local_attr.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_attr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_attr_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_threads
TESTS += tests/unit/test_local_threads
tests_unit_test_local_threads_SOURCES = tests/unit/test_local_threads.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_threads_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_threads_LDADD = $(STORE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_local_power
TESTS += tests/unit/test_local_power
tests_unit_test_local_power_SOURCES = tests/unit/test_local_power.c $(LOCAL_RIG_SOURCES)
tests_unit_test_local_power_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_local_power_LDADD = $(STORE_LIBS) $(UNIT_LIBS)
