/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ETags of an inode: of the object that stands at its name, of the one
 * whose pages the kernel has, and of the one whose size the kernel was told.
 */
#include "base/hash.h"
#include "fs/names/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void inode_etag_put(struct inode *i, const char *etag)
{
	size_t name_len = strlen(i->text), len = strlen(etag);
	char *grown;

	if (!strcmp(inode_etag(i), etag))
		return;
	grown = realloc(i->text, name_len + len + 2);
	if (grown) {
		i->text = grown;
		memcpy(grown + name_len + 1, etag, len + 1);
	} else {
		i->text[name_len + 1] = '\0';
	}
}

static uint32_t etag_hash(const char *etag)
{
	uint64_t h = hash_string(HASH_START, etag);

	return (uint32_t)(h ^ h >> 32) | 1; /* 0: none */
}

bool inode_etag_take_pages(struct tree *t, struct inode *i, const char *etag)
{
	bool match;

	tree_lock(t);
	match = i->kernel_pages_etag == etag_hash(etag);
	if (!match)
		inode_etag_no_pages(i);
	tree_unlock(t);
	return match;
}

bool inode_etag_has_begin(struct tree *t, struct inode *i, const char *etag)
{
	return TREE_UNDER(t, i->kernel_pages_etag == etag_hash(etag) &&
				     (i->flags & INODE_KERNEL_BEGIN));
}

void inode_etag_set_pages(struct tree *t, struct inode *i, uint32_t version)
{
	tree_lock(t);
	if (version == etag_hash(inode_etag(i)) &&
	    version != i->kernel_pages_etag) {
		inode_etag_no_pages(i);
		i->kernel_pages_etag = version;
	}
	tree_unlock(t);
}

void inode_etag_set_begin(struct tree *t, struct inode *i)
{
	tree_lock(t);
	if (i->kernel_pages_etag)
		i->flags |= INODE_KERNEL_BEGIN;
	tree_unlock(t);
}

uint32_t inode_etag_hash(const struct inode_view *v)
{
	return v->kind == INODE_FILE ? etag_hash(v->info.etag) : 0;
}

void inode_etag_set_attr_locked(struct tree *t, struct inode *i,
				uint32_t version, unsigned ms)
{
	int64_t until = clock_mono_ms() + ms;

	i->kernel_attr_etag = version;
	if (i->ext && i->ext->next_ino && i->ext->next_ino_ms < until)
		i->ext->next_ino_ms = until;
}

void inode_etag_set_attr(struct tree *t, struct inode *i, uint32_t version)
{
	TREE_DO(t, inode_etag_set_attr_locked(t, i, version, 0));
}

bool inode_etag_has_attr(struct tree *t, struct inode *i, const char *etag)
{
	return TREE_UNDER(t, !i->lookups ||
				     i->kernel_attr_etag == etag_hash(etag));
}

static void inode_etag_put_all(struct inode *i, const char *etag)
{
	uint32_t before = etag_hash(inode_etag(i)), h = etag_hash(etag);

	if (i->kernel_pages_etag == before)
		i->kernel_pages_etag = h;
	if (i->kernel_attr_etag == before)
		i->kernel_attr_etag = h;
	inode_etag_put(i, etag);
}

void inode_etag_copied(struct tree *t, struct inode *i,
		       const struct object_info *info)
{
	tree_lock(t);
	inode_etag_put_all(i, info->etag);
	i->class = info->class;
	i->flags |= INODE_OWN_MTIME;
	tree_stamp_stored_locked(t, i);
	i->attr_version = 0;
	tree_unlock(t);
}

void inode_etag_renamed(struct tree *t, struct inode *i, const char *listed,
			const char *etag)
{
	tree_lock(t);
	if ((i->flags & INODE_PUBLISHED) && !strcmp(inode_etag(i), listed))
		inode_etag_put_all(i, etag);
	tree_unlock(t);
}

void inode_etag_published(struct tree *t, struct inode *i,
			  const struct object_info *info)
{
	tree_lock(t);
	inode_etag_put_all(i, info->etag);
	i->size = info->size;
	i->class = info->class;
	i->flags |= INODE_PUBLISHED;
	i->flags &= ~INODE_WRITTEN;
	/* A disk changes the ctime once more, by the name that it gives. */
	i->refreshed_ms = inode_policy(i)->keeps_owner ? -1 : clock_mono_ms();
	tree_stamp_stored_locked(t, i);
	inode_attr_refresh_locked(t, i, info);
	if (i->flags & INODE_ATTR_KNOWN)
		inode_attr_known_locked(i);
	tree_lru_update_locked(t, i);
	tree_unlock(t);
}
