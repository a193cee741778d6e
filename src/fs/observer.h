/*
 * The file system listens to the stores that it shows: what another front end
 * of this process changes there (the gateway) is in the tree at once, and the
 * kernel is told (inval_queue.h).
 *
 * What the mount changes itself it tells the tree itself, in its own order, so
 * its calls to a store are STORE_OWN() (store/store_observer.h).
 */
#ifndef FS_OBSERVER_H
#define FS_OBSERVER_H

struct fs;
struct store;
struct observer;

struct observer *observer_new(struct fs *fs); /* NULL without memory */
/* No callback comes any more. Before the tree goes. NULL is fine. */
void observer_free(struct observer *w);
/* Listens to that store from now on, unless it does already. Stores that have
 * no other reference are let go. Without memory it is tried the next time. */
void observer_watch(struct observer *w, struct store *s);

#endif
