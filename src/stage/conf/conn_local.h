/*
 * What connection settings are for a directory of this machine. For conn*.c.
 */
#ifndef STAGE_CONF_CONN_LOCAL_H
#define STAGE_CONF_CONN_LOCAL_H

#include "stage/conf/conn.h"

/* `url = ...: why`; returns -EINVAL. */
int conn_refuse_url(const char *url, const char *why, struct buf *err);

/* conn_location() of an fs:// URL: 0 and root and prefix, -EINVAL or -ENOMEM. */
int conn_local_place(const char *url, struct conn_location *out,
		     struct buf *err);
/* No key that only a server has a use for: 0 or -EINVAL, why in err. */
int conn_local_check(const struct conn *c, struct buf *err);
/* conn_keys() of a directory. 0 or -errno. */
int conn_local_keys(const char *root, const char *below, struct buf *out);

#endif
