/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing in a stage changes after stage_new() but the count, so any thread
 * reads it without a lock. The last reference frees it and gives the store's
 * back.
 */
#include "stage/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "stage/location.h"
#include "store/store.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

/* What Databend's HTTP service and grammar use themselves. */
static const char *const reserved[] = {
	"v1", "health", "metrics", "storage", NULL,
};

bool stage_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > NAME_BYTES_MAX || !strchr(ALPHA, name[0]))
		return false;
	if (strspn(name, ALPHA "$0123456789") != len)
		return false;
	for (const char *const *r = reserved; *r; r++)
		if (!strcmp(name, *r))
			return false;
	return strcasecmp(name, "_databend_load") != 0;
}

struct stage *stage_new(const char *name, enum stage_kind kind,
			struct store *store, const char *prefix, bool ro,
			uint64_t part_size)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = strdup(name);
	s->prefix = strdup(prefix);
	s->kind = kind;
	s->ro = ro;
	s->part_size = part_size;
	s->refs = 1;
	s->store = store_ref(store);
	if (s->name && s->prefix)
		return s;
	stage_unref(s);
	return NULL;
}

struct stage *stage_ref(struct stage *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void stage_unref(struct stage *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	store_unref(s->store);
	free(s->name);
	free(s->prefix);
	free(s);
}

int stage_key(const struct stage *s, const char *path, struct buf *out)
{
	size_t before = out->len;
	int rc;

	buf_adds(out, s->prefix);
	buf_adds(out, path);
	rc = buf_err(out);
	return rc == -EMSGSIZE || (!rc && out->len - before > STORE_KEY_MAX)
		       ? -ENAMETOOLONG
		       : rc;
}
