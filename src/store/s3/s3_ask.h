/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other ways to learn of one object than its HEAD.
 */
#ifndef STORE_S3_S3_ASK_H
#define STORE_S3_S3_ASK_H

#include "store/s3/s3_call.h"
#include "store/s3/s3_page.h"

/* The listing's entry for exactly this key. -ENOENT when it shows none; a
 * failure is not logged. */
int s3_ask_listed(struct s3 *s, const char *key, struct object_info *out);
/* Completes what a HEAD without a Content-Length has told. Logs a failure,
 * unless it is to be quiet. */
int s3_ask_size(struct s3 *s, const char *key, bool quiet,
		struct object_info *info);
/* LIST of the first name that begins so. */
void s3_ask_first(struct s3_call *c, struct s3 *s, const char *prefix,
		  struct s3_page *page);

#endif
