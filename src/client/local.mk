noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
	src/client/message.c src/client/message.h \
	src/client/mount_presign.c src/client/mount_presign.h \
	src/client/pattern.c src/client/pattern.h \
	src/client/session.c src/client/session.h \
	src/client/statement.c src/client/statement.h \
	src/client/statement_conn.c src/client/statement_conn.h \
	src/client/statement_create.c \
	src/client/statement_drop.c \
	src/client/statement_list.c \
	src/client/statement_presign.c src/client/statement_presign.h \
	src/client/statement_remove.c \
	src/client/statement_run.c \
	src/client/statement_show.c \
	src/client/statement_walk.c src/client/statement_walk.h \
	src/client/table.c src/client/table.h
