/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores that object paths name: those on local disks, by the name of their
 * section of the configuration.
 */
#ifndef GATEWAY_STORES_H
#define GATEWAY_STORES_H

#include <stdbool.h>

struct gateway;
struct store;

struct stores_entry {
	struct store *store; /* a reference */
	char *prefix; /* of the keys that are a stage's: "" or ends in '/' */
	bool ro;
};

/*
 * name: the first segment of a path. No request to any store. -ENOENT: no store
 * on a local disk has that name. stores_entry_clear() after success.
 */
int stores_find(struct gateway *g, const char *name, struct stores_entry *out);
void stores_entry_clear(struct stores_entry *e);

/* Each of them; non-zero ends the walk and is returned. */
int stores_each(struct gateway *g,
		int (*each)(void *arg, const char *name, struct store *s),
		void *arg);

#endif
