# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
	src/client/daemon.c src/client/daemon.h \
	src/client/failure.c src/client/failure.h \
	src/client/message.c src/client/message.h \
	src/client/mount_presign.c src/client/mount_presign.h \
	src/client/pattern.c src/client/pattern.h \
	src/client/presign_job.c src/client/presign_job.h \
	src/client/presign_page.c src/client/presign_page.h \
	src/client/qr.c src/client/qr.h \
	src/client/session.c src/client/session.h \
	src/client/stages.c src/client/stages.h \
	src/client/stages_conn.c src/client/stages_conn.h \
	src/client/stages_show.c \
	src/client/statement.c src/client/statement.h \
	src/client/statement_list.c \
	src/client/statement_remove.c \
	src/client/storage_hint.c src/client/storage_hint.h \
	src/client/table.c src/client/table.h \
	src/client/walk.c src/client/walk.h
