/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage has already where files are put: by a listing for all of them
 * instead of a question for each. One thread.
 */
#ifndef TRANSFER_TRANSFER_INDEX_H
#define TRANSFER_TRANSFER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct object_info;
struct store;
struct transfer_index;

/* What is known of a key. */
enum transfer_there {
	TRANSFER_ASK, /* nothing: ask for it */
	TRANSFER_ABSENT,
	TRANSFER_THERE,
};

struct transfer_index *transfer_index_new(struct store *s);
void transfer_index_free(struct transfer_index *x); /* NULL is fine */

/*
 * Lists the keys that begin with prefix ("" or with a `/` at its end), those
 * below further directories when deep, unless that was done before; most: as
 * many, then the rest is to be asked for. 0, also where the store cannot be
 * listed: nothing is known then. -EINTR, -ENOMEM. Blocks.
 */
int transfer_index_list(struct transfer_index *x, const char *prefix, bool deep,
			uint64_t most);

/* TRANSFER_THERE: size and ETag in *out. x NULL: nothing is known. */
enum transfer_there transfer_index_find(const struct transfer_index *x,
					const char *key,
					struct object_info *out);

#endif
