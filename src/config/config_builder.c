/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration as it is filled, whatever fills it: the file, the folder of
 * drop-ins or the command line. A drop-in that is wrong costs its own stage,
 * never the configuration.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/stage.h"

#define URL_NAME_MAX 200 /* bytes of a stage's name that its URL gives */

int config_builder_find_stage(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_stages; i++)
		if (!strcmp(c->stages[i].name, name))
			return i;
	return -1;
}

int config_builder_find_user(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_users; i++)
		if (!strcmp(c->users[i].name, name))
			return i;
	return -1;
}

int config_builder_add_stage(struct config_builder *b, const char *name,
			     uint32_t line)
{
	struct config *c = b->config;
	struct config_stage *s;

	if (ARRAY_RESERVE(c->stages, b->cap_stages, c->n_stages + 1) ||
	    ARRAY_RESERVE(b->stages, b->cap_stage_origins, c->n_stages + 1))
		return -ENOMEM;
	b->stages[c->n_stages].section = line;
	s = &c->stages[c->n_stages];
	s->name = strdup(name);
	if (!s->name)
		return -ENOMEM;
	c->n_stages++;
	return option_defaults(conn_options, &s->conn);
}

int config_builder_add_user(struct config_builder *b, const char *name,
			    uint32_t line)
{
	struct config *c = b->config;
	struct config_user *u;

	if (ARRAY_RESERVE(c->users, b->cap_users, c->n_users + 1) ||
	    ARRAY_RESERVE(b->users, b->cap_user_origins, c->n_users + 1))
		return -ENOMEM;
	b->users[c->n_users].section = line;
	u = &c->users[c->n_users];
	u->name = strdup(name);
	if (!u->name)
		return -ENOMEM;
	c->n_users++;
	return option_defaults(config_user_options, u);
}

/* ---- the stage of a URL ---- */

/* What the name is made of: `s3://`'s bucket, `fs://`'s last directory. */
static void builder_url_word(const char *url, const char **from, size_t *n)
{
	const char *path = strstr(url, "://") + 3;
	size_t len = strlen(path);

	if (*path != '/') {
		*from = path;
		*n = strcspn(path, "/");
		return;
	}
	while (len && path[len - 1] == '/')
		len--;
	*n = 0;
	while (*n < len && path[len - *n - 1] != '/')
		++*n;
	*from = path + len - *n;
}

/* Letters and digits stay; it is no name that the file has. */
void config_url_name(const struct config *c, const char *url, struct buf *out)
{
	const char *from;
	size_t n;

	builder_url_word(url, &from, &n);
	if (n && text_is_digit(*from))
		buf_addc(out, '_');
	for (size_t i = 0; i < n && i < URL_NAME_MAX; i++)
		buf_addc(out, text_is_alpha(from[i]) || text_is_digit(from[i])
				      ? from[i]
				      : '_');
	while (!buf_err(out) &&
	       (!stage_name_valid(buf_str(out)) ||
		config_builder_find_stage(c, buf_str(out)) >= 0))
		buf_addc(out, '_');
}

int config_builder_add_url(struct config_builder *b, const char *url)
{
	BUF_LOCAL name = BUF_INIT(255), place = BUF_INIT(BUF_URL);
	struct config *c = b->config;
	int rc;

	config_url_name(c, url, &name);
	buf_addf(&place, "%s%s", url, text_ends_with(url, "/") ? "" : "/");
	rc = buf_err(&name) ? buf_err(&name) : buf_err(&place);
	if (!rc)
		rc = config_builder_add_stage(b, buf_str(&name), FROM_SOURCE);
	if (!rc) {
		struct config_stage *s = &c->stages[c->n_stages - 1];

		rc = conn_set(&s->conn, "url", buf_str(&place));
		b->stages[c->n_stages - 1].keys[option_index(
			conn_options, option_find(conn_options, "url"))] =
			FROM_SOURCE;
		c->url_stage = s->name;
	}
	return rc;
}

/* ---- stages that statements made: each file one more ---- */

/* The folder's absolute path, though neither it nor its own may be there. */
static char *builder_drop_ins_dir(const char *file)
{
	const char *slash = strrchr(file, '/');
	MEM_LOCAL char *dir =
		slash ? strndup(file, slash - file + 1) : strdup("./");
	MEM_LOCAL char *real = dir ? realpath(dir, NULL) : NULL;
	struct buf path = BUF_INIT(8192);

	buf_adds(&path, real ? real : dir ? dir : "");
	if (path.len && path.data[path.len - 1] != '/')
		buf_addc(&path, '/');
	buf_adds(&path, DROP_INS_DIR);
	return buf_detach(&path);
}

static void builder_drop_ins_twice(const struct config_builder *b,
				   const char *name, struct buf *out)
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
static int builder_drop_ins_add(struct config_builder *b, struct drop_in *d,
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
		builder_drop_ins_twice(b, d->name, left_out);
		return 0;
	}
	rc = config_builder_add_stage(b, d->name, FROM_NOWHERE);
	if (rc)
		return rc;
	to = &c->stages[c->n_stages - 1];
	conn_clear(&to->conn);
	to->conn = d->conn;
	to->fault = d->fault;
	to->drop_in = true;
	d->conn = (struct conn){ 0 };
	d->fault = NULL;
	return 0;
}

int config_builder_drop_ins(struct config_builder *b, const char *place,
			    struct buf *why)
{
	BUF_LOCAL left_out = BUF_INIT(DROP_INS_MAX * BUF_MESSAGE);
	struct config *c = b->config;
	struct drop_ins read = { 0 };
	int rc;

	c->drop_ins = builder_drop_ins_dir(place);
	if (!c->drop_ins)
		return -ENOMEM;
	drop_ins_stamp(c->drop_ins, &c->stamp);
	rc = drop_ins_read(c->drop_ins, &read, why);
	for (unsigned i = 0; i < read.n && !rc; i++)
		rc = builder_drop_ins_add(b, &read.list[i], &left_out);
	if (read.left_out)
		buf_addf(&left_out, "%s: %u files more than %u are left out\n",
			 c->drop_ins, read.left_out, DROP_INS_MAX);
	if (!rc && left_out.len && !(c->left_out = buf_detach(&left_out)))
		rc = -ENOMEM;
	drop_ins_clear(&read);
	return rc;
}
