/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing: the folder that the prefix names, and those below it when there is
 * no delimiter, depth first. A folder sorts as `name/`, so its keys come where
 * they belong and the whole is in key order. One folder is open at a time; the
 * deeper one lies the less memory it may take, so that all of them together
 * stay within twice what the first may have.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/number.h"
#include "store/local/local_error.h"
#include "store/local/local_file.h"
#include "store/local/local_ops.h"
#include "store/local/local_path.h"
#include "store/local/local_record.h"
#include "store/local/local_root.h"
#include "store/local/local_scan.h"

#define BUDGET (16u << 20) /* bytes of names of one folder */
#define BUDGET_MIN (64u << 10)

struct level {
	struct local_scan *scan;
	size_t key_len; /* of the folder's own key */
};

struct local_list {
	struct store_list base;
	char delimiter;
	char key[STORE_KEY_MAX + LOCAL_NAME_SIZE + 2];
	struct level *levels;
	unsigned depth;
	size_t cap;
	int dir; /* of the last level; -1: to be opened */
	bool marker; /* the folder of the prefix is to be told first */
};

static struct local *list_local(const struct local_list *l)
{
	return local_of(l->base.store);
}

static void list_close_dir(struct local_list *l)
{
	if (l->dir >= 0)
		close(l->dir);
	l->dir = -1;
}

static int list_push(struct local_list *l, const char *match)
{
	size_t budget = BUDGET >> number_min(l->depth, 16);

	if (ARRAY_RESERVE(l->levels, l->cap, l->depth + 1))
		return -ENOMEM;
	list_close_dir(l);
	l->levels[l->depth].key_len = strlen(l->key);
	l->levels[l->depth].scan =
		local_scan_new(match, number_max(budget, BUDGET_MIN));
	if (!l->levels[l->depth].scan)
		return -ENOMEM;
	l->depth++;
	return 0;
}

static void list_pop(struct local_list *l)
{
	list_close_dir(l);
	local_scan_free(l->levels[--l->depth].scan);
}

void local_list_close(struct store_list *base)
{
	struct local_list *l = (struct local_list *)base;

	while (l->depth)
		list_pop(l);
	free(l->levels);
	free(l);
}

int local_list_open(struct store *s, const struct list_query *q,
		    struct store_list **out)
{
	const char *slash = strrchr(q->prefix, '/'), *why;
	size_t n = slash ? slash + 1 - q->prefix : 0;
	struct local_list *l;
	int rc = 0;

	if (q->delimiter && q->delimiter != '/')
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->base.store = s;
	l->dir = -1;
	l->delimiter = q->delimiter;
	memcpy(l->key, q->prefix, n);
	l->marker = n && !q->prefix[n];
	/* No key begins like that. */
	if (!n || !local_path_check(l->key, &why))
		rc = list_push(l, q->prefix + n);
	if (rc)
		local_list_close(&l->base);
	else
		*out = &l->base;
	return rc;
}

/* ---- entries ---- */

/* The folder of the last level: 1, or 0 it has gone. */
static int list_open_level(struct local_list *l)
{
	struct local *local = list_local(l);
	struct level *top = &l->levels[l->depth - 1];

	l->key[top->key_len] = '\0';
	if (l->dir >= 0)
		return 1;
	l->dir = local_file_openat(local->root_fd, l->key,
				   O_RDONLY | O_DIRECTORY);
	if (l->dir >= 0)
		return 1;
	if (l->dir == -ENOENT || l->dir == -ENOTDIR)
		return 0;
	/* What was asked for itself is an error; what lies below is left out,
	 * as a disk's lost+found. */
	if (l->depth == 1)
		return local_error(local, "list", l->key, l->dir, NULL);
	log_at(LOG_LEVEL_WARN,
	       &(struct log_where){
		       .stage = local->base.name, .key = l->key, .rc = l->dir },
	       "a directory is left out of a listing");
	return 0;
}

/* The folder as an object, if it is one: 1. */
static int list_tell_marker(struct local_list *l, struct list_entry *out)
{
	struct local_record record;
	struct stat st;

	if (fstat(l->dir, &st))
		return -errno;
	local_record_read(l->dir, &st, &record);
	if (record.implied)
		return 0;
	out->key = l->key;
	local_record_info(&st, record.etag, &out->info);
	return 1;
}

/* A name of the last level: 1 an entry, 0 none after all. */
static int list_tell(struct local_list *l, const char *name,
		     struct list_entry *out)
{
	size_t n = strlen(name);
	bool folder = name[n - 1] == '/';
	char bare[LOCAL_NAME_SIZE + 1];
	struct local_record record = { 0 };
	struct stat st;

	if (strlen(l->key) + n > STORE_KEY_MAX)
		return 0;
	memcpy(bare, name, n - folder);
	bare[n - folder] = '\0';
	if (fstatat(l->dir, bare, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return 0;
	strcat(l->key, name);
	if (folder && !l->delimiter) {
		l->marker = true;
		return list_push(l, "");
	}
	if (!folder)
		local_record_read_at(l->dir, bare, &st, &record);
	out->key = l->key;
	out->is_prefix = folder;
	local_record_info(&st, record.etag, &out->info);
	return 1;
}

int local_list_next(struct store_list *base, struct list_entry *out)
{
	struct local_list *l = (struct local_list *)base;
	const char *name;
	int rc = 0;

	while (!rc && l->depth) {
		int opened = list_open_level(l);

		if (opened < 0)
			return opened;
		if (!opened) {
			l->marker = false;
			list_pop(l);
			continue;
		}
		if (l->marker) {
			l->marker = false;
			rc = list_tell_marker(l, out);
			continue;
		}
		rc = local_scan_next(l->levels[l->depth - 1].scan, l->dir,
				     &name);
		if (!rc && *name)
			rc = list_tell(l, name, out);
		else if (!rc)
			list_pop(l);
	}
	return rc < 0 ? local_error(list_local(l), "list", l->key, rc, NULL)
		      : rc;
}
