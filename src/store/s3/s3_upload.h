/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A multipart upload of the S3 store, shared by the files that work on one.
 */
#ifndef STORE_S3_S3_UPLOAD_H
#define STORE_S3_S3_UPLOAD_H

#include "store/s3/s3_call.h"

/* What is known of a part that this handle has put there. */
struct s3_part_record {
	uint64_t len;
	uint32_t crc32c;
	bool known, has_crc;
};

struct s3_upload_locked {
	struct s3_part_record *records; /* by number - 1 */
	size_t n;
	/* Of the object that stands at its key, of which parts were copied:
	 * whether it still is that one is looked at when it is completed. "" */
	char source[STORE_ETAG_SIZE];
};

struct s3_upload {
	struct store_upload base;
	char *id;
	struct s3_by_url *by; /* its parts go so; borrowed, or NULL */
	char *tags; /* with which it has begun; NULL: none */
	struct lock lock;
	struct s3_upload_locked guarded_;
};

LOCK_GUARDS(s3_upload_locked, s3_upload, s3_upload_locked);

static inline struct s3_upload *s3_upload_of(struct store_upload *u)
{
	return (struct s3_upload *)u;
}

/* 0 or -ENOMEM. */
int s3_upload_record_part(struct s3_upload *u, unsigned number,
			  const struct s3_part_record *record);

/*
 * Once the object is there: sees to it that it has these tags (NULL: none),
 * which it was to have of the server. The lack of a server that forgets them,
 * and what is noted of one that does not.
 */
void s3_tags_hold(struct s3 *s, const char *key, const char *tags,
		  unsigned lack, unsigned has);

/* x-amz-copy-source: /bucket/key, encoded; the bucket is from's. */
void s3_part_source(struct s3_call *c, const struct s3 *from, const char *key,
		    const char *etag);
/* PUT with x-amz-copy-source and a range. */
void s3_part_copy_call(struct s3_call *c, struct s3_upload *u, unsigned number,
		       const struct s3 *from, const struct store_range *range,
		       struct s3_result_doc *out);
/* After it has succeeded: notes the part and fills *done. */
int s3_part_copied(struct s3_call *c, struct s3_upload *u,
		   const struct http_reply *reply, uint64_t len,
		   struct store_part_done *done);

#endif
