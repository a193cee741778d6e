EXTRA_DIST += .clang-format
TESTS += tests/check-tap.sh
dist_check_SCRIPTS += tests/check-tap.sh
# No folder in which something is built: that would be in the archive too.
EXTRA_DIST += demo tests/packages tests/install tests/tap.awk tests/mount \
	tests/bench/bench.sh tests/bench/presign.sh tests/bench/local.sh \
	tests/fuzz/corpus tests/fuzz/curl-line.py

# The command line against the stand-in server.
TESTS += tests/cli/check.sh tests/cli/list.sh tests/cli/presign.sh
dist_check_SCRIPTS += tests/cli/check.sh tests/cli/list.sh \
	tests/cli/presign.sh
EXTRA_DIST += tests/cli/lib.sh
TESTS += tests/cli/presign-many.sh tests/cli/presign-options.sh
dist_check_SCRIPTS += tests/cli/presign-many.sh tests/cli/presign-options.sh
TESTS += tests/cli/manual.sh
dist_check_SCRIPTS += tests/cli/manual.sh
TESTS += tests/cli/million.sh tests/cli/remove.sh tests/cli/sql.sh \
	tests/cli/stages.sh
dist_check_SCRIPTS += tests/cli/million.sh tests/cli/remove.sh \
	tests/cli/sql.sh tests/cli/stages.sh
EXTRA_DIST += tests/standin/listing.py
TESTS += tests/cli/transfer.sh
dist_check_SCRIPTS += tests/cli/transfer.sh
TESTS += tests/cli/passwd.sh tests/cli/local.sh
dist_check_SCRIPTS += tests/cli/passwd.sh tests/cli/local.sh

# The house's own rules.
TESTS += tests/check-floors tests/check-format tests/check-threads
dist_check_SCRIPTS += tests/check-floors tests/check-format tests/check-threads

# The preprocessor's flags, one a line, for clang.
check_DATA = tests/cppflags
CLEANFILES += tests/cppflags
tests/cppflags: Makefile
	$(AM_V_GEN)$(MKDIR_P) tests && \
	printf '%s\n' $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) >$@

CLANG_FORMAT = clang-format-14
format:
	cd $(srcdir) && find src tests -name '*.[ch]' | xargs $(CLANG_FORMAT) -i
.PHONY: format

# Speed of pre-signed URLs: a minute.
check_PROGRAMS += tests/bench/bench_sign
tests_bench_bench_sign_SOURCES = tests/bench/bench_sign.c
tests_bench_bench_sign_LDADD = $(STAGE_LIBS)
check_PROGRAMS += tests/bench/bench_xattr
tests_bench_bench_xattr_SOURCES = tests/bench/bench_xattr.c
bench-presign: stagefs$(EXEEXT) tests/bench/bench_sign$(EXEEXT) \
	tests/bench/bench_xattr$(EXEEXT)
	top_srcdir=$(abs_top_srcdir) top_builddir=$(abs_top_builddir) \
		$(top_srcdir)/tests/bench/presign.sh
.PHONY: bench-presign

# A mount over a local disk beside a file system that only hands requests on:
# a few minutes, and root.
check_PROGRAMS += tests/bench/passthrough
tests_bench_passthrough_SOURCES = tests/bench/passthrough.c
tests_bench_passthrough_LDADD = $(FUSE_LIBS)
bench-local: stagefs$(EXEEXT) tests/bench/passthrough$(EXEEXT)
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) \
		PASSTHROUGH=$(abs_top_builddir)/tests/bench/passthrough$(EXEEXT) \
		$(top_srcdir)/tests/bench/local.sh
.PHONY: bench-local

# Needs root and Ceph, and takes a few minutes.
bench: stagefs$(EXEEXT) bench-presign bench-local
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) \
		$(top_srcdir)/tests/mount/run $(top_srcdir)/tests/bench/bench.sh
.PHONY: bench

# libFuzzer over what reads bytes from outside; each for FUZZ_SECONDS. New
# inputs are kept in the build folder, findings too.
FUZZ_SECONDS = 600
FUZZ_CC = clang-14
FUZZ_SQL = tests/fuzz/fuzz_sql.c src/stage/sql.c src/stage/sql_lex.c \
	src/stage/sql_parse.c src/stage/sql_show.c src/stage/sql_stage.c \
	src/stage/path.c src/base/buf.c src/base/text.c
FUZZ_FORM = tests/fuzz/fuzz_form.c src/gateway/form.c \
	src/gateway/form_head.c src/base/buf.c src/base/text.c
fuzz:
	$(MKDIR_P) tests/fuzz/found/sql
	cd $(srcdir) && $(FUZZ_CC) -g -O1 -std=gnu11 -D_GNU_SOURCE -Isrc \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(FUZZ_SQL) \
		-o $(abs_builddir)/tests/fuzz/libfuzzer_sql
	cd tests/fuzz && ./libfuzzer_sql -max_total_time=$(FUZZ_SECONDS) \
		-max_len=4096 -print_final_stats=1 -close_fd_mask=1 found/sql \
		$(abs_top_srcdir)/tests/fuzz/corpus/sql
	$(MKDIR_P) tests/fuzz/found/form
	cd $(srcdir) && $(FUZZ_CC) -g -O1 -std=gnu11 -D_GNU_SOURCE -Isrc -I. \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(FUZZ_FORM) \
		-o $(abs_builddir)/tests/fuzz/libfuzzer_form
	cd tests/fuzz && ./libfuzzer_form -max_total_time=$(FUZZ_SECONDS) \
		-max_len=4096 -print_final_stats=1 -close_fd_mask=1 found/form \
		$(abs_top_srcdir)/tests/fuzz/corpus/form
.PHONY: fuzz
clean-local:
	rm -rf tests/fuzz/found tests/fuzz/libfuzzer_sql \
		tests/fuzz/libfuzzer_form

# Not in EXTRA_DIST: make would take check's name for the target.
dist-hook:
	cp -p $(srcdir)/check $(distdir)/check
