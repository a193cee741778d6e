/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes in the metadata of an object, in the form of s3fs-fuse:
 * one header, whose value is the percent-encoded JSON object of names and
 * values in Base64. Pure.
 */
#ifndef STORE_XATTRS_H
#define STORE_XATTRS_H

#include "store/props.h"

struct buf;

#define XATTRS_HEADER PROP_META "xattr"

/* Whether the name must not be there yet, or must. */
enum xattrs_how { XATTRS_ANY, XATTRS_CREATE, XATTRS_REPLACE };

/* Appends the value. 0, -ENODATA, -EIO (the header is of another form) or
 * -ENOMEM. */
int xattrs_get(const struct props *p, const char *name, struct buf *out);
/* value NULL removes. 0, -EEXIST, -ENODATA, -EINVAL (the name is no UTF-8),
 * -E2BIG, -EIO or -ENOMEM. */
int xattrs_set(struct props *p, const char *name, const void *value, size_t n,
	       enum xattrs_how how);
/* Appends the names, each with its NUL. 0, -EIO or -ENOMEM. */
int xattrs_list(const struct props *p, struct buf *out);

#endif
