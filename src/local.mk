bin_PROGRAMS += stagefs
stagefs_SOURCES = src/main.c
stagefs_LDADD = $(FUSE_FLOOR_LIBS) $(PCRE_LIBS)
