/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An S3 store, and what is known of it at this moment: what the settings say,
 * and what its answers have taught. Nothing here asks it.
 */
#ifndef STORE_S3_S3_STATE_H
#define STORE_S3_S3_STATE_H

#include "auth/signer.h"
#include "base/buf.h"
#include "base/lock.h"
#include "net/http_engine.h"
#include "store/s3/s3.h"
#include "store/s3/s3_clock.h"
#include "store/s3/s3_endpoint.h"

/* What a store does not know, or demands (s3_lack.h), and what else is
 * found out once. */
enum s3_lack {
	S3_LACKS_ABSENT = 1, /* If-None-Match on a write */
	S3_LACKS_MATCH = 2, /* If-Match on a write */
	S3_LACKS_CHECKSUM = 4, /* x-amz-checksum-* */
	S3_WANTS_MD5 = 8, /* Content-MD5 with a PUT */
	S3_LACKS_UPLOAD_TAGS = 16, /* of the beginning of an upload */
	S3_HAS_UPLOAD_TAGS = 32, /* nothing is lacking: it was looked at */
	S3_LACKS_BATCH = 64, /* DeleteObjects */
	S3_LACKS_ORDER = 128, /* listings are not sorted */
	S3_LACKS_ETAGS = 256, /* listings have others than objects */
	S3_LACKS_LISTING = 512, /* the keys may not list, which was said */
	S3_WANTS_BARE_ETAG = 1024, /* If-Match of a write without quotes, as
				      was found out, or is likely */
	S3_LACKS_ENCODING = 2048, /* encoding-type of a listing */
	S3_LACKS_COPY_TAGS = 4096, /* of a copy that gets other headers */
	S3_HAS_COPY_TAGS = 8192, /* as S3_HAS_UPLOAD_TAGS */
	S3_LACKS_UNEVEN = 16384, /* parts of several lengths */
	/* Nothing is lacking: conditions that few stores know are heeded, or
	 * not, as its answers have shown (s3_heed.h). */
	S3_HEEDS_COPY = 32768,
	S3_HEEDS_REMOVE = 65536,
	S3_HEEDS_REMOVE_NOT = 131072,
	/* The answer to a copy has told that it lost no encryption; the copy of
	 * an object did, which was not asked for before. */
	S3_COPIES_KEEP = 262144,
	S3_COPIES_LOSE = 524288,
	S3_WANTS_QUOTED_ETAG = 1048576, /* and S3_WANTS_BARE_ETAG was wrong */
};

/* What an attempt can be made without. */
#define S3_LACKS_OF_CALL (S3_LACKS_CHECKSUM | S3_LACKS_ENCODING)

/* Are names percent-encoded where a listing does not say so? */
enum s3_silent { S3_SILENT_UNKNOWN, S3_SILENT_PLAIN, S3_SILENT_ENCODED };

struct s3_locked {
	char region[S3_REGION_SIZE];
	bool guessed; /* ... and no server has said yet that it is that */
	struct s3_clock clock;
	enum s3_silent silent; /* names of pages that do not say */
	unsigned generation; /* grows when the region or the time of requests
				changes */
	unsigned lacks; /* of enum s3_lack */
	bool heard; /* an answer has said which server it may be */
	struct creds *refused; /* the server does not take these */
	struct s3_plain *plain; /* s3_plain.h; NULL: none yet */
};

/* What the settings say of objects that are made, each a header (s3_made.h). */
enum s3_made {
	S3_MADE_CLASS,
	S3_MADE_SSE,
	S3_MADE_SSE_KEY, /* for the one above alone */
	S3_MADE_SSE_CONTEXT, /* the same */
	S3_MADE_ACL,
	S3_MADE_TAGGING,
	S3_MADE_KEY_ALGORITHM, /* a key of ours, which no server keeps */
	S3_MADE_KEY,
	S3_MADE_KEY_MD5,
	S3_MADE,
};

struct s3 {
	struct store base;
	struct http_lane *lane;
	struct signer *signer;
	struct s3_endpoint io, public;
	enum s3_checksum checksum;
	char *made[S3_MADE]; /* values; "" none */
	bool requester_pays;
	struct lock lock;
	struct s3_locked guarded_;
};

static inline struct s3 *s3_of(struct store *s)
{
	return (struct s3 *)s;
}

LOCK_GUARDS(s3_locked, s3, s3_locked);

/* What a request is signed with at this moment. */
struct s3_sign_ctx {
	char region[S3_REGION_SIZE];
	int64_t skew_s; /* of requests: the store's time minus ours */
	int64_t off_s; /* of URLs: the same where it is worth a word, or 0 */
	unsigned generation;
	unsigned lacks;
	bool guessed;
};
void s3_state_sign_ctx(struct s3 *s, struct s3_sign_ctx *out);
/* A server took what was signed for that generation's region. */
void s3_state_confirm_region(struct s3 *s, unsigned generation);
bool s3_state_lacks(struct s3 *s, unsigned which);
/* It is so from now on: those that were not known. */
unsigned s3_state_learn(struct s3 *s, unsigned which);

#endif
