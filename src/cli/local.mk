# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	src/cli/cmd.c src/cli/cmd.h \
	src/cli/cmd_check.c \
	src/cli/cmd_copy.c \
	src/cli/cmd_init.c \
	src/cli/cmd_keys.c \
	src/cli/cmd_passwd.c \
	src/cli/cmd_presign.c src/cli/cmd_presign.h \
	src/cli/cmd_presign_input.c \
	src/cli/cmd_recover.c \
	src/cli/cmd_sql.c \
	src/cli/cmd_statement.c \
	src/cli/cmd_transfer.c \
	src/cli/cmd_status.c \
	src/cli/cmd_sync.c \
	src/cli/cmd_tree.c \
	src/cli/completion.c src/cli/completion.h \
	src/cli/help.c src/cli/help.h \
	src/cli/manual.c src/cli/manual.h \
	src/cli/prompt.c src/cli/prompt.h \
	src/cli/service.c src/cli/service.h \
	src/cli/sql_prompt.c src/cli/sql_prompt.h \
	src/cli/transfer_verb.c src/cli/transfer_verb.h
