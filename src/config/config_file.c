/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each section may be there once, and an empty one counts. Where the keys of
 * the one that was begun last go is kept in the builder. Whatever is wrong ends
 * the reading; config_read() throws away what was built.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/stage.h"

/* ---- sections ---- */

static int file_refuse_twice(const char *section, uint32_t first,
			     struct buf *why)
{
	return buf_fail(why, -EINVAL,
			"[%s] is there a second time (first in line %u)",
			section, first);
}

/* [stagefs] and [storage]. */
static int file_begin_once(struct config_builder *b, const char *section,
			   uint32_t line, struct buf *why)
{
	bool mount = !strcmp(section, "stagefs");
	struct config_origin *o = mount ? &b->mount : &b->storage;
	struct config *c = b->config;

	if (o->section)
		return file_refuse_twice(section, o->section, why);
	o->section = line;
	c->has_storage = c->has_storage || !mount;
	b->at.table = mount ? config_mount_options : conn_options;
	b->at.target = mount ? (void *)&c->mount : &c->storage;
	b->at.lines = o->keys;
	return 0;
}

static int file_begin_stage(struct config_builder *b, const char *section,
			    uint32_t line, struct buf *why)
{
	const char *name = section + strlen("stage ");
	int i = config_builder_find_stage(b->config, name), rc;

	if (i >= 0)
		return file_refuse_twice(section, b->stages[i].section, why);
	if (!stage_name_valid(name)) {
		buf_adds(why, "[stage ");
		text_printable(why, name);
		return buf_fail(
			why, -EINVAL,
			"]: a stage's name has letters, digits, _ and $, "
			"begins with a letter or _, and is none of v1, "
			"health, metrics, storage");
	}
	rc = config_builder_add_stage(b, name, line);
	i = (int)b->config->n_stages - 1;
	if (!rc)
		b->at = (struct ini_section){ conn_options,
					      &b->config->stages[i].conn,
					      b->stages[i].keys };
	return rc;
}

static int file_begin_user(struct config_builder *b, const char *section,
			   uint32_t line, struct buf *why)
{
	const char *name = section + strlen("user ");
	int i = config_builder_find_user(b->config, name), rc;

	if (i >= 0)
		return file_refuse_twice(section, b->users[i].section, why);
	if (!config_user_name_valid(name)) {
		buf_adds(why, "[user ");
		text_printable(why, name);
		return buf_fail(
			why, -EINVAL,
			"]: a user's name has no slash and no colon, is "
			"not . or .., and has at most 255 bytes");
	}
	rc = config_builder_add_user(b, name, line);
	i = (int)b->config->n_users - 1;
	if (!rc)
		b->at = (struct ini_section){ config_user_options,
					      &b->config->users[i],
					      b->users[i].keys };
	return rc;
}

static int file_begin(void *arg, const char *section, unsigned line,
		      struct buf *why)
{
	struct config_builder *b = arg;

	if (!strcmp(section, "stagefs") || !strcmp(section, "storage"))
		return file_begin_once(b, section, line, why);
	if (text_starts_with(section, "stage "))
		return file_begin_stage(b, section, line, why);
	if (text_starts_with(section, "user "))
		return file_begin_user(b, section, line, why);
	buf_adds(why, "unknown section [");
	text_printable(why, section);
	return buf_fail(why, -EINVAL,
			"]: there are [stagefs], [storage], [stage NAME] and "
			"[user NAME]");
}

/* ---- settings ---- */

static const struct {
	const struct option *table;
	const char *section;
} file_sections[] = {
	{ config_mount_options, "[stagefs]" },
	{ conn_options, "[storage] or a [stage NAME]" },
	{ config_user_options, "a [user NAME]" },
};

/* Does a key that this section does not have belong in another kind? */
static int file_check_key(const struct ini_section *s, const char *name,
			  struct buf *why)
{
	if (option_find(s->table, name))
		return 0;
	for (size_t i = 0; i < sizeof(file_sections) / sizeof(*file_sections);
	     i++) {
		if (!option_find(file_sections[i].table, name))
			continue;
		return buf_fail(why, -EINVAL, "%s: this key belongs in %s",
				name, file_sections[i].section);
	}
	if (config_foreign(name))
		return buf_fail(why, -EINVAL,
				"unknown key %s; did you mean %s?", name,
				config_foreign(name));
	return 0;
}

static int file_take(void *arg, const char *section, const char *name,
		     const char *value, const struct ini_place *place,
		     struct buf *why)
{
	const struct config_builder *b = arg;
	int rc = 0;

	if (!*section) {
		text_printable(why, name);
		return buf_fail(why, -EINVAL,
				": a key before the first section");
	}
	if (!place->continued)
		rc = file_check_key(&b->at, name, why);
	return rc ? rc : ini_take(&b->at, name, value, place, why);
}

int config_file_read(struct config_builder *b, const char *path,
		     struct buf *why)
{
	struct stat st;

	/* It is never waited for: no pipe, no device. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		text_printable(why, path);
		return buf_fail(why, -ENOTSUP, ": not a file");
	}
	return ini_read_sections(path, file_begin, file_take, b, why);
}
