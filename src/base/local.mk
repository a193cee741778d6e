noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/lock.h \
	src/base/wait.c src/base/wait.h
