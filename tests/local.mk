EXTRA_DIST += .clang-format
TESTS += tests/check-tap.sh
dist_check_SCRIPTS += tests/check-tap.sh
EXTRA_DIST += check tests/packages tests/tap.awk tests/mount \
	tests/bench

# The command line against the stand-in server.
TESTS += tests/cli/check.sh tests/cli/list.sh tests/cli/presign.sh
dist_check_SCRIPTS += tests/cli/check.sh tests/cli/list.sh tests/cli/presign.sh
EXTRA_DIST += tests/cli/lib.sh

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

# Needs root and Ceph, and takes a few minutes.
bench: stagefs$(EXEEXT)
	STAGEFS=$(abs_top_builddir)/stagefs$(EXEEXT) \
		$(top_srcdir)/tests/mount/run $(top_srcdir)/tests/bench/bench.sh
.PHONY: bench
