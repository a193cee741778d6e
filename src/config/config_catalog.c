/*
 * From a configuration to the stages that it describes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"

static void log_left_out(const struct config *c)
{
	for (const char *p = c->left_out; p && *p; p += strcspn(p, "\n") + 1)
		log_warn("a stage of the folder is left out: %.*s",
			 (int)strcspn(p, "\n"), p);
}

int config_catalog(const struct config *c, struct http_engine *engine,
		   struct catalog **out, struct buf *err)
{
	struct catalog_external *external =
		calloc(c->n_stages + 1, sizeof(*external));
	const struct catalog_settings set = {
		.user = c->mount.user,
		.storage = c->has_storage ? &c->storage : NULL,
		.external = external,
		.n_external = c->n_stages,
		.metadata_ttl = c->mount.metadata_ttl,
		.drop_ins = c->drop_ins,
		.stamp = c->stamp,
		.deadline_max = c->deadline_max,
		.open = conn_open,
	};
	int rc;

	if (!external)
		return -ENOMEM;
	log_left_out(c);
	for (unsigned i = 0; i < c->n_stages; i++)
		external[i] = (struct catalog_external){
			c->stages[i].name,
			&c->stages[i].conn,
			c->stages[i].drop_in,
			c->stages[i].fault,
		};
	rc = catalog_new(&set, engine, out, err);
	free(external);
	return rc;
}
