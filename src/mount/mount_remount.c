/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount(8) adds what fstab has for the mountpoint, so most of -o is what the
 * mount began with: what cannot change is no error, and is said to stay.
 */
#include "mount/mount_remount.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "client/daemon.h"
#include "mount/mount_reload.h"
#include "mount/mount_request.h"

static bool remount_asks_for(const struct mount_request *r, const char *name)
{
	for (unsigned i = 0; i < r->n_settings; i++)
		if (!strcmp(r->settings[i], name))
			return true;
	return false;
}

/* mount(8) reads these in the kernel's table of mounts. */
static bool remount_is_kernels(const char *name, size_t len)
{
	static const char *const words[] = { "user_id", "group_id", "max_read",
					     "blksize" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == len && !memcmp(words[i], name, len))
			return true;
	return false;
}

static void remount_add_stays(const struct mount_request *r, struct buf *said)
{
	BUF_LOCAL stay = BUF_INIT(BUF_LINE);

	buf_adds(&stay, buf_str(&r->flags));
	/* the names alone: a value may be a secret */
	for (unsigned i = 0; i < r->n_settings; i++) {
		size_t len = strcspn(r->settings[i], "=");

		if (!remount_is_kernels(r->settings[i], len) &&
		    !mount_reload_changes(r->settings[i], len))
			buf_addf(&stay, "%s%.*s", stay.len ? "," : "", (int)len,
				 r->settings[i]);
	}
	if (stay.len)
		buf_addf(said, "as it was mounted stay: %s\n", buf_str(&stay));
}

/* The request: a tab in front of each setting. */
static int remount_ask(const struct mount_request *r, struct buf *said,
		       struct buf *why)
{
	BUF_LOCAL words = BUF_INIT(BUF_LINE);

	buf_adds(&words, "reload");
	for (unsigned i = 0; i < r->n_settings; i++) {
		const char *one = r->settings[i];

		if (!mount_reload_changes(one, strcspn(one, "=")))
			continue;
		if (strpbrk(one, "\t\n"))
			return buf_fail(why, -EINVAL,
					"-o %.*s: a control character",
					(int)strcspn(one, "="), one);
		buf_addf(&words, "\t%s", one);
	}
	if (buf_err(&words))
		return buf_fail(why, -E2BIG, "too many options");
	return daemon_ask(r->mountpoint, buf_str(&words), said, why) ? -EIO : 0;
}

int mount_remount(const struct mount_request *r, struct buf *said,
		  struct buf *why)
{
	struct statvfs st;
	int rc;

	if (remount_asks_for(r, "ro") && !statvfs(r->mountpoint, &st) &&
	    !(st.f_flag & ST_RDONLY))
		return buf_fail(why, -EINVAL,
				"a mount becomes read-only by another one "
				"only: unmount it first");
	rc = remount_ask(r, said, why);
	if (!rc)
		remount_add_stays(r, said);
	return rc;
}
