/*
 * Observers stand in a list under a lock that is dropped round each callback.
 *
 * While an observer's callback runs its `busy` count keeps it in the list, so
 * that its `next` is good when the lock is taken again. One that leaves is
 * called no more, and goes from the list when no thread is busy with it: the
 * wait ends however many changes are announced meanwhile.
 */
#include "store/store_observer.h"

#include <stdlib.h>

#include "base/lock.h"
#include "base/waiter.h"
#include "store/store.h"

static __thread unsigned own;

void store_observer_own_begin(void)
{
	own++;
}

void store_observer_own_end(void)
{
	own--;
}

bool store_observer_is_own(void)
{
	return own != 0;
}

struct store_observers_locked {
	struct store_observer *head;
	struct waiter_list leavers;
};

struct store_observers {
	struct lock lock;
	struct store_observers_locked guarded_;
};

static struct store_observers_locked *observers_locked(
	struct store_observers *ws) REQUIRES(&ws->lock)
{
	return &ws->guarded_;
}

struct store_observers *store_observer_list_new(void)
{
	struct store_observers *ws = calloc(1, sizeof(*ws));

	if (ws)
		lock_init(&ws->lock, LOCK_STORE_OBSERVER);
	return ws;
}

void store_observer_list_free(struct store_observers *ws)
{
	if (!ws)
		return;
	lock_destroy(&ws->lock);
	free(ws);
}

void store_observer_tell(struct store *s, const char *key,
			 const struct object_info *info)
{
	struct store_observers *ws = s->observers;
	struct store_observer *w;

	lock_take(&ws->lock);
	for (w = observers_locked(ws)->head; w; w = w->next) {
		if (w->leaving)
			continue;
		w->busy++;
		lock_drop(&ws->lock);
		w->changed(w, s, key, info);
		lock_take(&ws->lock);
		if (--w->busy == 0 && w->leaving)
			waiter_list_wake(&observers_locked(ws)->leavers);
	}
	lock_drop(&ws->lock);
}

void store_observer_add(struct store *s, struct store_observer *w)
{
	struct store_observers *ws = s->observers;

	w->busy = 0;
	w->leaving = false;
	lock_take(&ws->lock);
	w->next = observers_locked(ws)->head;
	observers_locked(ws)->head = w;
	lock_drop(&ws->lock);
}

void store_observer_remove(struct store *s, struct store_observer *w)
{
	struct store_observers *ws = s->observers;
	struct store_observer **at;

	lock_take(&ws->lock);
	w->leaving = true;
	while (w->busy)
		waiter_list_sleep_uninterrupted(&observers_locked(ws)->leavers,
						&ws->lock, WAIT_FOREVER);
	for (at = &observers_locked(ws)->head; *at; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			break;
		}
	}
	lock_drop(&ws->lock);
}
