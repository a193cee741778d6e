/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines that people, mount(8), mount.fuse3 and systemd write. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mount/mount_request.h"
#include "suite.h"

#define ARGS_MAX 8

struct row {
	const char *says;
	const char *argv[ARGS_MAX];
	bool helper;
	const char *source, *mountpoint; /* NULL mountpoint: refused */
	bool foreground, fake, remount;
	const char *config, *flags, *settings;
};

static const struct row rows[] = {
	{ "a mountpoint alone", { "/mnt" }, .mountpoint = "/mnt" },
	{ "source and mountpoint",
	  { "@s", "/mnt" },
	  .source = "@s",
	  .mountpoint = "/mnt" },
	{ "in the foreground",
	  { "-f", "/mnt" },
	  .mountpoint = "/mnt",
	  .foreground = true },
	{ "-f is fake for a helper",
	  { "stagefs", "/mnt", "-f", "-n", "-s" },
	  .helper = true,
	  .source = "stagefs",
	  .mountpoint = "/mnt",
	  .fake = true },
	{ "-v is a helper's only", { "/mnt", "-v" } },
	{ "what mount and systemd add is nobody's business here",
	  { "stagefs", "/mnt", "-o",
	    "rw,_netdev,nofail,user,noauto,relatime,x-systemd.automount,"
	    "comment=a b,dev,suid,nosuid,nodev" },
	  .source = "stagefs",
	  .mountpoint = "/mnt" },
	{ "user is mount(8)'s word, and with a value whose stage ~ is",
	  { "stagefs", "/mnt", "-o", "user,user=alice,users" },
	  .source = "stagefs",
	  .mountpoint = "/mnt",
	  .settings = "user=alice" },
	{ "links are never followed, and who unmounts is not ours to know",
	  { "stagefs", "/mnt", "-o", "nosymfollow,uhelper=udisks2,helper=x" },
	  .source = "stagefs",
	  .mountpoint = "/mnt" },
	{ "a mount is to change",
	  { "stagefs", "/mnt", "-o", "rw,remount" },
	  .source = "stagefs",
	  .mountpoint = "/mnt",
	  .helper = true,
	  .remount = true },
	{ "the kernel's flags",
	  { "/mnt", "-onoexec,noatime" },
	  .mountpoint = "/mnt",
	  .flags = "noexec,noatime" },
	{ "labels, as they are",
	  { "/mnt", "-o", "noexec,context=a:b:c:s0,ro,rootcontext=x:y:z" },
	  .mountpoint = "/mnt",
	  .flags = "noexec,context=a:b:c:s0,rootcontext=x:y:z",
	  .settings = "ro" },
	{ "the commas of a label, within quotes",
	  { "/mnt", "-o", "fscontext=\"a:b:c:s0:c1,c2\",ro" },
	  .mountpoint = "/mnt",
	  .flags = "fscontext=\"a:b:c:s0:c1\\,c2\"",
	  .settings = "ro" },
	{ "... or behind a backslash",
	  { "/mnt", "-o", "defcontext=a:b:c:s0:c1\\,c2" },
	  .mountpoint = "/mnt",
	  .flags = "defcontext=\"a:b:c:s0:c1\\,c2\"" },
	{ "a label whose quote is open", { "/mnt", "-o", "context=\"a,ro" } },
	{ "a label without a value", { "/mnt", "-o", "context,ro" } },
	{ "a quote elsewhere is a byte of the value",
	  { "/mnt", "-o", "user=\"a,ro" },
	  .mountpoint = "/mnt",
	  .settings = "user=\"a|ro" },
	{ "settings, with and without a value",
	  { "/mnt", "-o", "allow_other,metadata_ttl=0", "-o", "ro" },
	  .mountpoint = "/mnt",
	  .settings = "allow_other|metadata_ttl=0|ro" },
	{ "-r is ro",
	  { "-r", "stagefs", "/mnt" },
	  .helper = true,
	  .source = "stagefs",
	  .mountpoint = "/mnt",
	  .settings = "ro" },
	{ "a comma within a value",
	  { "/mnt", "-o", "spill_dir=/a\\,b\\\\c,ro" },
	  .mountpoint = "/mnt",
	  .settings = "spill_dir=/a,b\\c|ro" },
	{ "a configuration, the last word wins",
	  { "/mnt", "-o", "config=/a", "--config=/b" },
	  .mountpoint = "/mnt",
	  .config = "/b" },
	{ "a configuration needs a name", { "/mnt", "-o", "config=" } },
	{ "--config at the end", { "/mnt", "--config" } },
	{ "-o at the end", { "/mnt", "-o" } },
	{ "an unknown letter", { "/mnt", "-q" } },
	{ "an unknown long option", { "/mnt", "--quick" } },
	{ "three words", { "a", "b", "c" } },
	{ "nothing", { NULL } },
};

static void joined(const struct mount_request *r, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned i = 0; i < r->n_settings; i++) {
		strncat(out, i ? "|" : "", size - strlen(out) - 1);
		strncat(out, r->settings[i], size - strlen(out) - 1);
	}
}

static void same(const char *says, const char *got, const char *want)
{
	if (!got)
		got = "";
	if (!want)
		want = "";
	if (strcmp(got, want))
		fail_msg("%s: `%s`, not `%s`", says, got, want);
}

static void one(const struct row *row)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct mount_request r;
	char settings[512];
	int argc = 0, rc;

	while (argc < ARGS_MAX && row->argv[argc])
		argc++;
	rc = mount_request_parse(argc, (char **)row->argv, row->helper, &r,
				 &why);
	if (rc != (row->mountpoint ? 0 : -EINVAL))
		fail_msg("%s: %d (%s)", row->says, rc, buf_str(&why));
	if (rc && !why.len)
		fail_msg("%s: refused without a word", row->says);
	if (!rc) {
		joined(&r, settings, sizeof(settings));
		same(row->says, r.source, row->source);
		same(row->says, r.mountpoint, row->mountpoint);
		same(row->says, r.config, row->config);
		same(row->says, buf_str(&r.flags), row->flags);
		same(row->says, settings, row->settings);
		if (r.foreground != row->foreground || r.fake != row->fake ||
		    r.remount != row->remount)
			fail_msg("%s: foreground, fake or remount", row->says);
	}
	mount_request_clear(&r);
	buf_clear(&why);
}

static void command_lines(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		one(&rows[i]);
}

SUITE(mount_request)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
