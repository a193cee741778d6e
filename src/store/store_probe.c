/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each step is a request whose answer a server may get wrong without a word: a
 * condition that does not hold must fail, names must be listed as they are.
 * What is refused in words the store learns by itself.
 */
#include "store/store_probe.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "store/store.h"

#define OBJECTS 2

struct probe {
	struct store *s;
	struct buf begin; /* of both keys */
	struct buf keys[OBJECTS];
	struct object_info first;
	unsigned ignores; /* STORE_IGNORES_* */
	struct buf *why;
};

static int probe_name(struct probe *p, const char *prefix)
{
	char name[17];

	random_hex(name, sizeof(name) / 2);
	buf_addf(&p->begin, "%s.stagefs-check-%s", prefix, name);
	/* What a listing may have to encode. */
	buf_addf(&p->keys[0], "%s a+b%%41", buf_str(&p->begin));
	buf_addf(&p->keys[1], "%s&", buf_str(&p->begin));
	return buf_err(&p->keys[0]) ? buf_err(&p->keys[0])
				    : buf_err(&p->keys[1]);
}

static int probe_put(struct probe *p, int i, const struct store_cond *cond)
{
	static const struct store_body body = { .data = "x",
						.fd = -1,
						.len = 1 };
	struct object_info info;
	int rc =
		store_put(p->s, buf_str(&p->keys[i]), &body, NULL, cond, &info);

	if (!rc && !i)
		p->first = info;
	return rc;
}

/* A condition that does not hold: 0 when that is what comes of it. */
static int probe_refused(struct probe *p, const struct store_cond *cond,
			 int wanted, unsigned ignores)
{
	int rc = probe_put(p, 0, cond);

	if (!rc)
		p->ignores |= ignores;
	return rc == wanted ? 0 : rc;
}

static int probe_write(struct probe *p)
{
	static const struct store_cond absent = { .if_absent = true };
	static const struct store_cond other = {
		.if_match = "\"00000000000000000000000000000000\""
	};
	struct store_cond same = { .if_match = p->first.etag };
	int rc = probe_put(p, 0, &absent);

	if (!rc)
		rc = probe_refused(p, &absent, -EEXIST, STORE_IGNORES_ABSENT);
	if (!rc)
		rc = probe_refused(p, &other, -ESTALE, STORE_IGNORES_MATCH);
	if (!rc)
		rc = probe_put(p, 0, &same);
	if (!rc)
		rc = probe_put(p, 1, &absent);
	if (rc)
		buf_addf(p->why, "cannot be written: %s",
			 store_error_words(p->s, rc));
	return rc;
}

/* Both must be there under their names. */
static int probe_list(struct probe *p)
{
	const struct list_query q = { .prefix = buf_str(&p->begin) };
	struct store_list *l;
	struct list_entry e;
	unsigned found = 0;
	int rc = store_list_open(p->s, &q, &l);

	if (rc == -EACCES) /* it need not be allowed */
		return 0;
	if (!rc) {
		while ((rc = store_list_next(l, &e)) > 0)
			for (int i = 0; i < OBJECTS; i++)
				found += !strcmp(e.key, buf_str(&p->keys[i]));
		store_list_close(l);
	}
	if (rc == -EACCES)
		return 0;
	if (rc)
		buf_addf(p->why, "cannot be listed: %s",
			 store_error_words(p->s, rc));
	else if (found != OBJECTS)
		buf_adds(p->why, "a listing does not show what was written "
				 "just before");
	return rc ? rc : found == OBJECTS ? 0 : -EIO;
}

static int probe_remove(struct probe *p)
{
	const char *keys[OBJECTS] = { buf_str(&p->keys[0]),
				      buf_str(&p->keys[1]) };
	int results[OBJECTS];
	int rc = store_remove_many(p->s, keys, OBJECTS, results);

	for (int i = 0; i < OBJECTS; i++)
		if (results[i] && !p->why->len)
			buf_addf(p->why, "%s cannot be removed: %s", keys[i],
				 store_error_words(p->s, results[i]));
	return rc;
}

int store_probe(struct store *s, const char *prefix, struct buf *says,
		struct buf *why)
{
	struct probe p = { .s = s, .why = why };
	int rc, rm;

	buf_init(&p.begin, STORE_KEY_MAX);
	for (int i = 0; i < OBJECTS; i++)
		buf_init(&p.keys[i], STORE_KEY_MAX);
	rc = probe_name(&p, prefix);
	if (!rc) {
		rc = probe_write(&p);
		if (!rc)
			rc = probe_list(&p);
		/* Also what a step that failed has left. */
		rm = p.first.etag[0] || !rc ? probe_remove(&p) : 0;
		if (!rc)
			rc = rm;
	}
	if (!rc)
		store_known(s, p.ignores, says);
	for (int i = 0; i < OBJECTS; i++)
		buf_clear(&p.keys[i]);
	buf_clear(&p.begin);
	return rc;
}
