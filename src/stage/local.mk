noinst_LIBRARIES += libstage.a
libstage_a_SOURCES = \
	src/stage/catalog.c src/stage/catalog.h \
	src/stage/catalog_external.c \
	src/stage/catalog_impl.h \
	src/stage/catalog_list.c \
	src/stage/catalog_new.c \
	src/stage/catalog_notes.c \
	src/stage/catalog_overlap.c \
	src/stage/drop_ins.c src/stage/drop_ins.h \
	src/stage/external.c \
	src/stage/stage_cache.c src/stage/stage_cache.h \
	src/stage/location.c src/stage/location.h \
	src/stage/stage.c src/stage/stage.h
