# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libsql.a
libsql_a_SOURCES = \
	src/sql/sql.c src/sql/sql.h \
	src/sql/sql_lex.c src/sql/sql_lex.h \
	src/sql/parser.c src/sql/parser.h \
	src/sql/sql_show.c \
	src/sql/sql_stage.c
