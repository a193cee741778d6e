/*
 * The file is read twice. First for its sections: each may be there once, and
 * an empty one counts. Then inih hands over the settings, each of which knows
 * its section by then. Whatever is wrong ends the reading; config_read()
 * throws away what was built.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ini.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/stage.h"

/* ---- sections ---- */

static const char *file_stage_of(const char *section)
{
	return text_starts_with(section, "stage ") ? section + 6 : NULL;
}

static const char *file_user_of(const char *section)
{
	return text_starts_with(section, "user ") ? section + 5 : NULL;
}

static int file_begin_once(struct config_origin *o, const char *section,
			   uint32_t line, struct buf *err)
{
	if (o->section)
		return buf_fail(
			err, -EINVAL,
			"[%s] is there a second time (first in line %u)",
			section, o->section);
	o->section = line;
	return 0;
}

static int file_begin_stage(struct config_builder *b, const char *name,
			    uint32_t line, struct buf *err)
{
	int i = config_builder_find_stage(b->config, name);

	if (i >= 0)
		return buf_fail(err, -EINVAL,
				"[stage %s] is there a second time (first in "
				"line %u)",
				name, b->stages[i].section);
	if (!stage_name_valid(name)) {
		buf_adds(err, "[stage ");
		text_printable(err, name);
		return buf_fail(
			err, -EINVAL,
			"]: a stage's name has letters, digits, _ and $, "
			"begins with a letter or _, and is none of v1, "
			"health, metrics, storage");
	}
	return config_builder_add_stage(b, name, line);
}

static int file_begin_user(struct config_builder *b, const char *name,
			   uint32_t line, struct buf *err)
{
	int i = config_builder_find_user(b->config, name);

	if (i >= 0)
		return buf_fail(
			err, -EINVAL,
			"[user %s] is there a second time (first in line %u)",
			name, b->users[i].section);
	if (!config_user_name_valid(name)) {
		buf_adds(err, "[user ");
		text_printable(err, name);
		return buf_fail(
			err, -EINVAL,
			"]: a user's name has no slash and no colon, is "
			"not . or .., and has at most 255 bytes");
	}
	return config_builder_add_user(b, name, line);
}

static int file_begin(struct config_builder *b, const char *section,
		      uint32_t line, struct buf *err)
{
	const char *stage = file_stage_of(section);

	if (!strcmp(section, "stagefs"))
		return file_begin_once(&b->mount, section, line, err);
	if (!strcmp(section, "storage")) {
		b->config->has_storage = true;
		return file_begin_once(&b->storage, section, line, err);
	}
	if (stage)
		return file_begin_stage(b, stage, line, err);
	if (file_user_of(section))
		return file_begin_user(b, file_user_of(section), line, err);
	buf_adds(err, "unknown section [");
	text_printable(err, section);
	return buf_fail(err, -EINVAL,
			"]: there are [stagefs], [storage], [stage NAME] and "
			"[user NAME]");
}

/* The name in a line that begins a section; inih's reader judges the rest. */
static bool file_section_name(const char *line, struct buf *out)
{
	size_t n;

	line += text_starts_with(line, "\xef\xbb\xbf") ? 3 : 0;
	line += strspn(line, " \t");
	if (*line != '[')
		return false;
	n = strcspn(line, "]\n");
	if (line[n] != ']')
		return false;
	buf_reset(out);
	buf_add(out, line + 1, n - 1);
	return !buf_err(out);
}

/* It is read twice, and never waited for: no pipe, no device. */
static int file_open(const char *path, FILE **out)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		rc = -ENOTSUP;
	else if (st.st_size > INI_FILE_MAX)
		rc = -EFBIG;
	*out = rc ? NULL : fdopen(fd, "r");
	if (!rc && !*out)
		rc = -errno;
	if (rc)
		close(fd);
	return rc;
}

static int file_read_sections(struct config_builder *b, const char *path,
			      struct buf *err)
{
	BUF_LOCAL name = BUF_INIT(BUF_LINE), why = BUF_INIT(BUF_MESSAGE);
	FILE *f = NULL;
	char *line = NULL;
	size_t room = 0;
	uint32_t n = 0;
	int rc = file_open(path, &f);

	if (rc) {
		text_printable(err, path);
		return buf_fail(err, rc, ": %s",
				rc == -ENOTSUP ? "not a file" : strerror(-rc));
	}
	while (!rc && getline(&line, &room, f) >= 0) {
		n++;
		if (file_section_name(line, &name))
			rc = file_begin(b, buf_str(&name), n, &why);
	}
	if (rc) {
		text_printable(err, path);
		buf_addf(err, ":%u: %s", n, buf_str(&why));
	}
	fclose(f);
	if (line)
		explicit_bzero(line, room);
	free(line);
	return rc;
}

/* ---- settings ---- */

/* What a section's keys are and where they go. */
static bool file_find_target(struct config_builder *b, const char *section,
			     struct ini_section *out)
{
	const char *stage = file_stage_of(section),
		   *user = file_user_of(section);
	struct config *c = b->config;
	int i = -1;

	if (!strcmp(section, "stagefs")) {
		*out = (struct ini_section){ config_mount_options, &c->mount,
					     b->mount.keys };
		return true;
	}
	if (!strcmp(section, "storage")) {
		*out = (struct ini_section){ conn_options, &c->storage,
					     b->storage.keys };
		return c->has_storage;
	}
	if (user)
		i = config_builder_find_user(c, user);
	else if (stage)
		i = config_builder_find_stage(c, stage);
	if (i < 0)
		return false;
	*out = user ? (struct ini_section){ config_user_options, &c->users[i],
					    b->users[i].keys }
		    : (struct ini_section){ conn_options, &c->stages[i].conn,
					    b->stages[i].keys };
	return true;
}

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
			  struct buf *err)
{
	if (option_find(s->table, name))
		return 0;
	for (size_t i = 0; i < sizeof(file_sections) / sizeof(*file_sections);
	     i++) {
		if (!option_find(file_sections[i].table, name))
			continue;
		return buf_fail(err, -EINVAL, "%s: this key belongs in %s",
				name, file_sections[i].section);
	}
	return 0;
}

static int file_take(void *arg, const char *section, const char *name,
		     const char *value, const struct ini_place *place,
		     struct buf *err)
{
	struct config_builder *b = arg;
	struct ini_section s;
	int rc = 0;

	if (!*section) {
		text_printable(err, name);
		return buf_fail(err, -EINVAL,
				": a key before the first section");
	}
	if (!file_find_target(b, section, &s))
		return buf_fail(err, -EINVAL,
				"the section changed while it was read");
	if (!place->continued)
		rc = file_check_key(&s, name, err);
	return rc ? rc : ini_take(&s, name, value, place, err);
}

int config_file_read(struct config_builder *b, const char *path,
		     struct buf *err)
{
	int rc = file_read_sections(b, path, err);

	return rc ? rc : ini_read(path, file_take, b, err);
}
