/*
 * One watcher for each store, found by a list: a mount has few stores. A
 * watcher keeps its store alive, so those that only we still hold are looked
 * for whenever another one comes (a stage that was altered has another store).
 */
#include "fs/observer.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/lock.h"
#include "fs/names/store_event.h"
#include "fs/state.h"
#include "fs/inval_queue.h"
#include "store/store.h"
#include "store/store_observer.h"

struct watch {
	struct store_observer watcher; /* first */
	struct fs *fs;
	struct store *store; /* a reference */
	struct watch *next;
};

struct observer_locked {
	struct watch *head;
};

struct observer {
	struct fs *fs;
	struct lock lock; /* a leaf */
	struct observer_locked guarded_;
};

static struct observer_locked *observer_locked(struct observer *w)
	REQUIRES(&w->lock)
{
	return &w->guarded_;
}

static void observer_place_changed(void *arg, const struct store_event *a)
{
	struct fs *fs = arg;

	if (a->tell_entry)
		inval_queue_entry(fs->inval_queue, a->dir, a->name);
	if (a->tell_inode)
		inval_queue_inode(fs->inval_queue, a->inode, true);
	if (a->tell_dir)
		inval_queue_inode(fs->inval_queue, a->dir, false);
}

static void observer_changed(struct store_observer *watcher, struct store *s,
			     const char *key, const struct object_info *info)
{
	struct watch *w = (struct watch *)watcher;

	if (store_observer_is_own())
		return;
	store_event_apply(w->fs->tree, s, key, info, observer_place_changed,
			  w->fs);
	inval_queue_settle(w->fs->inval_queue);
}

struct observer *observer_new(struct fs *fs)
{
	struct observer *w = calloc(1, sizeof(*w));

	if (w) {
		w->fs = fs;
		lock_init(&w->lock, LOCK_OBSERVER);
	}
	return w;
}

static void observer_end_all(struct watch *list)
{
	struct watch *w, *next;

	LL_FOREACH_SAFE(list, w, next) {
		store_observer_remove(w->store, &w->watcher);
		store_unref(w->store);
		free(w);
	}
}

void observer_free(struct observer *w)
{
	if (!w)
		return;
	observer_end_all(w->guarded_.head); /* only the caller has it */
	lock_destroy(&w->lock);
	free(w);
}

static bool observer_is_last(const struct store *s)
{
	return __atomic_load_n(&s->refs, __ATOMIC_ACQUIRE) == 1;
}

/* Takes from the list the stores that only it still holds. */
static struct watch *observer_idle_locked(struct observer *ws)
	REQUIRES(&ws->lock)
{
	struct watch **at = &observer_locked(ws)->head, *idle = NULL;

	while (*at) {
		struct watch *w = *at;

		if (!observer_is_last(w->store)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		LL_PREPEND(idle, w);
	}
	return idle;
}

static bool observer_has_locked(struct observer *ws, const struct store *s)
	REQUIRES(&ws->lock)
{
	struct watch *w = observer_locked(ws)->head;

	while (w && w->store != s)
		w = w->next;
	return w != NULL;
}

static bool observer_has(struct observer *ws, const struct store *s)
{
	bool found;

	lock_take(&ws->lock);
	found = observer_has_locked(ws, s);
	lock_drop(&ws->lock);
	return found;
}

void observer_watch(struct observer *ws, struct store *s)
{
	struct watch *w, *idle;
	bool added;

	if (!s || observer_has(ws, s))
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->watcher.changed = observer_changed;
	w->fs = ws->fs;
	w->store = store_ref(s);
	lock_take(&ws->lock);
	idle = observer_idle_locked(ws);
	added = !observer_has_locked(ws, s);
	if (added) {
		LL_PREPEND(observer_locked(ws)->head, w);
		store_observer_add(s, &w->watcher);
	}
	lock_drop(&ws->lock);
	if (!added) {
		store_unref(w->store);
		free(w);
	}
	observer_end_all(idle);
}
