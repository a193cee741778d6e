/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External stages come and go with the folder of drop-ins, so a name is looked
 * up in the catalog each time; internal ones lie under `storage`.
 */
#include "gateway/stores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/context.h"
#include "stage/catalog.h"
#include "store/local/local.h"

#define STORAGE "storage"

static int stores_give(struct store *s, const char *prefix, bool ro,
		       struct stores_entry *out)
{
	*out = (struct stores_entry){ .prefix = strdup(prefix), .ro = ro };
	if (!out->prefix)
		return -ENOMEM;
	out->store = store_ref(s);
	return 0;
}

int stores_find(struct gateway *g, const char *name, struct stores_entry *out)
{
	struct store *s = catalog_storage(g->catalog);
	STAGE_LOCAL *stage = NULL;
	int rc = -ENOENT;

	if (!strcmp(name, STORAGE))
		return s && local_is(s)
			       ? stores_give(s,
					     catalog_storage_prefix(g->catalog),
					     false, out)
			       : -ENOENT;
	/* Asking for any other name could cost a request, and the client need
	 * not be known yet. */
	if (!catalog_is_external(g->catalog, name) ||
	    catalog_get(g->catalog, name, &stage))
		return -ENOENT;
	if (stage->kind == STAGE_EXTERNAL && local_is(stage->store))
		rc = stores_give(stage->store, stage->prefix, stage->ro, out);
	return rc;
}

void stores_entry_clear(struct stores_entry *e)
{
	if (e->store)
		store_unref(e->store);
	free(e->prefix);
	*e = (struct stores_entry){ 0 };
}

int stores_each(struct gateway *g,
		int (*each)(void *arg, const char *name, struct store *s),
		void *arg)
{
	struct store *s = catalog_storage(g->catalog);
	unsigned n = catalog_n_external(g->catalog);
	int rc = s && local_is(s) ? each(arg, STORAGE, s) : 0;

	for (unsigned i = 0; !rc && i < n; i++) {
		struct stage *stage = catalog_external(g->catalog, i);

		if (local_is(stage->store))
			rc = each(arg, stage->name, stage->store);
	}
	return rc;
}
