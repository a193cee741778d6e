# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstage_conf.a
libstage_conf_a_SOURCES = \
	src/stage/conf/conn.c src/stage/conf/conn.h \
	src/stage/conf/conn_check.c \
	src/stage/conf/conn_endpoint.c \
	src/stage/conf/conn_env.c \
	src/stage/conf/conn_keys.c \
	src/stage/conf/conn_location.c \
	src/stage/conf/conn_open.c
