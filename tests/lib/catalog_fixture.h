/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the catalog: every store that it opens is in memory, and
 * found here by its name.
 */
#ifndef TESTS_LIB_CATALOG_FIXTURE_H
#define TESTS_LIB_CATALOG_FIXTURE_H

#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "stage/catalog.h"
#include "memstore.h"

static struct store *storage, *external;

static inline int open_memory(const struct conn *conn, const char *name,
			      struct http_engine *engine, struct store **out,
			      struct buf *why)
{
	*out = memstore_new(name);
	*(strcmp(name, "storage") ? &external : &storage) = *out;
	return *out ? 0 : -ENOMEM;
}

static const struct conn storage_conn = {
	.url = (char *)"s3://bucket/root/",
	.s3.endpoint_url = (char *)"http://127.0.0.1:9000",
};
static const struct conn external_conn = {
	.url = (char *)"s3://other/data/",
	.s3.endpoint_url = (char *)"http://127.0.0.1:9000",
};
static const struct catalog_external externals[] = {
	{ "ext", &external_conn },
	{ "both", &external_conn },
};

/* One external stage, `ext`, and storage for the user root. */
static inline struct catalog *open_catalog(const struct conn *conn,
					   unsigned ttl)
{
	struct catalog_settings set = {
		.user = "root",
		.storage = conn,
		.external = externals,
		.n_external = 1,
		.metadata_ttl = ttl,
		.open = open_memory,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = NULL;

	storage = external = NULL;
	row_number("opened", catalog_new(&set, NULL, &c, &why), 0);
	buf_clear(&why);
	return c;
}

static inline void poke(const char *key)
{
	row_number(key, memstore_poke(storage, key, "x", 1), 0);
}

static inline int get(struct catalog *c, const char *name)
{
	struct stage *s;
	int rc = catalog_get(c, name, &s);

	if (!rc)
		stage_unref(s);
	return rc;
}

static inline int create(struct catalog *c, const char *name)
{
	struct stage *s;
	int rc = catalog_create(c, name, NULL, &s);

	if (!rc)
		stage_unref(s);
	return rc;
}

#endif
