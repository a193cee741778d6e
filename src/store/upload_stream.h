/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object on its way into a store, as its bytes come, in order and of a
 * length that is not known yet: whole or not at all.
 *
 * In a store of files it is written to a file without a name, which the store
 * then takes over: a disk is as fast as memory here. Elsewhere the bytes gather
 * in parts, in memory of the budget. What ends in its first part is one PUT,
 * else parts leave while the next are filled, a few at once.
 *
 * For whose bytes are in memory or in a file already, upload_parts.h is there.
 *
 * Threads: one thread calls, and may sleep in each call, for the store, for the
 * budget (add()), for parts that are under way (add(), finish(), free()).
 */
#ifndef STORE_UPLOAD_STREAM_H
#define STORE_UPLOAD_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct budget;
struct upload_stream;

struct upload_stream_settings {
	struct store *store; /* borrowed */
	const char *key;
	/* But for the content type all that it refers to is borrowed until the
	 * end. */
	struct store_meta meta;
	struct budget *budget;
	/* What this upload and others may hold of it together: an account
	 * beside it. NULL: all. */
	struct budget *share;
	uint64_t most; /* bytes that it can have; STORE_SIZE_UNKNOWN */
	uint64_t part_size; /* the stage's wish; 0: none */
	/* With the sender, which holds memory: beyond the slowest rate. */
	int64_t patience_ms;
};

/*
 * 0, or -errno of the store; of our own -EBUSY (no memory came free in time),
 * -EFBIG (larger than its parts in memory can be), -ETIME (bytes come too
 * slowly for the memory that they hold), -EINTR. After an error there is only
 * upload_stream_free().
 */
int upload_stream_open(const struct upload_stream_settings *set,
		       struct upload_stream **out);
int upload_stream_add(struct upload_stream *s, const void *bytes, size_t n);
/* It is whole: now it is in the store. cond and *out as store_put(). */
int upload_stream_finish(struct upload_stream *s, const struct store_cond *cond,
			 struct object_info *out);
/* What was not finished leaves nothing behind. NULL is fine. */
void upload_stream_free(struct upload_stream *s);

/* How large the parts are (store/parts.h), for at most `most` bytes; even: all
 * but the last of one length. Pure. -EFBIG. */
int upload_stream_part_size(uint64_t wish, uint64_t most, bool even,
			    uint64_t memory, uint64_t *out);

#endif
