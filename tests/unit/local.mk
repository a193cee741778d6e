# SPDX-License-Identifier: Apache-2.0
# One program for each room of src/, of all its suites: tests/lib/suite.h. What
# takes the place of a function of the C library's stands alone.

check_PROGRAMS += tests/unit/test_base
TESTS += tests/unit/test_base
tests_unit_test_base_SOURCES = \
	tests/unit/base/test_array.c \
	tests/unit/base/test_budget.c \
	tests/unit/base/test_clock.c \
	tests/unit/base/test_digest.c \
	tests/unit/base/test_extents.c \
	tests/unit/base/test_fatal.c \
	tests/unit/base/test_hash.c \
	tests/unit/base/test_ini.c \
	tests/unit/base/test_io.c \
	tests/unit/base/test_kdf.c \
	tests/unit/base/test_mountinfo.c \
	tests/unit/base/test_number.c \
	tests/unit/base/test_lock.c \
	tests/unit/base/test_log_line.c \
	tests/unit/base/test_metric.c \
	tests/unit/base/test_mime.c \
	tests/unit/base/test_option.c \
	tests/unit/base/test_pool.c \
	tests/unit/base/test_proc.c \
	tests/unit/base/test_query.c \
	tests/unit/base/test_random.c \
	tests/unit/base/test_text.c \
	tests/unit/base/test_thread.c \
	tests/unit/base/test_waiter.c
tests_unit_test_base_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_base_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sign
TESTS += tests/unit/test_sign
tests_unit_test_sign_SOURCES = \
	tests/unit/sign/test_sigv4.c \
	tests/unit/sign/test_sigv4_rules.c \
	tests/unit/sign/test_sigv4_verify.c
tests_unit_test_sign_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sign_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_net
TESTS += tests/unit/test_net
tests_unit_test_net_SOURCES = \
	tests/unit/net/test_http.c \
	tests/unit/net/test_http_engine.c \
	tests/unit/net/test_http_flow.c \
	tests/unit/net/test_http_lanes.c \
	tests/unit/net/test_http_perform.c \
	tests/unit/net/test_http_retry.c \
	tests/unit/net/test_http_timer.c \
	tests/unit/net/test_http_tls.c \
	tests/unit/net/test_url.c
tests_unit_test_net_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_net_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sql
TESTS += tests/unit/test_sql
tests_unit_test_sql_SOURCES = \
	tests/unit/sql/test_sql.c \
	tests/unit/sql/test_sql_errors.c
tests_unit_test_sql_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sql_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_auth
TESTS += tests/unit/test_auth
tests_unit_test_auth_SOURCES = \
	tests/unit/auth/test_aws_profile.c \
	tests/unit/auth/test_cred_cache.c \
	tests/unit/auth/test_cred_env.c \
	tests/unit/auth/test_cred_near.c \
	tests/unit/auth/test_cred_process.c \
	tests/unit/auth/test_cred_refresh.c \
	tests/unit/auth/test_cred_sso.c \
	tests/unit/auth/test_cred_sts.c \
	tests/unit/auth/test_cred_sts_doc.c \
	tests/unit/auth/test_signer.c
tests_unit_test_auth_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_auth_LDADD = $(UNIT_LIBS)
tests_unit_test_auth_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_now_s \
	-Wl,--wrap=clock_mono_ms

check_PROGRAMS += tests/unit/test_store
TESTS += tests/unit/test_store
tests_unit_test_store_SOURCES = \
	tests/unit/store/test_attr_meta.c \
	tests/unit/store/test_memstore.c \
	tests/unit/store/test_parts.c \
	tests/unit/store/test_props.c \
	tests/unit/store/test_store_broken.c \
	tests/unit/store/test_store_contract.c \
	tests/unit/store/test_store_probe.c \
	tests/unit/store/test_upload_parts.c \
	tests/unit/store/test_upload_stream.c \
	tests/unit/store/test_xattrs.c
tests_unit_test_store_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_store_s3
TESTS += tests/unit/test_store_s3
tests_unit_test_store_s3_SOURCES = \
	tests/unit/store/s3/test_s3_clock.c \
	tests/unit/store/s3/test_s3_creds.c \
	tests/unit/store/s3/test_s3_crypt.c \
	tests/unit/store/s3/test_s3_error.c \
	tests/unit/store/s3/test_s3_faults.c \
	tests/unit/store/s3/test_s3_fixes.c \
	tests/unit/store/s3/test_s3_identity.c \
	tests/unit/store/s3/test_s3_heed.c \
	tests/unit/store/s3/test_s3_lack.c \
	tests/unit/store/s3/test_s3_made.c \
	tests/unit/store/s3/test_s3_odd.c \
	tests/unit/store/s3/test_s3_endpoint.c \
	tests/unit/store/s3/test_s3_props.c \
	tests/unit/store/s3/test_s3_wire.c \
	tests/unit/store/s3/test_s3_url.c \
	tests/unit/store/s3/test_s3_doc.c
tests_unit_test_store_s3_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_s3_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_store_local
TESTS += tests/unit/test_store_local
tests_unit_test_store_local_SOURCES = \
	tests/unit/store/local/test_local_attr.c \
	tests/unit/store/local/test_local_folder.c \
	tests/unit/store/local/test_local_key.c \
	tests/unit/store/local/test_local_list.c \
	tests/unit/store/local/test_local_record.c \
	tests/unit/store/local/test_local_path.c \
	tests/unit/store/local/test_local_power.c \
	tests/unit/store/local/test_local_processes.c \
	tests/unit/store/local/test_local_props.c \
	tests/unit/store/local/test_local_root.c \
	tests/unit/store/local/test_local_threads.c
tests_unit_test_store_local_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_local_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_stage_conf
TESTS += tests/unit/test_stage_conf
tests_unit_test_stage_conf_SOURCES = \
	tests/unit/stage/conf/test_conn.c \
	tests/unit/stage/conf/test_conn_env.c \
	tests/unit/stage/conf/test_conn_local.c \
	tests/unit/stage/conf/test_conn_open.c
tests_unit_test_stage_conf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stage_conf_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_stage
TESTS += tests/unit/test_stage
tests_unit_test_stage_SOURCES = \
	tests/unit/stage/test_catalog.c \
	tests/unit/stage/test_catalog_user.c \
	tests/unit/stage/test_drop_ins.c \
	tests/unit/stage/test_drop_ins_catalog.c \
	tests/unit/stage/test_location.c \
	tests/unit/stage/test_stage.c
tests_unit_test_stage_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stage_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_presign
TESTS += tests/unit/test_presign
tests_unit_test_presign_SOURCES = \
	tests/unit/presign/test_presign.c \
	tests/unit/presign/test_presign_fields.c \
	tests/unit/presign/test_presign_parts.c
tests_unit_test_presign_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_presign_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_names
TESTS += tests/unit/test_fs_names
tests_unit_test_fs_names_SOURCES = \
	tests/unit/fs/names/test_claims.c \
	tests/unit/fs/names/test_dircache.c \
	tests/unit/fs/names/test_inode.c \
	tests/unit/fs/names/test_inode_limits.c \
	tests/unit/fs/names/test_likeness.c \
	tests/unit/fs/names/test_steps.c \
	tests/unit/fs/names/test_trail.c
tests_unit_test_fs_names_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_names_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_burst
TESTS += tests/unit/test_fs_burst
tests_unit_test_fs_burst_SOURCES = \
	tests/unit/fs/burst/test_burst.c \
	tests/unit/fs/burst/test_gather.c
tests_unit_test_fs_burst_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_burst_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_cache
TESTS += tests/unit/test_fs_cache
tests_unit_test_fs_cache_SOURCES = \
	tests/unit/fs/cache/test_block.c \
	tests/unit/fs/cache/test_block_disk.c \
	tests/unit/fs/cache/test_block_source.c \
	tests/unit/fs/cache/test_disk_cache.c \
	tests/unit/fs/cache/test_disk_segment.c \
	tests/unit/fs/cache/test_prefetch.c \
	tests/unit/fs/cache/test_prefetch_far.c \
	tests/unit/fs/cache/test_wire.c
tests_unit_test_fs_cache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_cache_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_content
TESTS += tests/unit/test_fs_content
tests_unit_test_fs_content_SOURCES = \
	tests/unit/fs/content/test_file.c \
	tests/unit/fs/content/test_file_model.c \
	tests/unit/fs/content/test_file_props.c \
	tests/unit/fs/content/test_pending.c \
	tests/unit/fs/content/test_range.c \
	tests/unit/fs/content/test_reader.c \
	tests/unit/fs/content/test_spill.c \
	tests/unit/fs/content/test_writer.c \
	tests/unit/fs/content/test_writer_threads.c
tests_unit_test_fs_content_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_content_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_attr
TESTS += tests/unit/test_fs_attr
tests_unit_test_fs_attr_SOURCES = \
	tests/unit/fs/attr/test_attr.c \
	tests/unit/fs/attr/test_attr_rename.c \
	tests/unit/fs/attr/test_attr_stages.c
tests_unit_test_fs_attr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_attr_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_write_back
TESTS += tests/unit/test_fs_write_back
tests_unit_test_fs_write_back_SOURCES = \
	tests/unit/fs/write_back/test_journal.c \
	tests/unit/fs/write_back/test_record.c \
	tests/unit/fs/write_back/test_salvage.c \
	tests/unit/fs/write_back/test_write_back.c \
	tests/unit/fs/write_back/test_write_back_ending.c \
	tests/unit/fs/write_back/test_write_back_kept.c \
	tests/unit/fs/write_back/test_write_back_order.c \
	tests/unit/fs/write_back/test_write_back_power.c \
	tests/unit/fs/write_back/test_write_back_sent.c
tests_unit_test_fs_write_back_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_write_back_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs
TESTS += tests/unit/test_fs
tests_unit_test_fs_SOURCES = \
	tests/unit/fs/test_access.c \
	tests/unit/fs/test_closes.c \
	tests/unit/fs/test_dir.c \
	tests/unit/fs/test_dir_ahead.c \
	tests/unit/fs/test_given_up.c \
	tests/unit/fs/test_file_ahead.c \
	tests/unit/fs/test_file_habits.c \
	tests/unit/fs/test_fs_urls.c \
	tests/unit/fs/test_handles.c \
	tests/unit/fs/test_locks.c \
	tests/unit/fs/test_look.c \
	tests/unit/fs/test_look_bytes.c \
	tests/unit/fs/test_made.c \
	tests/unit/fs/test_names.c \
	tests/unit/fs/test_open.c \
	tests/unit/fs/test_questions.c \
	tests/unit/fs/test_removals.c \
	tests/unit/fs/test_replaced.c \
	tests/unit/fs/test_stages.c \
	tests/unit/fs/test_subtree.c \
	tests/unit/fs/test_watch.c
tests_unit_test_fs_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_rename
TESTS += tests/unit/test_fs_rename
tests_unit_test_fs_rename_SOURCES = \
	tests/unit/fs/rename/test_rename.c \
	tests/unit/fs/rename/test_rename_killed.c \
	tests/unit/fs/rename/test_rename_race.c
tests_unit_test_fs_rename_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_rename_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fs_xattr
TESTS += tests/unit/test_fs_xattr
tests_unit_test_fs_xattr_SOURCES = \
	tests/unit/fs/xattr/test_xattr.c \
	tests/unit/fs/xattr/test_xattr_args.c \
	tests/unit/fs/xattr/test_xattr_props.c
tests_unit_test_fs_xattr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fs_xattr_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway
TESTS += tests/unit/test_gateway
tests_unit_test_gateway_SOURCES = \
	tests/unit/gateway/test_hosts.c \
	tests/unit/gateway/test_connections.c
tests_unit_test_gateway_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_login
TESTS += tests/unit/test_gateway_login
tests_unit_test_gateway_login_SOURCES = \
	tests/unit/gateway/login/test_login_throttle.c \
	tests/unit/gateway/login/test_peer.c \
	tests/unit/gateway/login/test_users.c
tests_unit_test_gateway_login_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_login_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_objects
TESTS += tests/unit/test_gateway_objects
tests_unit_test_gateway_objects_SOURCES = \
	tests/unit/gateway/objects/test_conditions.c
tests_unit_test_gateway_objects_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_objects_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_upload
TESTS += tests/unit/test_gateway_upload
tests_unit_test_gateway_upload_SOURCES = \
	tests/unit/gateway/upload/test_form.c \
	tests/unit/gateway/upload/test_upload.c \
	tests/unit/gateway/upload/test_upload_limits.c \
	tests/unit/gateway/upload/test_upload_name.c
tests_unit_test_gateway_upload_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_upload_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_service
TESTS += tests/unit/test_gateway_service
tests_unit_test_gateway_service_SOURCES = \
	tests/unit/gateway/service/test_gateway_address.c \
	tests/unit/gateway/service/test_gateway_change.c \
	tests/unit/gateway/service/test_gateway_get.c \
	tests/unit/gateway/service/test_gateway_headers.c \
	tests/unit/gateway/service/test_gateway_limits.c \
	tests/unit/gateway/service/test_gateway_put.c \
	tests/unit/gateway/service/test_gateway_signed.c
tests_unit_test_gateway_service_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_service_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config
TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = \
	tests/unit/config/test_config.c \
	tests/unit/config/test_config_bad.c \
	tests/unit/config/test_config_user.c
tests_unit_test_config_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_client
TESTS += tests/unit/test_client
tests_unit_test_client_SOURCES = \
	tests/unit/client/test_pattern.c \
	tests/unit/client/test_table.c
tests_unit_test_client_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_client_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_transfer
TESTS += tests/unit/test_transfer
tests_unit_test_transfer_SOURCES = \
	tests/unit/transfer/test_transfer.c \
	tests/unit/transfer/test_transfer_row.c
tests_unit_test_transfer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_transfer_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fuse
TESTS += tests/unit/test_fuse
tests_unit_test_fuse_SOURCES = \
	tests/unit/fuse/test_killpriv.c \
	tests/unit/fuse/test_op_counts.c \
	tests/unit/fuse/test_ops.c
tests_unit_test_fuse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fuse_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cli
TESTS += tests/unit/test_cli
tests_unit_test_cli_SOURCES = \
	tests/unit/cli/test_cmd.c \
	tests/unit/cli/test_help.c \
	tests/unit/cli/test_prompt.c \
	tests/unit/cli/test_service.c
tests_unit_test_cli_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cli_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mount
TESTS += tests/unit/test_mount
tests_unit_test_mount_SOURCES = \
	tests/unit/mount/test_memory.c \
	tests/unit/mount/test_background.c \
	tests/unit/mount/test_mount_request.c
tests_unit_test_mount_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mount_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/base/test_buf
TESTS += tests/unit/base/test_buf
tests_unit_base_test_buf_SOURCES = tests/unit/base/test_buf.c
tests_unit_base_test_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_base_test_buf_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/fs/test_fs_files
TESTS += tests/unit/fs/test_fs_files
tests_unit_fs_test_fs_files_SOURCES = tests/unit/fs/test_fs_files.c
tests_unit_fs_test_fs_files_CFLAGS = $(UNIT_CFLAGS)
tests_unit_fs_test_fs_files_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/store/local/test_local_calls
TESTS += tests/unit/store/local/test_local_calls
tests_unit_store_local_test_local_calls_SOURCES = tests/unit/store/local/test_local_calls.c
tests_unit_store_local_test_local_calls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_store_local_test_local_calls_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/base/test_log
TESTS += tests/unit/base/test_log
tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c
tests_unit_base_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_base_test_log_LDADD = $(UNIT_LIBS)
tests_unit_base_test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syslog -Wl,--wrap=__syslog_chk
