/*
 * What stands in an inode, and what follows from that alone.
 */
#include "fs/names/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const char *inode_etag(const struct inode *i)
{
	return i->text + strlen(i->text) + 1;
}

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

struct inode_ext *inode_ext(struct inode *i)
{
	if (!i->ext)
		i->ext = calloc(1, sizeof(*i->ext));
	return i->ext;
}

bool inode_dirty(const struct inode *i)
{
	return i->kind == INODE_FILE &&
	       (!(i->flags & INODE_PUBLISHED) || (i->flags & INODE_WRITTEN));
}

void inode_own_mode_locked(struct tree *t, struct inode *i)
{
	if (i->flags & INODE_OWN_MODE)
		return;
	i->uid = t->set.uid;
	i->gid = t->set.gid;
	i->mode = i->kind == INODE_FILE ? t->set.file_mode : t->set.dir_mode;
	i->flags |= INODE_OWN_MODE;
}

unsigned inode_ttl_left_locked(struct tree *t, const struct inode *i,
			       int64_t refreshed_ms)
{
	int64_t age = clock_mono_ms() - refreshed_ms;
	unsigned ttl =
		i->flags & INODE_OF_FILES ? t->set.files_ttl_ms : t->set.ttl_ms;

	return refreshed_ms >= 0 && age < ttl ? ttl - age : 0;
}

bool inode_is_fresh_locked(struct tree *t, const struct inode *i,
			   int64_t refreshed_ms)
{
	return inode_ttl_left_locked(t, i, refreshed_ms) > 0;
}

void tree_pins_remove_locked(struct tree *t, struct inode *i, unsigned what)
{
	if (!(i->flags & what))
		return;
	i->flags &= ~what;
	if (!(i->flags & INODE_PINNED))
		tree_locked(t)->n_pinned--;
}
