/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP gateway: pre-signed URLs of local stages, the upload API, health and
 * metrics (docs/gateway.md). In the mounting daemon, or alone (`stagefs
 * serve`).
 *
 * It answers on threads of its own, one for each connection, in straight-line
 * code; every limit is in struct gateway_settings.
 */
#ifndef GATEWAY_SERVICE_GATEWAY_H
#define GATEWAY_SERVICE_GATEWAY_H

#include <stdbool.h>

#include "gateway/settings.h"

struct buf;
struct catalog;
struct gateway;

/*
 * Checks, binds, and answers from then on. 0, or -errno with why set:
 * -EINVAL a setting, -EADDRINUSE, -EACCES. The catalog outlives it. Threads
 * start here: after the fork.
 */
int gateway_new(const struct gateway_settings *set, struct catalog *catalog,
		struct gateway **out, struct buf *why);
/* `http://127.0.0.1:8000`: the first address that it answers at. */
void gateway_origin(const struct gateway *g, struct buf *out);
/* Takes no more connections and lets requests under way end, at most so many
 * seconds: true when they have. May be called again. */
bool gateway_stop(struct gateway *g, unsigned seconds);
/* NULL is fine. Ends what is still under way. */
void gateway_free(struct gateway *g);

#endif
