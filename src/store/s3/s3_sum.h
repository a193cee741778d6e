/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of what is sent; each reads the body once.
 */
#ifndef STORE_S3_S3_SUM_H
#define STORE_S3_S3_SUM_H

#include "base/digest.h"
#include "store/store.h"

#define S3_MD5_TEXT 32 /* base64 */

int s3_sum_digest(const struct store_body *body, enum digest_kind kind,
		  unsigned char out[SHA256_SIZE]);
int s3_sum_crc32c(const struct store_body *body, uint32_t *out);
int s3_sum_md5(const struct store_body *body, unsigned char out[MD5_SIZE]);
/* As Content-MD5 has it. */
int s3_sum_md5_text(const struct store_body *body, char out[S3_MD5_TEXT]);

#endif
