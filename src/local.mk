bin_PROGRAMS += stagefs
stagefs_SOURCES = src/main.c
stagefs_LDADD = $(ROOM_LIBS)
