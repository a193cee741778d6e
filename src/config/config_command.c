/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings after -o: the mount's keys, and those of one connection. A secret
 * is refused whatever its value, since a command line is open to others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/stage.h"

static bool command_sets_url(const struct config_request *r)
{
	for (unsigned i = 0; i < r->n_settings; i++)
		if (text_starts_with(r->settings[i], "url="))
			return true;
	return false;
}

/*
 * The connection that stage keys of -o are for: the stage that is the source,
 * or that of its URL, made now when -o gives its url, else [storage].
 */
static int command_conn(struct config_builder *b,
			const struct config_request *r, struct conn **conn,
			struct config_origin **origin)
{
	struct config *c = b->config;
	const char *stage = c->url_stage ? c->url_stage : r->stage;
	int i = stage ? config_builder_find_stage(c, stage) : -1, rc;

	if (i < 0 && r->stage && command_sets_url(r) &&
	    stage_name_valid(r->stage)) {
		rc = config_builder_add_stage(b, r->stage, FROM_COMMAND);
		if (rc)
			return rc;
		i = c->n_stages - 1;
	}
	if (i >= 0) {
		*conn = &c->stages[i].conn;
		*origin = &b->stages[i];
		return 0;
	}
	if (!c->has_storage) {
		c->has_storage = true;
		b->storage.section = FROM_COMMAND;
	}
	*conn = &c->storage;
	*origin = &b->storage;
	return 0;
}

static int command_refuse(const char *name, struct buf *why)
{
	if (config_foreign(name))
		return buf_fail(why, -EINVAL,
				"-o: unknown key %s; did you mean %s?", name,
				config_foreign(name));
	buf_adds(why, "-o: ");
	option_unknown(option_suggest(config_mount_options, name)
			       ? config_mount_options
			       : conn_options,
		       name, why);
	return -EINVAL;
}

static int command_check(const struct option *row, const char *name,
			 bool has_value, struct buf *why)
{
	if (row->flags & OPTION_NO_COMMAND)
		buf_addf(why,
			 "-o %s: a secret is not taken from a command "
			 "line, where others see it: put it in a file",
			 name);
	else if (!has_value && row->type != OPTION_BOOL)
		buf_addf(why, "-o %s: a value is missing", name);
	else
		return 0;
	return -EINVAL;
}

/* Where a setting goes, by its name. */
struct command_target {
	const struct option *table, *row;
	void *to;
	struct config_origin *origin;
};

static int command_find_target(struct config_builder *b,
			       const struct config_request *r, const char *name,
			       struct command_target *out, struct buf *why)
{
	struct conn *conn;
	int rc;

	out->table = config_mount_options;
	out->row = option_find(out->table, name);
	out->to = &b->config->mount;
	out->origin = &b->mount;
	if (out->row)
		return 0;
	out->table = conn_options;
	out->row = option_find(out->table, name);
	if (!out->row)
		return command_refuse(name, why);
	rc = command_conn(b, r, &conn, &out->origin);
	out->to = conn;
	return rc;
}

int config_command_take(struct config_builder *b,
			const struct config_request *r, const char *text,
			struct buf *why)
{
	size_t n = strcspn(text, "=");
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	MEM_LOCAL char *name = strndup(text, n);
	struct command_target t;
	int rc;

	if (!name)
		return -ENOMEM;
	rc = command_find_target(b, r, name, &t, why);
	if (!rc)
		rc = command_check(t.row, name, text[n], why);
	if (!rc) {
		t.origin->keys[option_index(t.table, t.row)] = FROM_COMMAND;
		rc = option_set(t.row, t.to, text[n] ? text + n + 1 : "yes",
				&detail);
		if (rc)
			buf_addf(why, "-o: %s", buf_str(&detail));
	}
	return rc;
}
