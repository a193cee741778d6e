/*
 * What store.c tells the watchers of a store.
 */
#ifndef STORE_STORE_WATCH_H
#define STORE_STORE_WATCH_H

struct object_info;
struct store;
struct store_watchers;

struct store_watchers *store_watchers_new(void); /* NULL without memory */
void store_watchers_free(struct store_watchers *ws);

/* Calls each watcher, on this thread. info NULL: the object is gone. */
void store_announce(struct store *s, const char *key,
		    const struct object_info *info);

#endif
