/* SPDX-License-Identifier: Apache-2.0 */
#include "local_rig.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/local/local.h"
#include "unit.h"

struct store *local_rig_again(const struct local_rig *rig)
{
	const struct local_settings set = { .name = "test",
					    .root = rig->root,
					    .url_name = "storage" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store *s = NULL;

	if (local_new(&set, &s, &why))
		fail_msg("%s", buf_str(&why));
	buf_clear(&why);
	return s;
}

void local_rig_open(struct local_rig *rig)
{
	const char *tmp = getenv("TMPDIR");

	assert_true(asprintf(&rig->root, "%s/stagefs-local-XXXXXX",
			     tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(rig->root));
	rig->s = local_rig_again(rig);
}

static int wipe_one(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	return remove(path);
}

void local_rig_wipe(const char *path)
{
	nftw(path, wipe_one, 16, FTW_DEPTH | FTW_PHYS);
}

void local_rig_close(struct local_rig *rig)
{
	store_unref(rig->s);
	if (rig->root)
		local_rig_wipe(rig->root);
	free(rig->root);
	*rig = (struct local_rig){ 0 };
}

const char *local_rig_path(const struct local_rig *rig, const char *name)
{
	static char paths[8][4096];
	static unsigned next;
	char *out = paths[next++ % 8];

	snprintf(out, sizeof(paths[0]), "%s/%s", rig->root, name);
	return out;
}

void local_rig_write(const struct local_rig *rig, const char *name,
		     const char *text)
{
	int fd = open(local_rig_path(rig, name),
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

struct object_info local_rig_put(struct store *s, const char *key,
				 const char *text)
{
	const struct store_body body = { .data = text,
					 .fd = -1,
					 .len = strlen(text) };
	struct object_info info;

	assert_int_equal(store_put(s, key, &body, NULL, NULL, &info), 0);
	return info;
}

int local_rig_get(struct store *s, const char *key, char text[4096])
{
	size_t n = 0;
	int rc = store_get_sync(s, key, NULL, 0, text, 4095, &n, NULL);

	text[rc ? 0 : n] = '\0';
	return rc;
}

char *local_rig_list(struct store *s, const char *prefix, char delimiter)
{
	const struct list_query q = { .prefix = prefix,
				      .delimiter = delimiter };
	struct buf out = BUF_INIT(16 << 20);
	struct store_list *l;
	struct list_entry e;
	int rc;

	buf_adds(&out, "");
	assert_int_equal(store_list_open(s, &q, &l), 0);
	while ((rc = store_list_next(l, &e)) == 1) {
		buf_adds(&out, e.key);
		buf_addc(&out, ' ');
	}
	assert_int_equal(rc, 0);
	store_list_close(l);
	return out.len ? buf_detach(&out) : strdup("");
}

int local_rig_list_error(struct store *s, const char *prefix)
{
	const struct list_query q = { .prefix = prefix };
	struct store_list *l;
	struct list_entry e;
	int rc = store_list_open(s, &q, &l);

	if (rc)
		return rc;
	while ((rc = store_list_next(l, &e)) == 1)
		;
	store_list_close(l);
	return rc;
}

static void effective(bool all)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	for (int i = 0; i < 2; i++)
		data[i].effective = all ? data[i].permitted : 0;
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

void local_rig_unprivileged(void)
{
	effective(false);
}

void local_rig_privileged(void)
{
	effective(true);
}
