# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += .clang-format
TESTS += tests/check-tap.sh
dist_check_SCRIPTS += tests/check-tap.sh
# No folder in which something is built: that would be in the archive too.
EXTRA_DIST += demo tests/packages tests/install tests/tap.awk tests/mount \
	tests/bench/bench.sh tests/bench/gateway.sh tests/bench/presign.sh \
	tests/bench/local.sh tests/bench/latency.py \
	tests/bench/cache.sh \
	tests/bench/rows.sh tests/bench/chart.py \
	tests/fuzz/corpus tests/fuzz/run tests/fuzz/curl-line.py

# The command line against the stand-in server.
TESTS += tests/cli/check.sh tests/cli/list.sh tests/cli/presign.sh
dist_check_SCRIPTS += tests/cli/check.sh tests/cli/list.sh \
	tests/cli/presign.sh
EXTRA_DIST += tests/cli/lib.sh tests/cli/terminal.py
TESTS += tests/cli/presign-many.sh tests/cli/presign-options.sh
dist_check_SCRIPTS += tests/cli/presign-many.sh tests/cli/presign-options.sh
TESTS += tests/cli/manual.sh tests/cli/mistakes.sh
dist_check_SCRIPTS += tests/cli/manual.sh tests/cli/mistakes.sh
TESTS += tests/cli/million.sh tests/cli/remove.sh tests/cli/sql.sh \
	tests/cli/stages.sh
dist_check_SCRIPTS += tests/cli/million.sh tests/cli/remove.sh \
	tests/cli/sql.sh tests/cli/stages.sh
EXTRA_DIST += tests/standin/listing.py
TESTS += tests/cli/transfer.sh tests/cli/copy.sh tests/cli/tree.sh tests/cli/sync.sh tests/cli/screen.sh \
	tests/cli/parts.sh tests/cli/put-resume.sh
dist_check_SCRIPTS += tests/cli/transfer.sh tests/cli/copy.sh tests/cli/tree.sh tests/cli/sync.sh tests/cli/screen.sh \
	tests/cli/parts.sh tests/cli/put-resume.sh
TESTS += tests/cli/passwd.sh tests/cli/local.sh tests/cli/init.sh \
	tests/cli/completion.sh
dist_check_SCRIPTS += tests/cli/passwd.sh tests/cli/local.sh tests/cli/init.sh \
	tests/cli/completion.sh

# Signatures and whole URLs, against another implementation.
check_PROGRAMS += tests/vectors/sigv4-cli tests/vectors/verify-cli \
	tests/vectors/presign-cli
tests_vectors_sigv4_cli_SOURCES = tests/vectors/sigv4-cli.c
tests_vectors_sigv4_cli_LDADD = $(ROOM_LIBS)
tests_vectors_verify_cli_SOURCES = tests/vectors/verify-cli.c
tests_vectors_verify_cli_LDADD = $(ROOM_LIBS)
tests_vectors_presign_cli_SOURCES = tests/vectors/presign-cli.c
tests_vectors_presign_cli_LDADD = $(ROOM_LIBS)
vector_tests = tests/vectors/sigv4-botocore.py \
	tests/vectors/verify-botocore.py tests/vectors/presign-botocore.py \
	tests/vectors/cred-order.py
TESTS += $(vector_tests) tests/fuzz/curl-line.py tests/standin/test_standin.py
dist_check_SCRIPTS += $(vector_tests) tests/fuzz/curl-line.py \
	tests/standin/test_standin.py
EXTRA_DIST += tests/standin/aws_auth.py tests/standin/faults.py \
	tests/standin/s3.py tests/standin/s3_list.py tests/standin/server.py \
	tests/standin/sigv4.py
# What reads bytes from outside; `make fuzz`, and here over the corpus.
fuzzers = tests/fuzz/fuzz_sql tests/fuzz/fuzz_form tests/fuzz/fuzz_query \
	tests/fuzz/fuzz_http
check_PROGRAMS += $(fuzzers)
TESTS += $(fuzzers)
tests_fuzz_fuzz_sql_SOURCES = tests/fuzz/fuzz_sql.c tests/fuzz/fuzz_main.c
tests_fuzz_fuzz_sql_LDADD = $(ROOM_LIBS)
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c tests/fuzz/fuzz_main.c
tests_fuzz_fuzz_form_LDADD = $(ROOM_LIBS)
tests_fuzz_fuzz_query_SOURCES = tests/fuzz/fuzz_query.c tests/fuzz/fuzz_main.c
tests_fuzz_fuzz_query_LDADD = $(ROOM_LIBS)
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c tests/fuzz/fuzz_main.c
tests_fuzz_fuzz_http_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_http_LDADD = $(UNIT_LIBS)

# The house's own rules.
TESTS += tests/check-floors tests/check-format tests/check-threads \
	tests/check-names tests/check-words tests/check-covered \
	tests/check-spdx
EXTRA_DIST += tests/floors/planted.py tests/floors/rooms.py
dist_check_SCRIPTS += tests/check-floors tests/check-format tests/check-threads \
	tests/check-names tests/check-words tests/check-covered \
	tests/check-spdx

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
tests_bench_bench_sign_LDADD = $(ROOM_LIBS)
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
check_PROGRAMS += tests/bench/bench_names
tests_bench_bench_names_SOURCES = tests/bench/bench_names.c
bench-local: stagefs$(EXEEXT) tests/bench/passthrough$(EXEEXT) \
	tests/bench/bench_names$(EXEEXT)
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) \
		PASSTHROUGH=$(abs_top_builddir)/tests/bench/passthrough$(EXEEXT) \
		BENCH_NAMES=$(abs_top_builddir)/tests/bench/bench_names$(EXEEXT) \
		$(top_srcdir)/tests/bench/local.sh
.PHONY: bench-local

# Needs nginx: two minutes.
check_PROGRAMS += tests/bench/bench_get
tests_bench_bench_get_SOURCES = tests/bench/bench_get.c
bench-gateway: stagefs$(EXEEXT) tests/bench/bench_get$(EXEEXT)
	top_srcdir=$(abs_top_srcdir) top_builddir=$(abs_top_builddir) \
		$(top_srcdir)/tests/bench/gateway.sh
.PHONY: bench-gateway

# The rows of docs/performance.md, on stagefs, s3fs and rclone where they are
# installed (tests/install --bench), and curl; then the benches above. Needs
# root and Ceph, and takes an hour. Some of it: make bench ROWS='find dd'.
check_PROGRAMS += tests/bench/sink
tests_bench_sink_SOURCES = tests/bench/sink.c
tests_bench_sink_LDADD = $(CRYPTO_LIBS)
bench: stagefs$(EXEEXT) tests/bench/bench_names$(EXEEXT) \
	tests/bench/sink$(EXEEXT) tests/bench/passthrough$(EXEEXT) tests/bench/bench_get$(EXEEXT) \
	tests/bench/bench_sign$(EXEEXT) tests/bench/bench_xattr$(EXEEXT)
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) \
		top_builddir=$(abs_top_builddir) \
		PASSTHROUGH=$(abs_top_builddir)/tests/bench/passthrough$(EXEEXT) \
		BENCH_NAMES=$(abs_top_builddir)/tests/bench/bench_names$(EXEEXT) \
		SINK=$(abs_top_builddir)/tests/bench/sink$(EXEEXT) \
		$(top_srcdir)/tests/mount/run $(top_srcdir)/tests/bench/bench.sh
.PHONY: bench
CLEANFILES += bench.tsv bench.svg

# What ./check has in a short form only: root, a quarter of an hour.
check-long: stagefs$(EXEEXT)
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) WEATHER=long MODEL=long \
		$(top_srcdir)/tests/mount/run weather model
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) KILLS=500 CUTS=200 \
		$(top_srcdir)/tests/mount/run write_back
	$(MAKE) tests/unit/test_fs_write_back$(EXEEXT)
	POWER_CUTS=100 TEST_SUITES='write_back_power write_back_order' \
		tests/unit/test_fs_write_back$(EXEEXT)
.PHONY: check-long

# libFuzzer over what reads bytes from outside; each for FUZZ_SECONDS. New
# inputs are kept in the build folder, findings too.
FUZZ_SECONDS = 600
FUZZ_CC = clang-14
FUZZ_SQL = src/sql/*.c src/stage/location.c src/base/buf.c src/base/text.c
FUZZ_FORM = src/gateway/upload/form.c src/gateway/upload/form_head.c src/base/buf.c \
	src/base/text.c
FUZZ_QUERY = src/base/query.c src/gateway/objects/conditions.c src/gateway/hosts.c \
	src/sign/*.c src/base/buf.c src/base/clock.c src/base/digest.c \
	src/base/text.c $(CRYPTO_LIBS) $(ISAL_LIBS)
# The whole server.
FUZZ_HTTP = tests/lib/gateway_rig.c tests/lib/local_rig.c src/base/*.c \
	src/sign/*.c src/net/*.c src/auth/*.c src/store/*.c src/store/*/*.c \
	src/stage/*.c src/stage/*/*.c src/gateway/*.c src/gateway/*/*.c $(AM_CPPFLAGS) $(MICROHTTPD_LIBS) $(CRYPTO_LIBS) \
	$(ISAL_LIBS) $(CURL_LIBS) $(EXPAT_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) \
	$(CMOCKA_CFLAGS) $(CMOCKA_LIBS)
FUZZ_RUN = $(MKDIR_P) tests/fuzz && cd tests/fuzz && FUZZ_CC=$(FUZZ_CC) \
	top_srcdir=$(abs_top_srcdir) $(abs_top_srcdir)/tests/fuzz/run
fuzz:
	$(FUZZ_RUN) sql $(FUZZ_SECONDS) $(FUZZ_SQL)
	$(FUZZ_RUN) form $(FUZZ_SECONDS) $(FUZZ_FORM)
	$(FUZZ_RUN) query $(FUZZ_SECONDS) $(FUZZ_QUERY)
	$(FUZZ_RUN) http $(FUZZ_SECONDS) $(FUZZ_HTTP)
.PHONY: fuzz
clean-local:
	rm -rf tests/fuzz/found tests/fuzz/libfuzzer_sql \
		tests/fuzz/libfuzzer_form tests/fuzz/libfuzzer_query \
		tests/fuzz/libfuzzer_http

# `check` is not in EXTRA_DIST: make would take its name for the target. An
# archive that is made again is the same to the byte: an order, no owners, and
# the time of the last commit (or of the archive that all this came in).
dist-hook:
	cp -p $(srcdir)/check $(distdir)/check
	t=$${SOURCE_DATE_EPOCH:-`git -C $(srcdir) log -1 --format=%ct \
		2>/dev/null || date -r $(srcdir)/configure.ac +%s`}; \
	find $(distdir) -exec touch -h -d @$$t '{}' +
export TAR_OPTIONS = --sort=name --owner=0 --group=0 --numeric-owner
export XZ_OPT = -T1
