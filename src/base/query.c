/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `a=b&c&d=`: a plus is a plus, for a signature is over it as it stands.
 */
#include "base/query.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define QUERY_MAX 262144

/* Offsets at first, for the arena moves. */
static int query_add_pair(struct query *q, const char *s, size_t n,
			  size_t at[QUERY_FIELDS_MAX][2])
{
	const char *equals = memchr(s, '=', n);
	size_t name = equals ? (size_t)(equals - s) : n;
	int rc;

	if (q->n == QUERY_FIELDS_MAX)
		return -E2BIG;
	if (!name)
		return -EINVAL;
	at[q->n][0] = q->arena.len;
	rc = text_percent_decode(&q->arena, s, name);
	buf_addc(&q->arena, '\0');
	at[q->n++][1] = q->arena.len;
	if (!rc && equals)
		rc = text_percent_decode(&q->arena, equals + 1, n - name - 1);
	buf_addc(&q->arena, '\0');
	return rc ? rc : buf_err(&q->arena);
}

int query_parse(struct query *q, const char *raw)
{
	size_t at[QUERY_FIELDS_MAX][2];
	int rc = 0;

	q->n = 0;
	buf_init(&q->arena, QUERY_MAX);
	if (raw && !*raw)
		raw = NULL;
	while (!rc && raw) {
		size_t n = strcspn(raw, "&");

		rc = query_add_pair(q, raw, n, at);
		raw = raw[n] ? raw + n + 1 : NULL;
	}
	if (rc)
		q->n = 0;
	for (size_t i = 0; i < q->n; i++)
		q->fields[i] = (struct field){
			q->arena.data + at[i][0],
			q->arena.data + at[i][1],
		};
	return rc;
}

void query_clear(struct query *q)
{
	buf_wipe(&q->arena);
	q->n = 0;
}

const char *query_get(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (!strcasecmp(q->fields[i].name, name))
			return q->fields[i].value;
	return NULL;
}
