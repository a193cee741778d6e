# What is installed beside the program.

# mount -t stagefs looks for a helper of that name in /sbin.
install-exec-hook:
	$(MKDIR_P) '$(DESTDIR)$(sbindir)'
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'
	$(LN_S) '$(bindir)/stagefs' '$(DESTDIR)$(sbindir)/mount.stagefs'

uninstall-hook:
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'

dist_doc_DATA = README.md docs/architecture.md docs/internals.md docs/credentials.md docs/gateway.md docs/testing.md docs/local.md docs/transfer.md docs/xattrs.md \
	docs/performance.md docs/names.svg docs/presign.md docs/statements.md
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/stagefs.conf

# Units for systemd; the socket is optional.
systemdsystemunitdir = $(prefix)/lib/systemd/system
UNITS_MADE = etc/stagefs@.service etc/stagefs-gateway.service
nodist_systemdsystemunit_DATA = $(UNITS_MADE)
dist_systemdsystemunit_DATA = etc/stagefs-gateway.socket
EXTRA_DIST += $(UNITS_MADE:=.in)
CLEANFILES += $(UNITS_MADE)

$(UNITS_MADE): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed 's|@bindir[@]|$(bindir)|' '$(srcdir)/$@.in' >$@

# The manual pages and the completion come out of the program's own tables.
man1_MANS = docs/man/stagefs.1
man5_MANS = docs/man/stagefs.conf.5
man8_MANS = docs/man/mount.stagefs.8
completiondir = $(datadir)/bash-completion/completions
completion_DATA = etc/stagefs
CLEANFILES += $(man1_MANS) $(man5_MANS) $(man8_MANS) $(completion_DATA)

docs/man/stagefs.1: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man1 >$@
docs/man/stagefs.conf.5: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man5 >$@
docs/man/mount.stagefs.8: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man8 >$@
etc/stagefs: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc && ./stagefs --generate completion >$@
