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
	src/stage/drop_ins_write.c \
	src/stage/external.c \
	src/stage/known.c src/stage/known.h \
	src/stage/path.c src/stage/path.h \
	src/stage/stage.c src/stage/stage.h
