/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three lines: a mark with a version, `done size`, the ETag. Whatever does not
 * read back whole is no state, and the download begins anew.
 */
#include "transfer/transfer_state.h"

#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"

#define MARK "stagefs-get 1"

void transfer_state_write(const struct transfer_state *s, struct buf *out)
{
	buf_addf(out, MARK "\n%llu %llu\n%s\n", (unsigned long long)s->done,
		 (unsigned long long)s->size, s->etag);
}

/* The bytes up to `end`, which is passed. */
static bool state_field(const char **p, const char *text_end, char end,
			const char **out, size_t *n)
{
	const char *at = memchr(*p, end, text_end - *p);

	if (!at)
		return false;
	*out = *p;
	*n = at - *p;
	*p = at + 1;
	return true;
}

bool transfer_state_read(const char *text, size_t n, struct transfer_state *out)
{
	const char *end = text + n, *p = text, *at;
	size_t len;

	*out = (struct transfer_state){ 0 };
	if (!state_field(&p, end, '\n', &at, &len) || len != strlen(MARK) ||
	    memcmp(at, MARK, len))
		return false;
	if (!state_field(&p, end, ' ', &at, &len) ||
	    parse_u64n(at, len, UINT64_MAX, &out->done))
		return false;
	if (!state_field(&p, end, '\n', &at, &len) ||
	    parse_u64n(at, len, UINT64_MAX, &out->size))
		return false;
	if (!state_field(&p, end, '\n', &at, &len) ||
	    len >= sizeof(out->etag) || memchr(at, '\0', len))
		return false;
	memcpy(out->etag, at, len);
	return !text_has_control(out->etag);
}

uint64_t transfer_state_resume(const struct transfer_state *saved,
			       uint64_t part_bytes,
			       const struct object_info *now)
{
	uint64_t at = number_min(saved->done, part_bytes);

	if (!*saved->etag || at > saved->size)
		return 0;
	if (*now->etag && strcmp(now->etag, saved->etag))
		return 0;
	if (now->size != TRANSFER_UNKNOWN && now->size != saved->size)
		return 0;
	/* All is there, but perhaps of another version by now: a byte is
	 * left to ask for. */
	if (at && at == saved->size && !*now->etag)
		at--;
	return at;
}

bool transfer_state_md5(const char *etag, char hex[33], unsigned *parts)
{
	const char *p = etag + (*etag == '"');
	size_t n = strspn(p, "0123456789abcdef");
	uint64_t count = 0;

	if (n != 32)
		return false;
	memcpy(hex, p, 32);
	hex[32] = '\0';
	p += 32;
	if (*p == '-') {
		n = strspn(p + 1, "0123456789");
		if (parse_u64n(p + 1, n, 10000, &count) || !count)
			return false;
		p += 1 + n;
	}
	*parts = (unsigned)count;
	return !p[*p == '"'];
}
