# SPDX-License-Identifier: Apache-2.0
# What is installed beside the program.

# mount -t stagefs looks for a helper of that name in /sbin.
install-exec-hook:
	$(MKDIR_P) '$(DESTDIR)$(sbindir)'
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'
	$(LN_S) '$(bindir)/stagefs' '$(DESTDIR)$(sbindir)/mount.stagefs'

uninstall-hook:
	rm -f '$(DESTDIR)$(sbindir)/mount.stagefs'
	for row in $(INSTALLED_AS); do \
		IFS=:; set -- $$row; unset IFS; rm -f "$(DESTDIR)$$1/$$3"; \
	done

dist_doc_DATA = README.md docs/architecture.md docs/internals.md docs/credentials.md docs/gateway.md docs/testing.md docs/local.md docs/transfer.md docs/xattrs.md \
	docs/performance.md docs/bench.svg docs/architecture.svg docs/terminal.svg docs/presign.md docs/semantics.md docs/servers.md docs/statements.md \
	LICENSE CHANGELOG.md
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/stagefs.conf packaging/kubernetes.yaml \
	etc/stagefs-alerts.yml etc/stagefs-dashboard.json
EXTRA_DIST += docs/record.py docs/terminal.txt packaging/stagefs.spec packaging/Containerfile .dockerignore packaging/test packaging/units \
	debian/changelog debian/control debian/copyright debian/rules \
	debian/source/format debian/stagefs.install debian/stagefs.lintian-overrides \
	debian/stagefs-doc.install debian/stagefs-doc.doc-base

# Units for systemd; the socket is optional.
systemdsystemunitdir = $(prefix)/lib/systemd/system
UNITS_MADE = etc/stagefs@.service etc/stagefs-user@.service \
	etc/stagefs-gateway.service
nodist_systemdsystemunit_DATA = $(UNITS_MADE)
dist_systemdsystemunit_DATA = etc/stagefs-gateway.socket
EXTRA_DIST += $(UNITS_MADE:=.in)
CLEANFILES += $(UNITS_MADE)

$(UNITS_MADE): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed 's|@bindir[@]|$(bindir)|' '$(srcdir)/$@.in' >$@

# The gateway's user, the folders of mounts, the rotation of a log file.
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
logrotatedir = $(sysconfdir)/logrotate.d
INSTALLED_AS = $(sysusersdir):etc/stagefs.sysusers:stagefs.conf \
	$(tmpfilesdir):etc/stagefs.tmpfiles:stagefs.conf \
	$(logrotatedir):etc/stagefs.logrotate:stagefs
EXTRA_DIST += etc/stagefs.sysusers etc/stagefs.tmpfiles etc/stagefs.logrotate

install-data-hook:
	for row in $(INSTALLED_AS); do \
		IFS=:; set -- $$row; unset IFS; \
		$(MKDIR_P) "$(DESTDIR)$$1" && \
		$(INSTALL_DATA) "$(srcdir)/$$2" "$(DESTDIR)$$1/$$3" || exit 1; \
	done

# The manual pages and the completion come out of the program's own tables.
man1_MANS = docs/man/stagefs.1
man5_MANS = docs/man/stagefs.conf.5
dist_man7_MANS = docs/stagefs-security.7
man8_MANS = docs/man/mount.stagefs.8
completiondir = $(datadir)/bash-completion/completions
completion_DATA = etc/stagefs
zshdir = $(datadir)/zsh/vendor-completions
zsh_DATA = etc/_stagefs
fishdir = $(datadir)/fish/vendor_completions.d
fish_DATA = etc/stagefs.fish
CLEANFILES += $(man1_MANS) $(man5_MANS) $(man8_MANS) $(completion_DATA) \
	$(zsh_DATA) $(fish_DATA)

docs/man/stagefs.1: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man1 >$@
docs/man/stagefs.conf.5: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man5 >$@
docs/man/mount.stagefs.8: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./stagefs --generate man8 >$@
etc/stagefs: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc && ./stagefs --generate completion >$@
etc/_stagefs: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc && ./stagefs --generate zsh >$@
etc/stagefs.fish: stagefs$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) etc && ./stagefs --generate fish >$@
