/*
 * What store.c tells the watchers of a store.
 */
#ifndef STORE_STORE_WATCH_H
#define STORE_STORE_WATCH_H

#include <stdbool.h>

struct object_info;
struct store;
struct store_watchers;

struct store_watchers *store_watchers_new(void); /* NULL without memory */
void store_watchers_free(struct store_watchers *ws);

/* Calls each watcher, on this thread. info NULL: the object is gone. */
void store_announce(struct store *s, const char *key,
		    const struct object_info *info);

/* Changes that the calling thread makes meanwhile are its own: a watcher that
 * asks with store_is_own() passes over them. May be nested. */
void store_own_begin(void);
void store_own_end(void);
bool store_is_own(void);

/* rc of a call to a store whose change is the caller's own. */
#define STORE_OWN(call) \
	({ \
		int own_err_; \
\
		store_own_begin(); \
		own_err_ = (call); \
		store_own_end(); \
		own_err_; \
	})

#endif
