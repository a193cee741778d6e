/*
 * What store.c tells the observers of a store.
 */
#ifndef STORE_STORE_OBSERVER_H
#define STORE_STORE_OBSERVER_H

#include <stdbool.h>

struct object_info;
struct store;
struct store_observers;

struct store_observers *store_observer_list_new(void); /* NULL without memory */
void store_observer_list_free(struct store_observers *ws);

/* Calls each observer, on this thread. info NULL: the object is gone. */
void store_observer_tell(struct store *s, const char *key,
			 const struct object_info *info);

/* Changes that the calling thread makes meanwhile are its own: a observer that
 * asks with store_observer_is_own() passes over them. May be nested. */
void store_observer_own_begin(void);
void store_observer_own_end(void);
bool store_observer_is_own(void);

/* rc of a call to a store whose change is the caller's own. */
#define STORE_OWN(call) \
	({ \
		int own_err_; \
\
		store_observer_own_begin(); \
		own_err_ = (call); \
		store_observer_own_end(); \
		own_err_; \
	})

#endif
