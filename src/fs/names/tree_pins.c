/*
 * Pins: names whose attributes a caller chose, which no store keeps. They stay
 * in memory, and their number is limited.
 *
 * A pin costs what a cached name costs. What would be shown without it is not
 * worth one; nor has a file one that is yet to be published when there is no
 * room, since making a file is not to fail for its mode: that holds as long as
 * its inode happens to.
 */
#include "fs/names/tree.h"

#include <errno.h>

#include "base/clock.h"

#define SAY_MS 60000

int tree_pins_add_locked(struct tree *t, struct inode *i, unsigned what)
{
	struct tree_locked *g = tree_locked(t);

	if ((i->flags & what) || (i->flags & INODE_ORPHAN) || i == t->root)
		return 0;
	if (!(i->flags & INODE_PINNED)) {
		if (g->n_pinned >= t->set.pins_max) {
			g->pins_full = true;
			return inode_dirty(i) ? 0 : -ENOSPC;
		}
		g->n_pinned++;
	}
	i->flags |= what;
	return 0;
}

bool tree_pins_full(struct tree *t)
{
	int64_t now_ms = clock_mono_ms();
	struct tree_locked *g;
	bool say;

	tree_lock(t);
	g = tree_locked(t);
	say = g->pins_full &&
	      (!g->pins_said_ms || now_ms - g->pins_said_ms >= SAY_MS);
	if (say) {
		g->pins_full = false;
		g->pins_said_ms = now_ms;
	}
	tree_unlock(t);
	return say;
}
