/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway that answers for the URLs of a root.
 */
#ifndef STORE_LOCAL_LOCAL_ADDRESS_H
#define STORE_LOCAL_LOCAL_ADDRESS_H

#include "base/buf.h"

struct local;

/* SCHEME://HOST[:PORT] of a URL without a path. 0, or -EINVAL and why. */
int local_address_parse(const char *text, struct buf *out, struct buf *why);
/* The public endpoint's, else what the gateway wrote, else
 * `http://127.0.0.1:8000`. */
void local_address_origin(struct local *l, struct buf *out);

#endif
