# SPDX-License-Identifier: Apache-2.0
# What the tests share: rigs, fixtures, a store in memory.
check_LIBRARIES = tests/lib/libtest.a
tests_lib_libtest_a_SOURCES = \
	tests/lib/aws_home.c \
	tests/lib/aws_home.h \
	tests/lib/catalog_fixture.h \
	tests/lib/cli_fixture.h \
	tests/lib/config_fixture.h \
	tests/lib/contract_calls.c \
	tests/lib/contract_objects.c \
	tests/lib/contract_uploads.c \
	tests/lib/cred_rig.c \
	tests/lib/cred_rig.h \
	tests/lib/drop_ins_fixture.h \
	tests/lib/engine_calls.c \
	tests/lib/engine_calls.h \
	tests/lib/file_rig.c \
	tests/lib/file_rig.h \
	tests/lib/form_text.h \
	tests/lib/disk.c \
	tests/lib/disk.h \
	tests/lib/disk_dir.c \
	tests/lib/disk_dir.h \
	tests/lib/fs_fixture.c \
	tests/lib/fs_fixture.h \
	tests/lib/gateway_rig.c \
	tests/lib/gateway_rig.h \
	tests/lib/later_rig.c \
	tests/lib/later_rig.h \
	tests/lib/local_rig.c \
	tests/lib/local_rig.h \
	tests/lib/posix_rig.c \
	tests/lib/posix_rig.h \
	tests/lib/power_disk.c \
	tests/lib/power_disk.h \
	tests/lib/memstore.c \
	tests/lib/memstore.h \
	tests/lib/memstore_data.c \
	tests/lib/memstore_impl.h \
	tests/lib/memstore_list.c \
	tests/lib/memstore_object.c \
	tests/lib/memstore_upload.c \
	tests/lib/s3_error_rows.h \
	tests/lib/s3_rig.c \
	tests/lib/s3_rig.h \
	tests/lib/s3_suite.h \
	tests/lib/socket_pair.h \
	tests/lib/sql_dump.h \
	tests/lib/standin.c \
	tests/lib/standin.h \
	tests/lib/store_contract.h \
	tests/lib/store_help.c \
	tests/lib/store_help.h \
	tests/lib/suite.c \
	tests/lib/suite.h \
	tests/lib/tree_fixture.h \
	tests/lib/unit.h \
	tests/lib/upload_rig.c \
	tests/lib/upload_rig.h
tests_lib_libtest_a_CFLAGS = $(UNIT_CFLAGS)
