/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks of keys.
 */
#ifndef STORE_LOCAL_LOCAL_LOCK_H
#define STORE_LOCAL_LOCAL_LOCK_H

struct local;

/* No other thread of any process changes what is at these keys (two NULL: one).
 * A file descriptor, to be closed; -ETIMEDOUT, -EINTR ... */
int local_lock_keys(struct local *l, const char *one, const char *two);

#endif
