# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/array.c src/base/array.h \
	src/base/budget.c src/base/budget.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/digest.c src/base/digest.h \
	src/base/dirs.c src/base/dirs.h \
	src/base/extents.c src/base/extents.h \
	src/base/fatal.c src/base/fatal.h \
	src/base/field.h \
	src/base/hash.h \
	src/base/ini.c src/base/ini.h \
	src/base/io.c src/base/io.h \
	src/base/kdf.c src/base/kdf.h \
	src/base/lock.c src/base/lock.h \
	src/base/log.c src/base/log.h \
	src/base/log_line.c src/base/log_line.h \
	src/base/metric.c src/base/metric.h \
	src/base/mime.c src/base/mime.h \
	src/base/mountinfo.c src/base/mountinfo.h \
	src/base/number.h \
	src/base/option.c src/base/option.h \
	src/base/option_type.c src/base/option_type.h \
	src/base/parallel.c src/base/parallel.h \
	src/base/pool.c src/base/pool.h \
	src/base/proc.c src/base/proc.h \
	src/base/query.c src/base/query.h \
	src/base/random.c src/base/random.h \
	src/base/scope.h \
	src/base/text.c src/base/text.h \
	src/base/thread.c src/base/thread.h \
	src/base/waiter.c src/base/waiter.h \
	src/base/xml.c src/base/xml.h
