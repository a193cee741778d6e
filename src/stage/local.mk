noinst_LIBRARIES += libstage.a
libstage_a_SOURCES = \
	src/stage/catalog.c src/stage/catalog.h src/stage/catalog_impl.h \
	src/stage/catalog_external.c \
	src/stage/external.c \
	src/stage/catalog_list.c \
	src/stage/catalog_new.c \
	src/stage/catalog_notes.c \
	src/stage/catalog_overlap.c \
	src/stage/conn.c src/stage/conn.h \
	src/stage/conn_check.c \
	src/stage/conn_copy.c \
	src/stage/conn_env.c \
	src/stage/conn_local.c src/stage/conn_local.h \
	src/stage/conn_open.c \
	src/stage/conn_place.c \
	src/stage/drop_ins.c src/stage/drop_ins.h \
	src/stage/drop_ins_write.c \
	src/stage/known.c src/stage/known.h \
	src/stage/path.c src/stage/path.h \
	src/stage/presign.c src/stage/presign.h src/stage/presign_impl.h \
	src/stage/presign_fields.c \
	src/stage/presign_form.c \
	src/stage/presign_name.c \
	src/stage/presign_parts.c \
	src/stage/sql.c src/stage/sql.h \
	src/stage/sql_lex.c src/stage/sql_lex.h \
	src/stage/sql_parse.c src/stage/sql_parse.h \
	src/stage/sql_show.c \
	src/stage/sql_stage.c \
	src/stage/stage.c src/stage/stage.h

check_PROGRAMS += tests/unit/test_path
TESTS += tests/unit/test_path
tests_unit_test_path_SOURCES = tests/unit/test_path.c
tests_unit_test_path_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_path_LDADD = libstage.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_stage
TESTS += tests/unit/test_stage
tests_unit_test_stage_SOURCES = tests/unit/test_stage.c
tests_unit_test_stage_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stage_LDADD = libstage.a libstore.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_known
TESTS += tests/unit/test_known
tests_unit_test_known_SOURCES = tests/unit/test_known.c
tests_unit_test_known_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_known_LDADD = libstage.a libstore.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_presign
TESTS += tests/unit/test_presign
tests_unit_test_presign_SOURCES = tests/unit/test_presign.c
tests_unit_test_presign_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_presign_LDADD = libstage.a libstore.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_presign_fields
TESTS += tests/unit/test_presign_fields
tests_unit_test_presign_fields_SOURCES = tests/unit/test_presign_fields.c
tests_unit_test_presign_fields_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_presign_fields_LDADD = libstage.a libstore.a $(BASE_LIBS) \
	$(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_presign_parts
TESTS += tests/unit/test_presign_parts
tests_unit_test_presign_parts_SOURCES = tests/unit/test_presign_parts.c
tests_unit_test_presign_parts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_presign_parts_LDADD = libstage.a libstore.a $(BASE_LIBS) \
	$(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_catalog
TESTS += tests/unit/test_catalog
tests_unit_test_catalog_SOURCES = tests/unit/test_catalog.c \
	tests/unit/catalog_fixture.h
tests_unit_test_catalog_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_catalog_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conn
TESTS += tests/unit/test_conn
tests_unit_test_conn_SOURCES = tests/unit/test_conn.c
tests_unit_test_conn_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conn_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_catalog_threads
TESTS += tests/unit/test_catalog_threads
tests_unit_test_catalog_threads_SOURCES = tests/unit/test_catalog_threads.c
tests_unit_test_catalog_threads_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_catalog_threads_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conn_env
TESTS += tests/unit/test_conn_env
tests_unit_test_conn_env_SOURCES = tests/unit/test_conn_env.c
tests_unit_test_conn_env_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conn_env_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sql
TESTS += tests/unit/test_sql
tests_unit_test_sql_SOURCES = tests/unit/test_sql.c tests/unit/sql_dump.h
tests_unit_test_sql_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sql_LDADD = libstage.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sql_errors
TESTS += tests/unit/test_sql_errors
tests_unit_test_sql_errors_SOURCES = tests/unit/test_sql_errors.c
tests_unit_test_sql_errors_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sql_errors_LDADD = libstage.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_sql
TESTS += tests/fuzz/fuzz_sql
tests_fuzz_fuzz_sql_SOURCES = tests/fuzz/fuzz_sql.c tests/fuzz/corpus.c
tests_fuzz_fuzz_sql_LDADD = libstage.a $(BASE_LIBS)

check_PROGRAMS += tests/unit/test_drop_ins_catalog
TESTS += tests/unit/test_drop_ins_catalog
tests_unit_test_drop_ins_catalog_SOURCES = \
	tests/unit/test_drop_ins_catalog.c tests/unit/catalog_fixture.h \
	tests/unit/drop_ins_fixture.h
tests_unit_test_drop_ins_catalog_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drop_ins_catalog_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_drop_ins
TESTS += tests/unit/test_drop_ins
tests_unit_test_drop_ins_SOURCES = tests/unit/test_drop_ins.c \
	tests/unit/drop_ins_fixture.h
tests_unit_test_drop_ins_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drop_ins_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

# Whole URLs, against botocore's client.
check_PROGRAMS += tests/vectors/presign-cli
tests_vectors_presign_cli_SOURCES = tests/vectors/presign-cli.c
tests_vectors_presign_cli_LDADD = $(STAGE_LIBS)
TESTS += tests/vectors/presign-botocore.py
dist_check_SCRIPTS += tests/vectors/presign-botocore.py
TESTS += tests/fuzz/curl-line.py
dist_check_SCRIPTS += tests/fuzz/curl-line.py

check_PROGRAMS += tests/unit/test_catalog_user
TESTS += tests/unit/test_catalog_user
tests_unit_test_catalog_user_SOURCES = tests/unit/test_catalog_user.c \
	tests/unit/catalog_fixture.h
tests_unit_test_catalog_user_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_catalog_user_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conn_local
TESTS += tests/unit/test_conn_local
tests_unit_test_conn_local_SOURCES = tests/unit/test_conn_local.c
tests_unit_test_conn_local_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conn_local_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)
