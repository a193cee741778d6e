/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that cannot be opened: the wrapper refuses every call that would
 * reach it, so its vtable has only what tells of it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/store.h"

struct broken {
	struct store store; /* first */
	char *url, *why;
};

static void broken_free(struct store *s)
{
	struct broken *b = (struct broken *)s;

	store_fini(s);
	free(b->url);
	free(b->why);
	free(b);
}

static int broken_check(struct store *s, const char *prefix, struct buf *why)
{
	buf_adds(why, ((const struct broken *)s)->why);
	return s->broken;
}

static void broken_locate(struct store *s, const char *key, struct buf *out)
{
	buf_adds(out, ((const struct broken *)s)->url);
	buf_adds(out, key);
}

static void broken_md5(struct store *s, const struct object_info *info,
		       struct buf *out)
{
}

static const struct store_ops broken_ops = {
	.kind = "broken",
	.free = broken_free,
	.check = broken_check,
	.locate = broken_locate,
	.md5 = broken_md5,
};

int store_broken_new(const char *name, const char *url, int rc, const char *why,
		     struct store **out)
{
	struct broken *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (!b)
		return -ENOMEM;
	if (store_init(&b->store, &broken_ops, name)) {
		free(b);
		return -ENOMEM;
	}
	b->store.broken = rc == -ENOENT ? -ENODEV : rc;
	b->url = strdup(url);
	b->why = strdup(why);
	/* What a local store would say: nothing is refused for its size. */
	b->store.limits = (struct store_limits){
		.put_max = INT64_MAX,
		.part_min = 1,
		.parts_max = 10000,
		.object_max = INT64_MAX,
		.presign = true,
		.files = true,
	};
	if (!b->url || !b->why) {
		broken_free(&b->store);
		return -ENOMEM;
	}
	*out = &b->store;
	return 0;
}
