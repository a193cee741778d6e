/* SPDX-License-Identifier: Apache-2.0 */
#include "fs_fixture.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "fs/names/tree.h"
#include "fs/removals.h"
#include "fs/state.h"

const struct fs_settings mount_settings = {
	.metadata_ttl_s = 60,
	.spill_dir = "/tmp/stagefs-unit-spill",
	.uid = 1000,
	.gid = 1000,
	.file_mode = 0644,
	.dir_mode = 0755,
	.presign = FS_PRESIGN_BOTH,
	.presign_expire = 3600,
	.presign_expire_max = 604800,
};

void mount_with(struct mount *m, const char *prefix, bool ro,
		const struct fs_settings *s)
{
	mount_on(m, memstore_new("s"), prefix, ro, s);
}

void mount_fs(struct mount *m, struct catalog *catalog,
	      const struct fs_settings *s)
{
	struct fs_settings set = *s;

	if (!set.budget)
		set.budget = m->budget = budget_new(64 << 20);
	assert_int_equal(fs_new(&set, catalog, m->stage, &m->fs), 0);
}

void mount_on(struct mount *m, struct store *store, const char *prefix, bool ro,
	      const struct fs_settings *s)
{
	memset(m, 0, sizeof(*m));
	m->store = store;
	m->stage = stage_new("s", STAGE_EXTERNAL, m->store, prefix, ro, 0);
	assert_non_null(m->stage);
	mount_fs(m, NULL, s);
	m->caller.uid = m->caller.gid = 1000;
}

void mount_up(struct mount *m, const char *prefix, unsigned ttl_s, bool ro)
{
	struct fs_settings s = mount_settings;

	s.metadata_ttl_s = ttl_s;
	mount_with(m, prefix, ro, &s);
}

void mount_restore(struct mount *m)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(fs_restore(m->fs, &why), 0);
	buf_clear(&why);
}

void mount_down(struct mount *m)
{
	fs_free(m->fs);
	budget_free(m->budget);
	stage_unref(m->stage);
	store_unref(m->store);
}

struct inode *mount_find(struct mount *m, const char *path, int *failure)
{
	struct inode *at = fs_root(m->fs);
	char *copy = strdup(path), *save, *name;
	struct fs_entry e = { .inode = at };
	int rc = 0;

	for (name = strtok_r(copy, "/", &save); name && !rc;
	     name = strtok_r(NULL, "/", &save)) {
		rc = fs_lookup(m->fs, at, name, &e);
		if (!rc && !e.inode)
			rc = -ENOENT;
		mount_forget(m, at);
		at = rc ? NULL : e.inode;
	}
	free(copy);
	if (failure)
		*failure = rc;
	return at;
}

void mount_forget(struct mount *m, struct inode *i)
{
	if (i && i != fs_root(m->fs))
		fs_forget(m->fs, i, 1);
}

/* The directory of a path; *name is its last component. */
static struct inode *parent_of(struct mount *m, const char *path,
			       const char **name)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash ? slash - path : 0);
	struct inode *i = mount_find(m, dir, NULL);

	assert_non_null(i);
	*name = slash ? slash + 1 : path;
	free(dir);
	return i;
}

int mount_create(struct mount *m, const char *path, struct handle **h)
{
	const char *name;
	struct inode *dir = parent_of(m, path, &name);
	struct fs_entry e;
	int rc = fs_file_create(m->fs, dir, name, 0644,
				O_WRONLY | O_CREAT | O_EXCL, &m->caller, &e, h);

	if (!rc)
		fs_forget(m->fs, e.inode, 1);
	mount_forget(m, dir);
	return rc;
}

static int open_once(struct mount *m, const char *path, int flags,
		     struct handle **h)
{
	int rc;
	bool keep;
	struct inode *i = mount_find(m, path, &rc);

	if (!i)
		return rc;
	rc = fs_file_open(m->fs, i, flags, h, &keep);
	mount_forget(m, i);
	return rc;
}

/* As the kernel: upon -ESTALE the path is looked up once more. */
int mount_open(struct mount *m, const char *path, int flags, struct handle **h)
{
	int rc = open_once(m, path, flags, h);

	return rc == -ESTALE ? open_once(m, path, flags, h) : rc;
}

int mount_write(struct mount *m, const char *path, const char *text)
{
	struct handle *h;
	int rc = mount_open(m, path, O_WRONLY | O_TRUNC, &h);

	if (rc == -ENOENT)
		rc = mount_create(m, path, &h);
	if (rc)
		return rc;
	rc = fs_file_write(m->fs, h, 0, text, strlen(text));
	if (!rc)
		rc = fs_file_flush(m->fs, h);
	fs_release(m->fs, h);
	return rc;
}

int mount_chmod(struct mount *m, const char *path, mode_t mode)
{
	struct stat st = { .st_mode = mode }, out;
	struct inode *i = mount_find(m, path, NULL);
	double timeout;
	int rc = fs_setattr(m->fs, i, NULL, &st, FS_SET_MODE, &out, &timeout);

	mount_forget(m, i);
	return rc;
}

int mount_sync_dir(struct mount *m, const char *path)
{
	struct inode *i = mount_find(m, path, NULL);
	struct dir_handle *h;
	int rc = fs_dir_open(m->fs, i, &h);

	if (!rc) {
		rc = fs_dir_sync(m->fs, h);
		fs_dir_close(m->fs, h);
	}
	mount_forget(m, i);
	return rc;
}

int mount_mkdir(struct mount *m, const char *path)
{
	const char *name;
	struct inode *dir = parent_of(m, path, &name);
	struct fs_entry e;
	int rc = fs_mkdir(m->fs, dir, name, 0755, &m->caller, &e);

	if (!rc)
		fs_forget(m->fs, e.inode, 1);
	mount_forget(m, dir);
	return rc;
}

int mount_unlink(struct mount *m, const char *path)
{
	const char *name;
	struct inode *dir = parent_of(m, path, &name);
	int rc = fs_unlink(m->fs, dir, name);

	mount_forget(m, dir);
	return rc;
}

int mount_rmdir(struct mount *m, const char *path)
{
	const char *name;
	struct inode *dir = parent_of(m, path, &name);
	int rc = fs_rmdir(m->fs, dir, name);

	mount_forget(m, dir);
	return rc;
}

int mount_rename(struct mount *m, const char *from, const char *to,
		 unsigned flags)
{
	const char *name, *to_name;
	struct inode *dir = parent_of(m, from, &name);
	struct inode *to_dir = parent_of(m, to, &to_name);
	int rc = fs_rename(m->fs, dir, name, to_dir, to_name, flags);

	mount_forget(m, dir);
	mount_forget(m, to_dir);
	return rc;
}

int mount_stat(struct mount *m, const char *path, struct stat *st)
{
	double timeout;
	int rc;
	struct inode *i = mount_find(m, path, &rc);

	if (!i)
		return rc;
	rc = fs_getattr(m->fs, i, NULL, st, &timeout);
	mount_forget(m, i);
	return rc;
}

int mount_read(struct mount *m, struct handle *h, char *out, size_t size)
{
	size_t at = 0;

	for (;;) {
		struct fs_data d = { 0 };
		int rc = fs_file_read(m->fs, h, at, size - 1 - at, &d);

		if (rc)
			return rc;
		if (!d.len)
			break;
		for (unsigned k = 0; k < d.n; k++) {
			memcpy(out + at, d.iov[k].iov_base, d.iov[k].iov_len);
			at += d.iov[k].iov_len;
		}
		fs_data_release(m->fs, &d);
	}
	out[at] = '\0';
	return at;
}

int mount_cat(struct mount *m, const char *path, char *out, size_t size)
{
	struct handle *h;
	int rc = mount_open(m, path, O_RDONLY, &h);

	if (rc)
		return rc;
	rc = mount_read(m, h, out, size);
	fs_release(m->fs, h);
	return rc;
}

struct ls {
	char *out;
	size_t size;
	off_t next;
};

static int add_name(void *arg, const char *name, const struct fs_entry *e,
		    off_t next)
{
	struct ls *ls = arg;
	size_t used = strlen(ls->out);

	ls->next = next;
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	snprintf(ls->out + used, ls->size - used, "%s%s ", name,
		 S_ISDIR(e->st.st_mode) ? "/" : "");
	return 0;
}

int mount_ls(struct mount *m, const char *path, char *out, size_t size)
{
	struct ls ls = { out, size, 0 };
	struct dir_handle *h;
	int rc;
	struct inode *i = mount_find(m, path, &rc);

	*out = '\0';
	if (!i)
		return rc;
	rc = fs_dir_open(m->fs, i, &h);
	if (!rc) {
		rc = fs_dir_read(m->fs, h, 0, false, add_name, &ls);
		fs_dir_close(m->fs, h);
	}
	mount_forget(m, i);
	return rc;
}

void gateway_put(struct mount *m, const char *key, const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(store_put(m->store, key, &body, NULL, NULL, &info), 0);
	fs_store_changed(m->fs, m->store, key, &info);
}

void store_has(struct mount *m, const char *key, const char *text)
{
	assert_int_equal(memstore_poke(m->store, key, text, strlen(text)), 0);
}

void mount_settle(struct mount *m)
{
	if (m->fs)
		assert_int_equal(removals_wait_below(m->fs->removals,
						     fs_root(m->fs)),
				 0);
}

bool store_holds(struct mount *m, const char *key)
{
	char all[65536], wanted[1100];

	store_keys(m, all, sizeof(all));
	snprintf(wanted, sizeof(wanted), " %s ", key);
	return !strncmp(all, wanted + 1, strlen(wanted + 1)) ||
	       strstr(all, wanted);
}

void store_keys(struct mount *m, char *out, size_t size)
{
	struct list_query q = { .prefix = "" };
	struct store_list *l;
	struct list_entry e;
	size_t used = 0;

	*out = '\0';
	mount_settle(m);
	assert_int_equal(store_list_open(m->store, &q, &l), 0);
	while (store_list_next(l, &e) > 0 && used < size - 1)
		used += snprintf(out + used, size - used, "%s ", e.key);
	store_list_close(l);
}

static void mount_age_locked(struct tree *t, struct inode *i, int64_t ms)
	REQUIRES(t->lock)
{
	i->refreshed_ms -= ms;
	if (!i->dir)
		return;
	if (i->dir->complete_ms >= 0)
		i->dir->complete_ms -= ms;
	for (struct inode *c = i->dir->first; c; c = c->next)
		mount_age_locked(t, c, ms);
}

void mount_age(struct mount *m, int64_t ms)
{
	struct tree *t = m->fs->tree;

	TREE_DO(t, mount_age_locked(t, tree_root(t), ms));
}

void mount_grow_old(struct mount *m)
{
	mount_age(m, 600000);
}

static void mount_forget_asked_in(struct inode_dir *d)
{
	if (d->complete_ms < 0)
		d->n_asked = d->n_asked_tried = 0;
}

void mount_forget_asked(struct mount *m)
{
	struct inode_dir *top = tree_root(m->fs->tree)->dir;

	mount_forget_asked_in(top);
	for (struct inode *i = top->first; i; i = i->next)
		if (i->dir)
			mount_forget_asked_in(i->dir);
}
