/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ETags as an S3 store writes them, and as we keep them. Pure.
 */
#ifndef STORE_S3_S3_ETAG_H
#define STORE_S3_S3_ETAG_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

/*
 * An ETag as the store writes it, in the form we keep: quoted, and strong. ""
 * stays "". False when it does not fit or has a control byte: a hash of it
 * stands for it then, which can be compared and not be sent.
 */
bool s3_etag_keep(const char *text, size_t n, char out[STORE_ETAG_SIZE]);
bool s3_etag_is_hash(const char *etag);
/* An MD5 in hex, so that of the object's bytes if it has one part. */
bool s3_etag_is_md5(const char *etag);

#endif
