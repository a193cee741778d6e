/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of one upload: which of them the store has, and which are on their
 * way. What an object of more than one part is made by; upload_stream.h stands
 * on it, for callers that have the bytes in order and nowhere else.
 *
 *   NONE -> SENDING -> SENT     the store has the part
 *                   -> NONE     it failed, or was stale by then
 *
 * Bytes are not copied: a part is sent from the caller's memory or file, which
 * stay as they are until it has ended. As many are on their way as fit in the
 * width; the store itself holds no memory for them, so a caller whose parts are
 * of the budget's memory gives it back in ended().
 *
 * Threads: one at a time sends, waits and completes, the upload's owner (the
 * thread that has an open file's turn, or that serves a request). It sleeps in
 * send(), copy(), wait(), wait_part(), recall(), complete() and abort(), and
 * may hold no lock there. copy() may be called by several threads. The others
 * never sleep, and may be called by any thread, also under a lock of the
 * caller's: the lock here is a leaf. ended() comes on a thread of the store's,
 * perhaps before send() has returned, and holds nothing.
 */
#ifndef STORE_UPLOAD_PARTS_H
#define STORE_UPLOAD_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct upload_parts;

struct upload_part {
	unsigned number; /* from 1 */
	uint64_t offset; /* where it stands in the object */
	struct store_body body;
	/*
	 * The store does not look at the body any more: rc is what became of
	 * the part. Once for each part that was sent, before it counts as
	 * ended: a wait for the upload's parts is a wait for this as well.
	 * NULL: the body is the caller's, which may want it back
	 * (upload_parts_recall()).
	 */
	void (*ended)(void *arg, int rc);
	void *arg;
};

/* What is on its way, and how often a part has ended so far. */
struct upload_parts_count {
	unsigned sending;
	unsigned owned; /* those of them that have ended() */
	unsigned ended;
};

/*
 * Begins an upload of key, of which at most `width` parts are on their way at
 * once. 0, or as store_upload_open().
 */
int upload_parts_open(struct store *s, const char *key,
		      const struct store_meta *meta, unsigned width,
		      struct upload_parts **out);
/*
 * The same with an upload that was begun before: of its parts those are there
 * for which keep() says 1; 0: it is to be sent again, -errno: that ends it.
 * 0, or as store_upload_resume().
 */
int upload_parts_resume(struct store *s, const struct store_pending *pending,
			unsigned width,
			int (*keep)(void *arg,
				    const struct store_part_there *part),
			void *arg, struct upload_parts **out);
/* None is on its way. What was neither completed nor aborted stays with the
 * store. NULL is fine. */
void upload_parts_free(struct upload_parts *p);
/* The upload itself, for its key and its id. */
struct store_upload *upload_parts_upload(struct upload_parts *p);

/* Memory to know of so many parts; then nothing below is -ENOMEM for them. */
int upload_parts_reserve(struct upload_parts *p, unsigned n);
/*
 * Sends a part when there is room: the number may have been sent before, but
 * is not on its way (upload_parts_wait_part()). 0, or -EINTR or -ENOMEM:
 * ended() is not called then. What it fails with is upload_parts_error()'s.
 */
int upload_parts_send(struct upload_parts *p, const struct upload_part *part);
/* A part from a range of an object that is there, by the server: 0 when the
 * store has it; else as store_part_copy(). */
int upload_parts_copy(struct upload_parts *p, unsigned number, uint64_t offset,
		      const struct store_range *from);

/* Until at most so many are on their way. 0 or -EINTR. */
int upload_parts_wait(struct upload_parts *p, unsigned most);
/* Until another one has ended than the first `ended`. 0 or -EINTR. */
int upload_parts_wait_next(struct upload_parts *p, unsigned ended);
/* Until that one is not on its way. 0 or -EINTR. */
int upload_parts_wait_part(struct upload_parts *p, unsigned number);

struct upload_parts_count upload_parts_count(struct upload_parts *p);
/* Is it on its way, be it stale or not? */
bool upload_parts_is_sending(struct upload_parts *p, unsigned number);
/* Has the store the part as it is now, or will it have, if nothing fails? */
bool upload_parts_has(struct upload_parts *p, unsigned number);
/* The first that a part has failed with (but those that were stale), which is
 * kept, or forgotten. */
int upload_parts_error(struct upload_parts *p, bool forget);
/* What was sent of the parts first .. last is not the content any more. */
void upload_parts_stale(struct upload_parts *p, unsigned first, unsigned last);
/* Ends those without ended(): their bytes may change afterwards. Whatever
 * interrupts the caller. */
void upload_parts_recall(struct upload_parts *p);

/* Ends all parts, whatever interrupts the caller: the upload stays, to be gone
 * on with. */
void upload_parts_stop(struct upload_parts *p);

/*
 * The object is there, of the parts 1 .. n. 0, -EAGAIN (the store lacks some),
 * or as store_upload_complete(). After an error it may be tried again.
 */
int upload_parts_complete(struct upload_parts *p, unsigned n,
			  const struct store_cond *cond,
			  struct object_info *out);
/* Ends all parts, and the upload leaves nothing behind: 0, or what the store
 * says. An interrupt that came before does not keep it from that. */
int upload_parts_abort(struct upload_parts *p);

#endif
