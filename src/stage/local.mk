noinst_LIBRARIES += libstage.a
libstage_a_SOURCES = \
	src/stage/stage.c src/stage/stage.h
