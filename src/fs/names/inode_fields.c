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

void inode_put_etag(struct inode *i, const char *etag)
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

struct inode_more *inode_more(struct inode *i)
{
	if (!i->more)
		i->more = calloc(1, sizeof(*i->more));
	return i->more;
}

bool inode_ours(const struct inode *i)
{
	return i->kind == INODE_FILE &&
	       (!(i->flags & INODE_PUBLISHED) || (i->flags & INODE_WRITTEN));
}

void tree_own_mode_locked(struct tree *t, struct inode *i)
{
	if (i->flags & INODE_OWN_MODE)
		return;
	i->uid = t->set.uid;
	i->gid = t->set.gid;
	i->mode = i->kind == INODE_FILE ? t->set.file_mode : t->set.dir_mode;
	i->flags |= INODE_OWN_MODE;
}

unsigned tree_left_locked(struct tree *t, const struct inode *i,
			  int64_t told_ms)
{
	int64_t age = clock_mono_ms() - told_ms;
	unsigned ttl =
		i->flags & INODE_OF_FILES ? t->set.files_ttl_ms : t->set.ttl_ms;

	return told_ms >= 0 && age < ttl ? ttl - age : 0;
}

bool tree_fresh_locked(struct tree *t, const struct inode *i, int64_t told_ms)
{
	return tree_left_locked(t, i, told_ms) > 0;
}

void tree_unpin_locked(struct tree *t, struct inode *i, unsigned what)
{
	if (!(i->flags & what))
		return;
	i->flags &= ~what;
	if (!(i->flags & INODE_PINNED))
		tree_locked(t)->n_pinned--;
}
