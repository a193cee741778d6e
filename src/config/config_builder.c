/*
 * A configuration as it is filled, whatever fills it: the file, its drop-ins
 * or the command line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/config_impl.h"

int config_builder_find_stage(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_stages; i++)
		if (!strcmp(c->stages[i].name, name))
			return i;
	return -1;
}

int config_builder_add_stage(struct config_builder *b, const char *name,
			     uint32_t line)
{
	struct config *c = b->config;
	unsigned n = c->n_stages;
	struct config_stage *stages =
		realloc(c->stages, (n + 1) * sizeof(*stages));
	struct config_origin *origins;

	if (!stages)
		return -ENOMEM;
	c->stages = stages;
	origins = realloc(b->stages, (n + 1) * sizeof(*origins));
	if (!origins)
		return -ENOMEM;
	b->stages = origins;
	stages[n] = (struct config_stage){ .name = strdup(name) };
	origins[n] = (struct config_origin){ .section = line };
	if (!stages[n].name)
		return -ENOMEM;
	c->n_stages++;
	return option_defaults(conn_options, &stages[n].conn);
}

void config_builder_unknown(const struct option *table, const char *name,
			    struct buf *err)
{
	const char *near = option_suggest(table, name);

	buf_adds(err, "unknown key ");
	text_printable(err, name);
	if (near)
		buf_addf(err, "; did you mean %s?", near);
}
