bin_PROGRAMS += stagefs
stagefs_SOURCES = \
	src/main.c \
	src/background.c src/background.h \
	src/cmd.c src/cmd.h \
	src/cmd_args.c \
	src/cmd_check.c \
	src/cmd_keys.c \
	src/cmd_list.c \
	src/cmd_mount.c \
	src/cmd_passwd.c \
	src/cmd_presign.c src/cmd_presign.h \
	src/cmd_presign_headers.c \
	src/cmd_presign_input.c \
	src/cmd_presign_mount.c \
	src/cmd_remove.c \
	src/cmd_serve.c \
	src/cmd_sql.c \
	src/cmd_sql_text.c src/cmd_sql_text.h \
	src/cmd_stages.c \
	src/config_catalog.c \
	src/gateway_start.c src/gateway_start.h \
	src/manual.c src/manual.h \
	src/message.c src/message.h \
	src/mount_check.c src/mount_check.h \
	src/mount_end.c src/mount_end.h \
	src/mount_lock.c src/mount_lock.h \
	src/mount_options.c src/mount_options.h \
	src/mount_point.c src/mount_point.h \
	src/mount_presign.c src/mount_presign.h \
	src/pattern.c src/pattern.h \
	src/service.c src/service.h \
	src/session.c src/session.h \
	src/statement.c src/statement.h \
	src/statement_conn.c src/statement_conn.h \
	src/statement_create.c \
	src/statement_drop.c \
	src/statement_list.c \
	src/statement_presign.c src/statement_presign.h \
	src/statement_remove.c \
	src/statement_run.c \
	src/statement_show.c \
	src/statement_walk.c src/statement_walk.h \
	src/table.c src/table.h \
	$(TRANSFER_SOURCES) \
	$(CONFIG_SOURCES)
stagefs_LDADD = $(FUSE_FLOOR_LIBS) $(GATEWAY_LIBS) $(PCRE_LIBS) $(JANSSON_LIBS)

TRANSFER_SOURCES = \
	src/cmd_get.c \
	src/cmd_put.c \
	src/transfer.c src/transfer.h \
	src/transfer_call.c src/transfer_call.h \
	src/transfer_file.c src/transfer_file.h \
	src/transfer_find.c \
	src/transfer_get.c src/transfer_get.h \
	src/transfer_glob.c src/transfer_glob.h \
	src/transfer_local.c src/transfer_local.h \
	src/transfer_parts.c \
	src/transfer_piece.c \
	src/transfer_plan.c src/transfer_plan.h \
	src/transfer_progress.c src/transfer_progress.h \
	src/transfer_put.c src/transfer_put.h \
	src/transfer_row.c src/transfer_row.h \
	src/transfer_run.c src/transfer_run.h \
	src/transfer_send.c src/transfer_send.h \
	src/transfer_sink.c src/transfer_sink.h \
	src/transfer_state.c src/transfer_state.h \
	src/transfer_walk.c

CONFIG_SOURCES = \
	src/config.c src/config.h src/config_impl.h \
	src/config_builder.c \
	src/config_command.c \
	src/config_drop_ins.c \
	src/config_file.c \
	src/config_table.c \
	src/config_user.c

check_PROGRAMS += tests/unit/test_config
TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c \
	tests/unit/config_fixture.h $(CONFIG_SOURCES)
tests_unit_test_config_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_config_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_bad
TESTS += tests/unit/test_config_bad
tests_unit_test_config_bad_SOURCES = tests/unit/test_config_bad.c \
	$(CONFIG_SOURCES)
tests_unit_test_config_bad_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_config_bad_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_bad_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_user
TESTS += tests/unit/test_config_user
tests_unit_test_config_user_SOURCES = tests/unit/test_config_user.c \
	tests/unit/config_fixture.h $(CONFIG_SOURCES)
tests_unit_test_config_user_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_config_user_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_config_user_LDADD = $(STAGE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_table
TESTS += tests/unit/test_table
tests_unit_test_table_SOURCES = tests/unit/test_table.c \
	src/table.c src/table.h
tests_unit_test_table_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_table_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_table_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_pattern
TESTS += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c \
	src/mount_options.c src/mount_options.h \
	src/mount_point.c src/mount_point.h \
	src/pattern.c src/pattern.h
tests_unit_test_pattern_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_pattern_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pattern_LDADD = $(BASE_LIBS) $(PCRE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mount_options
TESTS += tests/unit/test_mount_options
tests_unit_test_mount_options_SOURCES = tests/unit/test_mount_options.c \
	src/mount_options.c src/mount_options.h
tests_unit_test_mount_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mount_options_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

# mount -t stagefs looks for a helper of that name in /sbin.
install-exec-hook:
	$(MKDIR_P) '$(DESTDIR)$(sbindir)'
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'
	$(LN_S) '$(bindir)/stagefs' '$(DESTDIR)$(sbindir)/mount.stagefs'

uninstall-hook:
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'

dist_doc_DATA = README.md docs/architecture.md docs/credentials.md docs/gateway.md docs/testing.md docs/local.md docs/transfer.md docs/xattrs.md \
	docs/performance.md docs/presign.md docs/statements.md
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/stagefs.conf

# Units for systemd; the socket is optional.
systemdsystemunitdir = $(prefix)/lib/systemd/system
UNITS_MADE = etc/stagefs@.service etc/stagefs-gateway.service
nodist_systemdsystemunit_DATA = $(UNITS_MADE)
dist_systemdsystemunit_DATA = etc/stagefs-gateway.socket
EXTRA_DIST += $(UNITS_MADE:=.in)
CLEANFILES += $(UNITS_MADE)

$(UNITS_MADE): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed 's|@bindir[@]|$(bindir)|' '$(srcdir)/$@.in' >$@

# get and put: what is pure in them.
check_PROGRAMS += tests/unit/test_transfer_row
TESTS += tests/unit/test_transfer_row
tests_unit_test_transfer_row_SOURCES = tests/unit/test_transfer_row.c \
	src/transfer_row.c src/transfer_row.h
tests_unit_test_transfer_row_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_transfer_row_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_transfer_row_LDADD = $(BASE_LIBS) $(JANSSON_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_transfer
TESTS += tests/unit/test_transfer
tests_unit_test_transfer_SOURCES = tests/unit/test_transfer.c \
	src/transfer_glob.c src/transfer_glob.h \
	src/transfer_progress.c src/transfer_progress.h \
	src/transfer_state.c src/transfer_state.h
tests_unit_test_transfer_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_transfer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_transfer_LDADD = $(BASE_LIBS) $(UNIT_LIBS)

# The manual pages and the completion come out of the program's own tables.
man1_MANS = docs/man/stagefs.1
man5_MANS = docs/man/stagefs.conf.5
completiondir = $(datadir)/bash-completion/completions
completion_DATA = etc/stagefs
CLEANFILES += $(man1_MANS) $(man5_MANS) $(completion_DATA)

docs/man/stagefs.1: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man1 >$@
docs/man/stagefs.conf.5: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man5 >$@
etc/stagefs: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc && ./stagefs --generate completion >$@
