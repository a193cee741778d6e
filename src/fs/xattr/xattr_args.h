/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of an extended attribute's name: what follows its `?`. Pure.
 *
 *   user.presign.upload?expire=600&content_type=text/csv&path=a b&c.csv
 *
 * Values are literal bytes, nothing is decoded. path= takes all that follows,
 * and is refused with a further argument at its end: that belongs in front of
 * it. literal_path= is a name that ends so. An argument that is unknown,
 * repeated, or has no value is refused.
 */
#ifndef FS_XATTR_XATTR_ARGS_H
#define FS_XATTR_XATTR_ARGS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define XATTR_NAME_SIZE 256 /* the kernel's longest name, with its NUL */

struct xattr_args {
	int64_t expire; /* 0: not given */
	const char *content_type; /* NULL: not given; in `bytes` */
	const char *path; /* NULL: not given; in `bytes` */
	char bytes[XATTR_NAME_SIZE];
};

/*
 * text: what follows the `?`. expire_max: the longest that is allowed. 0,
 * -EINVAL, or -ERANGE for a text that is too long. A path has only components
 * that a directory can show: it cannot leave where it starts.
 */
int xattr_args_parse(const char *text, int64_t expire_max,
		     struct xattr_args *out);

/* A text that was refused for an argument behind the path: appends the right
 * form. False: it was not for that. */
bool xattr_args_explain(const char *text, struct buf *out);

#endif
