/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both lists, headers and query parameters, are brought to their canonical
 * spelling first and sorted after, for the order is that of the encoded bytes.
 * The spellings stand one after the other in one buffer ("arena"), each with
 * its NUL; since the buffer moves as it grows, a pair holds offsets until all
 * are in it, and pointers from then on.
 *
 * Everything that could end a line is refused here, so that no value can pass
 * for another header or for the hash behind it.
 */
#include "sign/sigv4_canonical.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

/* The caller's, host, and the parameters that signing adds. */
#define PAIRS_MAX (SIGV4_FIELDS_MAX + 8)

struct pair {
	size_t name_at, value_at;
	const char *name, *value;
	size_t order;
};

struct pairs {
	struct pair list[PAIRS_MAX];
	size_t n;
	struct buf arena;
	char room[1024]; /* the arena's, while that is enough */
};

static void canonical_pairs_init(struct pairs *p)
{
	p->n = 0;
	buf_init_on(&p->arena, p->room, sizeof(p->room), CANONICAL_MAX);
}

static int canonical_compare_pairs(const void *left, const void *right,
				   bool by_value)
{
	const struct pair *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (!order && by_value)
		order = strcmp(a->value, b->value);
	if (!order)
		order = a->order < b->order ? -1 : a->order > b->order;
	return order;
}

static int canonical_compare_headers(const void *a, const void *b)
{
	return canonical_compare_pairs(a, b, false);
}

static int canonical_compare_parameters(const void *a, const void *b)
{
	return canonical_compare_pairs(a, b, true);
}

static int canonical_pairs_sort(struct pairs *p,
				int (*compare)(const void *, const void *))
{
	int rc = buf_err(&p->arena);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->n; i++) {
		p->list[i].name = p->arena.data + p->list[i].name_at;
		p->list[i].value = p->arena.data + p->list[i].value_at;
		p->list[i].order = i;
	}
	for (size_t i = 1; i < p->n; i++) {
		if (compare(&p->list[i - 1], &p->list[i]) > 0) {
			qsort(p->list, p->n, sizeof(p->list[0]), compare);
			break;
		}
	}
	return 0;
}

static bool canonical_is_token(const char *s)
{
	return *s && !s[text_token_len(s)];
}

static void canonical_add_lower(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_addc(out, text_lower(*s));
}

/* Trimmed, runs of white space as one space. 0, or -EINVAL. */
static int canonical_add_header_value(struct buf *out, const char *s)
{
	bool gap = false, any = false;

	for (; *s; s++) {
		if (text_is_blank(*s)) {
			gap = any;
			continue;
		}
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return -EINVAL;
		if (gap)
			buf_addc(out, ' ');
		buf_addc(out, *s);
		gap = false;
		any = true;
	}
	return 0;
}

static int canonical_pairs_add_header(struct pairs *p, const char *name,
				      const char *value)
{
	struct pair *pair = &p->list[p->n++];
	int rc;

	if (!canonical_is_token(name))
		return -EINVAL;
	pair->name_at = p->arena.len;
	canonical_add_lower(&p->arena, name);
	buf_addc(&p->arena, '\0');
	pair->value_at = p->arena.len;
	rc = canonical_add_header_value(&p->arena, value);
	buf_addc(&p->arena, '\0');
	return rc;
}

static void canonical_join_headers(const struct pairs *p, struct buf *lines,
				   struct buf *names)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct pair *pair = &p->list[i];

		if (i && !strcmp(pair[-1].name, pair->name)) {
			buf_addc(lines, ',');
		} else {
			if (i) {
				buf_addc(lines, '\n');
				buf_addc(names, ';');
			}
			buf_adds(names, pair->name);
			buf_adds(lines, pair->name);
			buf_addc(lines, ':');
		}
		buf_adds(lines, pair->value);
	}
	buf_addc(lines, '\n');
}

int sigv4_canonical_headers(const struct sigv4_request *request,
			    struct buf *lines, struct buf *names)
{
	struct pairs p;
	int rc = -EINVAL;

	canonical_pairs_init(&p);
	if (!request->host || !*request->host ||
	    request->n_headers > SIGV4_FIELDS_MAX)
		goto out;
	rc = canonical_pairs_add_header(&p, "host", request->host);
	for (size_t i = 0; !rc && i < request->n_headers; i++) {
		const struct field *h = &request->headers[i];

		rc = canonical_pairs_add_header(&p, h->name, h->value);
		if (!rc && !strcasecmp(h->name, "host"))
			rc = -EINVAL;
	}
	if (!rc)
		rc = canonical_pairs_sort(&p, canonical_compare_headers);
	if (rc)
		goto out;
	canonical_join_headers(&p, lines, names);
	rc = buf_err(lines) ? buf_err(lines) : buf_err(names);
out:
	buf_wipe(&p.arena);
	return rc;
}

int sigv4_canonical_query(const struct field *query, size_t n, struct buf *out)
{
	struct pairs p;
	int rc;

	if (n > PAIRS_MAX)
		return -EINVAL;
	canonical_pairs_init(&p);
	for (; p.n < n; p.n++) {
		const struct field *f = &query[p.n];

		p.list[p.n].name_at = p.arena.len;
		text_percent_encode(&p.arena, f->name, strlen(f->name), false);
		buf_addc(&p.arena, '\0');
		p.list[p.n].value_at = p.arena.len;
		text_percent_encode(&p.arena, f->value, strlen(f->value),
				    false);
		buf_addc(&p.arena, '\0');
	}
	rc = canonical_pairs_sort(&p, canonical_compare_parameters);
	for (size_t i = 0; !rc && i < n; i++) {
		buf_adds(out, i ? "&" : "");
		buf_adds(out, p.list[i].name);
		buf_addc(out, '=');
		buf_adds(out, p.list[i].value);
	}
	if (!rc)
		rc = buf_err(out);
	buf_wipe(&p.arena);
	return rc;
}

/* Visible ASCII without what would end the path. */
static bool canonical_is_wire_path(const char *s)
{
	for (; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f || *s == '?' || *s == '#')
			return false;
	return true;
}

int sigv4_canonical_request_of(const struct sigv4_request *request,
			       const char *lines, const char *names,
			       const struct buf *query, struct buf *out)
{
	const char *hash = request->payload_hash;
	const char *pieces[] = { "\n", lines, "\n", names, "\n", NULL };

	pieces[5] = hash ? hash : SIGV4_UNSIGNED_PAYLOAD;
	if (!canonical_is_token(request->method) ||
	    !canonical_is_token(pieces[5]) ||
	    !canonical_is_wire_path(request->path))
		return -EINVAL;
	buf_adds(out, request->method);
	buf_addc(out, '\n');
	buf_adds(out, *request->path ? request->path : "/");
	buf_addc(out, '\n');
	buf_add(out, buf_str(query), query->len);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		buf_adds(out, pieces[i]);
	return buf_err(out);
}

int sigv4_canonical_request(const struct sigv4_request *request,
			    const char *lines, const char *names,
			    const struct field *query, size_t n_query,
			    struct buf *out)
{
	BUF_SECRET text = BUF_INIT(CANONICAL_MAX);
	int rc = sigv4_canonical_query(query, n_query, &text);

	return rc ? rc
		  : sigv4_canonical_request_of(request, lines, names, &text,
					       out);
}
