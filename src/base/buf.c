/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth moves the bytes to a new block and overwrites the old one, rather
 * than call realloc(): what a buffer held may be a secret, and buf_wipe() can
 * reach only the last block.
 *
 * Invariant: data is NULL, or cap > len and data[len] is NUL.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_init_on(struct buf *b, char *room, size_t size, size_t max)
{
	*room = '\0';
	*b = (struct buf){
		.data = room, .cap = size, .max = max, .fixed = true
	};
}

void buf_clear(struct buf *b)
{
	if (!b->fixed)
		free(b->data);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

void buf_reset(struct buf *b)
{
	b->rc = 0;
	buf_truncate(b, 0);
}

void buf_truncate(struct buf *b, size_t len)
{
	if (!b->data || len > b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

static size_t buf_next_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	return cap;
}

static bool buf_grow_more(struct buf *b, size_t n)
{
	size_t cap;
	char *data;

	if (b->rc)
		return false;
	if (n > b->max - b->len || n >= SIZE_MAX - b->len) {
		b->rc = -EMSGSIZE;
		return false;
	}
	cap = buf_next_cap(b, b->len + n + 1);
	data = malloc(cap);
	if (!data) {
		b->rc = -ENOMEM;
		return false;
	}
	if (b->data) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->cap);
		if (!b->fixed)
			free(b->data);
	}
	b->fixed = false;
	data[b->len] = '\0';
	b->data = data;
	b->cap = cap;
	return true;
}

/* Makes room for n bytes and the NUL. False once anything has failed. */
static inline bool buf_grow(struct buf *b, size_t n)
{
	if (!b->rc && n <= b->max - b->len && b->cap > b->len &&
	    n < b->cap - b->len)
		return true;
	return buf_grow_more(b, n);
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!n || !buf_grow(b, n))
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

int buf_fail(struct buf *b, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
	return rc;
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		if (!b->rc)
			b->rc = -errno;
		return;
	}
	if (!buf_grow(b, n))
		return;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += n;
}

char *buf_reserve(struct buf *b, size_t n)
{
	if (!buf_grow(b, n))
		return NULL;
	memset(b->data + b->len, 0, n + 1);
	return b->data + b->len;
}

int buf_err(const struct buf *b)
{
	return b->rc;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_detach(struct buf *b)
{
	char *s;
	int rc;

	if (!b->data)
		buf_grow(b, 0);
	s = b->data;
	if (b->fixed) {
		s = b->rc ? NULL : malloc(b->len + 1);
		if (s)
			memcpy(s, b->data, b->len + 1);
		else if (!b->rc)
			b->rc = -ENOMEM;
	}
	rc = b->rc;
	if (rc || b->fixed)
		buf_wipe(b);
	if (rc)
		s = NULL;
	buf_init(b, b->max);
	b->rc = rc;
	return s;
}
