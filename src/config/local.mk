# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	src/config/config.c src/config/config.h \
	src/config/config_builder.c src/config/config_builder.h \
	src/config/config_command.c \
	src/config/config_file.c \
	src/config/config_foreign.c \
	src/config/config_options.c \
	src/config/config_user.c
