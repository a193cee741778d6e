/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every request must be before a handler sees it.
 */
#ifndef GATEWAY_REQUEST_FILTER_H
#define GATEWAY_REQUEST_FILTER_H

#include "gateway/exchange.h"
#include "gateway/route.h"

/* Sets x's origin fields, and answers when the request goes no further:
 * malformed, for another host, OPTIONS, a method that the route has not, a page
 * that may not. */
void request_filter(struct exchange *x, const struct route *r);

#endif
