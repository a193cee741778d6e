/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store turns out not to know, or to demand (enum s3_lack).
 */
#ifndef STORE_S3_S3_LACK_H
#define STORE_S3_S3_LACK_H

#include <string.h>

#include "base/text.h"
#include "store/s3/s3_call.h"

/* It is so: the log says it once. */
void s3_lack_note(struct s3 *s, unsigned which);
/* The same for parts of several lengths, which callers have to know of. */
void s3_lack_note_uneven(struct s3 *s);
/* Appends `; the store ...` for each. */
void s3_lack_show(struct s3 *s, struct buf *out);
/* What a store lacks that does not know this condition; 0: none is given. */
static inline unsigned s3_lack_of_cond(const struct store_cond *cond)
{
	if (cond && cond->if_match)
		return S3_LACKS_MATCH;
	return cond && cond->if_absent ? S3_LACKS_ABSENT : 0;
}
static inline bool s3_lack_is_checksum(const char *header)
{
	return text_starts_with(header, "x-amz-checksum-") ||
	       text_starts_with(header, "x-amz-sdk-checksum-");
}
static inline bool s3_lack_is_encoding(const char *parameter)
{
	return !strcmp(parameter, "encoding-type");
}
/* An attempt's refusal: HTTP_AGAIN when the next one does without what may
 * have been refused. call->uncond: that may have been its condition;
 * call->too_uneven: its parts' lengths. */
enum http_verdict s3_lack_judge(struct s3_call *c,
				const struct http_reply *reply);
/* The call has succeeded: what it did without is lacking. The first answer of a
 * server also tells whether it is one that wants ETags without quotes. */
void s3_lack_learn(struct s3_call *c, const struct http_reply *reply);

#endif
