/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databend's rules: a location is a prefix of keys, so @s/ab has ab.csv and
 * ab/c; the file that has exactly that name comes whatever the pattern says;
 * directories and their markers are no files. One page of the listing is in
 * memory at a time.
 */
#include "client/walk.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "client/failure.h"
#include "client/pattern.h"
#include "stage/stage.h"
#include "store/store.h"

/* 1: wanted, 0: not, -errno. */
static int walk_is_wanted(const struct walk *w, size_t listed,
			  const struct list_entry *e)
{
	const char *rest = e->key + listed;
	size_t len = strlen(e->key);

	if (e->is_prefix != (w->one_level && e->key[len - 1] == '/') ||
	    len <= strlen(w->stage->prefix))
		return 0;
	if (e->key[len - 1] == '/' && !w->markers && !e->is_prefix)
		return 0;
	if (!*rest || !w->pattern)
		return 1;
	return pattern_match(w->pattern, rest);
}

static int walk_list(const struct walk *w, size_t listed,
		     struct store_list *list, struct failure *f)
{
	size_t skip = strlen(w->stage->prefix);
	struct list_entry e;
	int rc;

	while ((rc = store_list_next(list, &e)) > 0) {
		int wanted = walk_is_wanted(w, listed, &e);

		if (wanted < 0)
			return failure_set(
				f, CODE_BAD_ARGUMENTS, wanted,
				"the pattern tries too much on one of the "
				"names");
		rc = wanted ? w->each(w->arg, &e, e.key + skip, f) : 0;
		if (rc)
			return rc;
	}
	if (!rc && list->lost)
		return failure_set(
			f, CODE_STORAGE, -EILSEQ,
			"%u files have names that the store cannot list",
			list->lost);
	return rc ? failure_store(f, w->stage->store, w->stage->prefix, rc) : 0;
}

int walk_files(const struct walk *w, struct failure *f)
{
	BUF_LOCAL prefix = BUF_INIT(STORE_KEY_MAX);
	struct list_query query = { .ahead = true };
	STORE_LIST_LOCAL *list = NULL;
	int rc;

	rc = stage_key(w->stage, w->path, &prefix);
	query.prefix = buf_str(&prefix);
	query.delimiter = w->one_level ? '/' : 0;
	if (rc) {
		failure_set(f, CODE_BAD_ARGUMENTS, rc, "%s", strerror(-rc));
		return rc;
	}
	rc = store_list_open(w->stage->store, &query, &list);
	if (rc) {
		failure_store(f, w->stage->store, w->stage->prefix, rc);
		return rc;
	}
	return walk_list(w, prefix.len, list, f);
}
