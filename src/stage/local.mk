# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstage.a
libstage_a_SOURCES = \
	src/stage/catalog.c src/stage/catalog.h \
	src/stage/drop_ins.c src/stage/drop_ins.h \
	src/stage/external.c src/stage/external.h \
	src/stage/external_configure.c src/stage/external_configure.h \
	src/stage/external_folder.c src/stage/external_folder.h \
	src/stage/internal.c src/stage/internal.h \
	src/stage/internal_marker.c \
	src/stage/location.c src/stage/location.h \
	src/stage/stage.c src/stage/stage.h
