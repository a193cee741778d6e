/*
 * The pieces of memory that a file's parts are filled in. intake_parts.c's.
 *
 *   EMPTY -> FILLING -> SENT -> BACK -> EMPTY -> ...
 *
 * BACK is what the store's thread says; everything else happens on the
 * intake's own thread.
 */
#ifndef GATEWAY_UPLOAD_INTAKE_PIECE_H
#define GATEWAY_UPLOAD_INTAKE_PIECE_H

#include "base/lock.h"
#include "gateway/upload/intake_parts.h"
#include "store/parts.h"
#include "store/store.h"

#define PIECES_MAX 4

enum piece_state { EMPTY, FILLING, SENT, BACK };

struct piece {
	struct store_part part;
	struct intake_parts *owner;
	enum piece_state state; /* under the owner's lock */
	int err; /* BACK: how it went */
	char *bytes;
	size_t size, len;
};

struct parts_locked {
	struct waiter *waiter; /* who waits for pieces to come back */
};

struct intake_parts {
	struct budget *budget;
	struct store *store;
	char *key, *content_type;
	uint64_t most, part_size;
	struct lock lock;
	struct parts_locked guarded_;
	struct piece pieces[PIECES_MAX];
	struct piece *filling; /* NULL: none */
	int64_t patience_ms;
	int64_t since_ms; /* when it was taken */
	struct part_range range; /* of what is filled, or will be */
	struct store_upload *upload; /* NULL: all fitted so far */
	struct store_part_done *done;
	unsigned n_done, room;
};

/* A piece for p->range, as p->filling. 0, or as upload_sink_open(). */
int piece_take(struct intake_parts *p);
/* p->filling leaves, as the part of p->range; p->filling is NULL then. */
void piece_send(struct intake_parts *p);
/* Until at most so many are under way. 0, or the first failure of any. */
int piece_wait(struct intake_parts *p, unsigned most);
/* All back, by force. */
void piece_cancel_all(struct intake_parts *p);
/* The memory; none is under way. */
void piece_free_all(struct intake_parts *p);

#endif
