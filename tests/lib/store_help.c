/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, objects and listings of a contract test's store.
 */
#include "store_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static char names[32][STORE_KEY_MAX + 64];
static unsigned next_name;

/* A key of this run; good for the next 31 calls. */
const char *key(struct contract *c, const char *name)
{
	char *out = names[next_name++ % 32];

	snprintf(out, sizeof(names[0]), "%s%s", c->prefix, name);
	return out;
}

struct object_info put(struct contract *c, const char *name, const char *text)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };
	struct object_info info;

	assert_int_equal(
		store_put(c->s, key(c, name), &body, NULL, NULL, &info), 0);
	return info;
}

int get(struct contract *c, const char *name, const char *etag, uint64_t offset,
	char *text, size_t len)
{
	size_t n = 0;
	int rc = store_get_sync(c->s, key(c, name), etag, offset, text, len - 1,
				&n, NULL);

	text[rc ? 0 : n] = '\0';
	return rc;
}

void assert_text(struct contract *c, const char *name, const char *want)
{
	char text[256];

	assert_int_equal(get(c, name, NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, want);
}

/* Listed names, with the run's prefix cut off, one a line. */
char *list(struct contract *c, const char *prefix, char delimiter,
	   unsigned page)
{
	struct list_query q = { .prefix = key(c, prefix),
				.delimiter = delimiter,
				.page = page,
				.ahead = true };
	struct buf out = BUF_INIT(1 << 20);
	struct store_list *l;
	struct list_entry e;
	int more;

	buf_adds(&out, "");
	assert_int_equal(store_list_open(c->s, &q, &l), 0);
	while ((more = store_list_next(l, &e)) == 1) {
		buf_addf(&out, "%s\n", e.key + strlen(c->prefix));
		if (!e.is_prefix)
			assert_true(e.info.etag[0] == '"');
	}
	assert_int_equal(more, 0);
	assert_int_equal(store_list_next(l, &e), 0);
	store_list_close(l);
	return out.len ? buf_detach(&out) : strdup("");
}

void assert_list(struct contract *c, const char *prefix, char delimiter,
		 unsigned page, const char *want)
{
	char *have = list(c, prefix, delimiter, page);

	assert_string_equal(have, want);
	free(have);
}

char *filled(size_t n, unsigned seed)
{
	char *p = malloc(n);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		p[i] = (char)(seed >> 16);
	}
	return p;
}

void assert_bytes(struct contract *c, const char *name, const char *want,
		  size_t n)
{
	char *have = malloc(n + 1);
	size_t got = 0;
	struct object_info info;

	assert_non_null(have);
	assert_int_equal(store_get_sync(c->s, key(c, name), NULL, 0, have,
					n + 1, &got, &info),
			 0);
	assert_int_equal(got, n);
	assert_int_equal(info.size, n);
	assert_true(memcmp(have, want, n) == 0);
	free(have);
}

int put_if(struct contract *c, const char *name, const char *text,
	   const struct store_cond *cond)
{
	struct store_body body = { .data = text,
				   .fd = -1,
				   .len = strlen(text) };

	return store_put(c->s, key(c, name), &body, NULL, cond, NULL);
}
