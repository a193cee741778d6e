/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a gateway answers, or which other one answers for it.
 */
#ifndef GATEWAY_ADDRESS_H
#define GATEWAY_ADDRESS_H

struct address;
struct buf;
struct gateway;

/*
 * Binds and starts the server, or finds that a gateway of the same stores is at
 * the address already; then a thread waits to take over. g->set and g->counters
 * are there. inherited: sockets to use instead. 0, or -errno with why set.
 */
int address_settle(struct gateway *g, const int *inherited,
		   unsigned n_inherited, struct buf *why);
void address_origin(const struct gateway *g, struct buf *out);
/* Ends the waiting; the server, if there is one, stays. */
void address_leave(struct gateway *g);
void address_free(struct address *a); /* NULL is fine */

#endif
