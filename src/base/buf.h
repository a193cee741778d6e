/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte string that grows, up to a limit that it learns at birth.
 *
 * Adding never fails in place: the first failure (-ENOMEM, or -EMSGSIZE past
 * the limit) sticks, later additions do nothing, and buf_err() tells at the
 * end. The bytes are always followed by a NUL that `len` does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/scope.h"

struct buf {
	char *data; /* NULL until the first byte: use buf_str() */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* largest len */
	int rc; /* the first failure, 0 or -errno */
	bool fixed; /* data is the caller's (buf_init_on()) */
};

#define BUF_INIT(max_) \
	{ \
		.max = (max_) \
	}

/* Of a block, and cleared or wiped where the block ends, whichever way. */
#define BUF_LOCAL __attribute__((cleanup(buf_clear))) struct buf
#define BUF_SECRET __attribute__((cleanup(buf_wipe))) struct buf

/* Limits for buffers whose contents come from outside. */
#define BUF_LINE 16384 /* a configuration line */
#define BUF_MESSAGE 4096 /* a sentence for a person */
#define BUF_URL 16384 /* a pre-signed URL */

void buf_init(struct buf *b, size_t max);
/*
 * The same, and the first bytes go to room of the caller's (size > 0), which
 * stays his: short strings cost no allocation. The room outlives b's use.
 */
void buf_init_on(struct buf *b, char *room, size_t size, size_t max);
void buf_clear(struct buf *b); /* frees; ready for use again */
void buf_wipe(struct buf *b); /* overwrites, then buf_clear() */
void buf_reset(struct buf *b); /* len = 0, rc = 0, memory kept */
void buf_truncate(struct buf *b, size_t len);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Adds why something failed. Returns rc. */
int buf_fail(struct buf *b, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Room for n more bytes, zeroed, to be counted by adding to len (at most n);
 * NULL on failure.
 */
char *buf_reserve(struct buf *b, size_t n);

int buf_err(const struct buf *b);
const char *buf_str(const struct buf *b); /* "" while empty */

/*
 * The string, which the caller frees; NULL after a failure, which buf_err()
 * still tells. b is empty, its bytes overwritten if they were not handed out.
 */
char *buf_detach(struct buf *b);

#endif
