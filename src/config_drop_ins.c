/*
 * Stages that statements made: files in stages.d, each one more [stage NAME].
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config_impl.h"

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

static int add_one(struct config_builder *b, struct drop_in *d, struct buf *err)
{
	struct config *c = b->config;
	int i = config_find_stage(c, d->name), rc;

	if (i >= 0) {
		text_printable(err, c->drop_ins);
		buf_addf(err, "/%s.conf: [stage %s] is there a second time",
			 d->name, d->name);
		if (c->file) {
			buf_adds(err, " (first in ");
			text_printable(err, c->file);
			buf_addf(err, ":%u)", b->stages[i].section);
		}
		return -EINVAL;
	}
	rc = config_add_stage(b, d->name, FROM_NOWHERE);
	if (rc)
		return rc;
	option_clear(conn_options, &c->stages[c->n_stages - 1].conn);
	c->stages[c->n_stages - 1].conn = d->conn;
	c->stages[c->n_stages - 1].drop_in = true;
	d->conn = (struct conn){ 0 };
	return 0;
}

int config_read_drop_ins(struct config_builder *b, const char *place,
			 struct buf *err)
{
	struct config *c = b->config;
	struct drop_ins read = { 0 };
	int rc;

	c->drop_ins = find_dir(place);
	if (!c->drop_ins)
		return -ENOMEM;
	drop_ins_stamp(c->drop_ins, &c->stamp);
	rc = drop_ins_read(c->drop_ins, &read, err);
	for (unsigned i = 0; i < read.n && !rc; i++)
		rc = add_one(b, &read.list[i], err);
	drop_ins_clear(&read);
	return rc;
}
