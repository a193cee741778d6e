/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 store: any server that speaks S3 and verifies Signature Version 4.
 */
#ifndef STORE_S3_S3_H
#define STORE_S3_S3_H

#include <stdbool.h>

#include "store/store.h"

struct http_lane;
struct cred_cache;
struct signer;

enum s3_checksum {
	S3_CHECKSUM_CRC32C,
	S3_CHECKSUM_SHA256,
	S3_CHECKSUM_MD5,
	S3_CHECKSUM_NONE
};

#define S3_CUSTOMER_KEY 32

/* Strings are copied; NULL or "" where not given. */
struct s3_settings {
	const char *name; /* the stage's, for the log */
	const char *endpoint_url; /* where I/O goes */
	const char *public_endpoint_url; /* what URLs are signed for;
						   NULL: endpoint_url */
	const char *region; /* NULL: found out, else us-east-1 */
	const char *bucket;
	bool virtual_host; /* bucket.endpoint, else endpoint/bucket */
	bool public_virtual_host; /* the same, for the URLs */
	enum s3_checksum upload_checksum;
	const char *storage_class, *sse, *sse_kms_key_id, *acl, *tagging;
	const char *sse_kms_context; /* JSON */
	const char *sse_customer_key; /* S3_CUSTOMER_KEY bytes in Base64 */
	bool requester_pays;
	bool types, attributes; /* as struct store's */
	bool disk_cache; /* what is read may be kept on a disk */
};

/*
 * Takes over lane and signer, in failure too. *out has one reference. 0,
 * -EINVAL (a URL that cannot be; why says it) or -ENOMEM. No I/O.
 *
 * Each call ends within the lane's deadline, but what the server copies or puts
 * together by itself: an attempt at that may go on once it is under way
 * (net/http_flow.c).
 */
int s3_new(const struct s3_settings *set, struct http_lane *lane,
	   struct signer *signer, struct store **out, struct buf *why);

/* Signs with other credentials from here on; takes over the cache. 0 or
 * -ENOMEM, and the cache is the caller's. */
int s3_set_creds(struct store *store, struct cred_cache *creds);

#endif
