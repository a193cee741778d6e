/*
 * What every request must be before a handler sees it.
 */
#ifndef GATEWAY_ADMIT_H
#define GATEWAY_ADMIT_H

#include "gateway/exchange.h"
#include "gateway/routes.h"

/* Sets x's origin fields, and answers when the request goes no further:
 * malformed, for another host, OPTIONS, a method that the route has not, a page
 * that may not. */
void admit(struct exchange *x, const struct route *r);

#endif
