/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content/file_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/content/file_props.h"
#include "fs/content/turn.h"

struct file_base {
	char etag[STORE_ETAG_SIZE];
	bool taken; /* the bytes are in what is published next */
	size_t n;
	char bytes[];
};

static void base_set(struct file *f, struct file_base *new)
{
	MEM_LOCAL struct file_base *old = NULL;

	lock_take(&f->lock);
	old = file_locked(f)->fetched;
	file_locked(f)->fetched = new;
	lock_drop(&f->lock);
}

int file_base_fetch(struct file *f, const char *key, const struct inode_view *v)
{
	size_t size = v->info.size <= FILE_BASE_MAX ? v->info.size : 0;
	MEM_LOCAL struct object_details *d = NULL;
	MEM_LOCAL struct file_base *b = NULL;
	int rc = -ENOMEM;

	if (!size || !*v->info.etag || file_props_known(f))
		return -EAGAIN;
	b = calloc(1, sizeof(*b) + size);
	if (b)
		d = malloc(sizeof(*d));
	if (d)
		rc = store_get_whole(file_store(f), key, v->info.etag, b->bytes,
				     size, &b->n, d);
	if (rc == -ENOENT || (rc >= 0 && b->n < size))
		rc = -ESTALE;
	if (!rc)
		file_props_refresh(f, d);
	if (rc >= 0) {
		memcpy(b->etag, v->info.etag, sizeof(b->etag));
		base_set(f, b);
		b = NULL;
	}
	return rc < 0 ? rc : 0;
}

bool file_base_take(struct file *f, const char *etag, uint64_t start,
		    char *bytes, size_t n)
{
	struct file_base *b, *less;
	bool here;

	lock_take(&f->lock);
	b = file_locked(f)->fetched;
	here = b && etag && !strcmp(b->etag, etag) && start <= b->n &&
	       n <= b->n - start;
	if (here) {
		memcpy(bytes, b->bytes + start, n);
		b->taken = true;
		b->n = 0;
		less = realloc(b, sizeof(*b));
		file_locked(f)->fetched = less ? less : b;
	}
	lock_drop(&f->lock);
	return here;
}

bool file_base_taken(struct file *f, const char *etag)
{
	const struct file_base *b;
	bool taken;

	lock_take(&f->lock);
	b = file_locked(f)->fetched;
	taken = b && b->taken && etag && !strcmp(b->etag, etag);
	lock_drop(&f->lock);
	return taken;
}

void file_base_moved(struct file *f, const char *etag)
{
	lock_take(&f->lock);
	if (file_locked(f)->fetched)
		memcpy(file_locked(f)->fetched->etag, etag, STORE_ETAG_SIZE);
	lock_drop(&f->lock);
}
