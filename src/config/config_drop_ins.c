/*
 * Stages that statements made: files in stages.d, each one more [stage NAME].
 * One that is wrong costs its own stage, never the configuration.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/config_impl.h"
#include "stage/stage.h"

/* The folder's absolute path, though neither it nor its own may be there. */
static char *find_dir(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash ? strndup(file, slash - file + 1) : strdup("./");
	char *real = dir ? realpath(dir, NULL) : NULL;
	struct buf path = BUF_INIT(8192);

	buf_adds(&path, real ? real : dir ? dir : "");
	if (path.len && path.data[path.len - 1] != '/')
		buf_addc(&path, '/');
	buf_adds(&path, DROP_INS_DIR);
	free(real);
	free(dir);
	return buf_detach(&path);
}

static void show_place(const struct config_builder *b, const char *name,
		       struct buf *out)
{
	const struct config *c = b->config;
	int i = config_builder_find_stage(c, name);

	text_printable(out, c->drop_ins);
	buf_addf(out, "/%s.conf: [stage %s] is there a second time", name,
		 name);
	if (c->file) {
		buf_adds(out, " (first in ");
		text_printable(out, c->file);
		buf_addf(out, ":%u)", b->stages[i].section);
	}
	buf_addc(out, '\n');
}

/* What cannot be a stage of that name is a line of left_out. */
static int add_one(struct config_builder *b, struct drop_in *d,
		   struct buf *left_out)
{
	struct config *c = b->config;
	struct config_stage *to;
	int rc;

	if (!stage_name_valid(d->name)) {
		buf_addf(left_out, "%s\n", d->fault);
		return 0;
	}
	if (config_builder_find_stage(c, d->name) >= 0) {
		show_place(b, d->name, left_out);
		return 0;
	}
	rc = config_builder_add_stage(b, d->name, FROM_NOWHERE);
	if (rc)
		return rc;
	to = &c->stages[c->n_stages - 1];
	option_clear(conn_options, &to->conn);
	to->conn = d->conn;
	to->fault = d->fault;
	to->drop_in = true;
	d->conn = (struct conn){ 0 };
	d->fault = NULL;
	return 0;
}

int config_drop_ins_read(struct config_builder *b, const char *place,
			 struct buf *err)
{
	struct buf left_out = BUF_INIT(DROP_INS_MAX * BUF_MESSAGE);
	struct config *c = b->config;
	struct drop_ins read = { 0 };
	int rc;

	c->drop_ins = find_dir(place);
	if (!c->drop_ins)
		return -ENOMEM;
	drop_ins_stamp(c->drop_ins, &c->stamp);
	rc = drop_ins_read(c->drop_ins, &read, err);
	for (unsigned i = 0; i < read.n && !rc; i++)
		rc = add_one(b, &read.list[i], &left_out);
	if (read.left_out)
		buf_addf(&left_out, "%s: %u files more than %u are left out\n",
			 c->drop_ins, read.left_out, DROP_INS_MAX);
	if (!rc && left_out.len && !(c->left_out = buf_detach(&left_out)))
		rc = -ENOMEM;
	buf_clear(&left_out);
	drop_ins_clear(&read);
	return rc;
}
