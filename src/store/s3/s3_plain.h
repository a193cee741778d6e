/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects are as this store makes new ones: with the storage class and
 * the encryption of its settings, and of one PUT's size. A copy of one need not
 * ask what is to be said of it. What is remembered for an hour is some thousand
 * of the objects that were put or copied here, by hashes; one that is forgotten
 * is asked for.
 *
 * Some of them are bare: they have no header but the type that their name
 * stands for and attributes (attr_meta.h), so that a change of these need not
 * ask for the headers either.
 */
#ifndef STORE_S3_S3_PLAIN_H
#define STORE_S3_S3_PLAIN_H

#include "store/s3/s3_state.h"

/* An object was made so, of that ETag and size. */
void s3_plain_note(struct s3 *s, const char *key,
		   const struct object_info *info);
/* It is there, or was there already, and is bare, or is not. */
void s3_plain_note_bare(struct s3 *s, const char *key,
			const struct object_info *info, bool bare);
/* Has an object of that key these headers when it is bare? */
bool s3_plain_is_bare(struct s3 *s, const char *key,
		      const struct store_meta *meta);
/* Is that one? Its size then. */
bool s3_plain_find(struct s3 *s, const char *key, const char *etag,
		   uint64_t *size);

#endif
