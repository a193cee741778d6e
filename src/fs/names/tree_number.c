/* SPDX-License-Identifier: Apache-2.0 */
/*
 * st_ino: a file's own number, of the tree's count or of its disk.
 */
#include "fs/names/tree.h"

#include "base/clock.h"

/*
 * st_ino: 64 bits under one st_dev. The first disk whose files we show has its
 * own numbers; those of the next have the disk's place in the list above
 * INO_BITS, and those of the tree the class above all of these.
 */
#define INO_BITS 56
#define INO_OWN 0x7fULL

uint64_t tree_number_new_locked(struct tree *t)
{
	return INO_OWN << INO_BITS | ++tree_locked(t)->last_ino;
}

uint64_t tree_number_of_disk_locked(struct tree *t,
				    const struct object_info *info)
{
	struct tree_locked *g = tree_locked(t);
	uint64_t k = 0;

	/* 0 is none, 1 the root's. */
	if (info->ino <= 1 || info->ino >> INO_BITS)
		return 0;
	while (k < g->n_disks && g->disks[k] != info->dev)
		k++;
	if (k == TREE_DISKS)
		return 0;
	if (k == g->n_disks)
		g->disks[g->n_disks++] = info->dev;
	return k << INO_BITS | info->ino;
}

/*
 * Programs look at a name, open it and look again (cp, tail): another number is
 * another file to them. So a number changes only when no descriptor is open,
 * though each of our publications is another file of the disk, and after the
 * kernel has forgotten the one that it was told.
 */
static void tree_number_later_locked(struct tree *t, struct inode *i,
				     uint64_t ino) REQUIRES(t->lock)
{
	struct inode_ext *m = inode_ext(i);

	if (!m) {
		i->ino = ino;
	} else if (m->next_ino != ino) {
		m->next_ino = ino;
		m->next_ino_ms = clock_mono_ms() + inode_ttl_ms(t, i);
	}
}

void tree_number_set_locked(struct tree *t, struct inode *i, uint64_t ino)
{
	bool shown =
		i->lookups || (i->ext && (i->ext->file || i->ext->next_ino));

	if (!ino || i == t->root)
		return;
	if (shown && ino != i->ino) {
		tree_number_later_locked(t, i, ino);
		return;
	}
	i->ino = ino;
	if (i->ext)
		i->ext->next_ino = 0;
}

void tree_number_delay_locked(struct tree *t, struct inode *i, uint64_t was)
{
	uint64_t ino = i->ino;

	i->ino = was;
	tree_number_later_locked(t, i, ino);
}

uint64_t tree_number_get_locked(struct tree *t, struct inode *i)
{
	struct inode_ext *m = i->ext;

	if (m && m->next_ino && !m->file && clock_mono_ms() >= m->next_ino_ms) {
		i->ino = m->next_ino;
		m->next_ino = 0;
	}
	return i->ino;
}
