/*
 * The stores that object paths name: those on local disks, by the name of their
 * section of the configuration.
 */
#ifndef GATEWAY_STORES_H
#define GATEWAY_STORES_H

#include <stdbool.h>

struct gateway;
struct store;

/*
 * name: the first segment of a path. With a reference; ro: its stage is. No
 * request to any store. -ENOENT: no store on a local disk has that name.
 */
int stores_find(struct gateway *g, const char *name, struct store **out,
		bool *ro);

/* Each of them; non-zero ends the walk and is returned. */
int stores_each(struct gateway *g,
		int (*each)(void *arg, const char *name, struct store *s),
		void *arg);

#endif
