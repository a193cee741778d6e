/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <stdio.h>
#include <stdlib.h>

#define HELD_MAX 16

static const char *const lock_names[] = {
#define LOCK_RANK(rank, name) name,
	LOCK_RANKS(LOCK_RANK)
#undef LOCK_RANK
};

static __thread const struct lock *lock_held[HELD_MAX];
static __thread unsigned lock_n_held;

void lock_check_take(const struct lock *l)
{
	for (unsigned i = 0; i < lock_n_held; i++) {
		const struct lock *held = lock_held[i];

		if (held->rank < l->rank)
			continue;
		fprintf(stderr, "lock: `%s` is taken while `%s` is held\n",
			lock_names[l->rank], lock_names[held->rank]);
		abort();
	}
	if (lock_n_held == HELD_MAX) {
		fprintf(stderr, "lock: more than %d are held\n", HELD_MAX);
		abort();
	}
	lock_held[lock_n_held++] = l;
}

void lock_check_drop(const struct lock *l)
{
	for (unsigned i = lock_n_held; i--;) {
		if (lock_held[i] != l)
			continue;
		for (lock_n_held--; i < lock_n_held; i++)
			lock_held[i] = lock_held[i + 1];
		return;
	}
}
