/*
 * Watchers stand in a list under a lock that is dropped round each callback.
 *
 * While a watcher's callback runs its `busy` count keeps it in the list, so
 * that its `next` is good when the lock is taken again. One that leaves is
 * called no more, and goes from the list when nobody is busy with it: the
 * wait ends however many changes are announced meanwhile.
 */
#include "store/store_watch.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/waiter.h"
#include "store/store.h"

static __thread unsigned own;

void store_own_begin(void)
{
	own++;
}

void store_own_end(void)
{
	own--;
}

bool store_is_own(void)
{
	return own != 0;
}

struct store_watchers_locked {
	struct store_watcher *head;
	struct waiter_list leavers;
};

struct store_watchers {
	struct lock lock;
	struct store_watchers_locked guarded_;
};

static struct store_watchers_locked *watchers_locked(struct store_watchers *ws)
	REQUIRES(&ws->lock)
{
	return &ws->guarded_;
}

struct store_watchers *store_watchers_new(void)
{
	struct store_watchers *ws = calloc(1, sizeof(*ws));

	if (ws)
		lock_init(&ws->lock, LOCK_STORE_WATCH);
	return ws;
}

void store_watchers_free(struct store_watchers *ws)
{
	if (!ws)
		return;
	lock_destroy(&ws->lock);
	free(ws);
}

void store_announce(struct store *s, const char *key,
		    const struct object_info *info)
{
	struct store_watchers *ws = s->watchers;
	struct store_watcher *w;

	lock_take(&ws->lock);
	for (w = watchers_locked(ws)->head; w; w = w->next) {
		if (w->leaving)
			continue;
		w->busy++;
		lock_drop(&ws->lock);
		w->changed(w, s, key, info);
		lock_take(&ws->lock);
		if (--w->busy == 0 && w->leaving)
			waiter_list_wake(&watchers_locked(ws)->leavers);
	}
	lock_drop(&ws->lock);
}

void store_watch(struct store *s, struct store_watcher *w)
{
	struct store_watchers *ws = s->watchers;

	w->busy = 0;
	w->leaving = false;
	lock_take(&ws->lock);
	w->next = watchers_locked(ws)->head;
	watchers_locked(ws)->head = w;
	lock_drop(&ws->lock);
}

void store_unwatch(struct store *s, struct store_watcher *w)
{
	struct store_watchers *ws = s->watchers;
	struct store_watcher **at;

	lock_take(&ws->lock);
	w->leaving = true;
	while (w->busy)
		waiter_list_sleep_uninterrupted(&watchers_locked(ws)->leavers,
						&ws->lock, WAIT_FOREVER);
	for (at = &watchers_locked(ws)->head; *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			break;
		}
	}
	lock_drop(&ws->lock);
}
