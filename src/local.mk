# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += stagefs
stagefs_SOURCES = src/main.c
stagefs_LDADD = $(ROOM_LIBS)
