/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs recover`: what mounts have accepted (write_back) and not sent. With
 * --to it is taken out of the journals of mounts that have ended: each file is
 * on the disk, with its name, before its journal forgets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/table.h"
#include "config/config.h"
#include "fs/write_back/salvage.h"

struct recover_options {
	char *config, *to;
	int format;
	bool header;
};

#define ROW(name_, type_, field, ...) \
	{ \
		.name = "--" name_, .type = OPTION_##type_, \
		.offset = offsetof(struct recover_options, field), __VA_ARGS__ \
	}
static const struct option recover_options[] = {
	ROW("config", STRING, config, .word = "FILE", .help = "configuration"),
	ROW("to", STRING, to, .word = "DIR",
	    .help = "takes what mounts that have ended did not send out of "
		    "their journals, into DIR/STAGE/PATH: it is not sent then"),
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static const struct table_column recover_columns[] = {
	{ "file", TABLE_TEXT },
	{ "size", TABLE_COUNT },
	{ "state", TABLE_TEXT },
	{ "mount", TABLE_TEXT },
};

struct recovery {
	struct table *table;
	const char *to; /* NULL: they are only listed */
	bool failed;
};

static int recover_list(struct recovery *r, const struct salvage *s,
			const char *state)
{
	BUF_LOCAL name = BUF_INIT(2 * PATH_MAX), size = BUF_INIT(64);

	buf_addf(&name, "@%s/%s", s->stage, s->path);
	buf_addf(&size, "%llu", (unsigned long long)s->size);
	return table_row(r->table,
			 (const struct table_value[4]){
				 { .text = buf_str(&name) },
				 { .text = s->is_dir ? NULL : buf_str(&size) },
				 { .text = state },
				 { .text = s->mount_name },
			 });
}

/* No component leads out of the directory. */
static bool recover_is_below(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (!len || (len == 1 && *path == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len + (path[len] == '/');
	}
	return true;
}

static int recover_write(const struct salvage *s, char *path)
{
	char *slash = strrchr(path, '/');
	int fd, rc;

	*slash = '\0';
	rc = dirs_make(path, 0755, 0755);
	*slash = '/';
	if (rc)
		return rc;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = salvage_write(s, fd);
	close(fd);
	if (rc) {
		unlink(path);
		return rc;
	}
	*slash = '\0';
	rc = io_sync_dir(path);
	*slash = '/';
	return rc;
}

static int recover_take(struct recovery *r, const struct salvage *s)
{
	BUF_LOCAL path = BUF_INIT(2 * PATH_MAX);
	int rc = recover_is_below(s->path) ? 0 : -EINVAL;

	buf_addf(&path, "%s/%s/%s", r->to, s->stage, s->path);
	if (!rc)
		rc = buf_err(&path);
	if (!rc && s->is_dir)
		rc = dirs_make(buf_str(&path), 0755, 0755);
	else if (!rc)
		rc = recover_write(s, path.data);
	if (!rc)
		salvage_forget(s);
	else
		message(buf_str(&path), strerror(-rc));
	r->failed |= rc;
	return rc ? 0
		  : recover_list(r, s,
				 s->in_part
					 ? "taken out: what was written, the "
					   "rest is in the store"
					 : "taken out");
}

static int recover_one(void *arg, const struct salvage *s)
{
	struct recovery *r = arg;

	if (s->busy)
		return recover_list(r, s, "its mount sends it");
	if (r->to)
		return recover_take(r, s);
	return recover_list(r, s, s->in_part ? "left, a part of it" : "left");
}

static int recover_all(const struct recover_options *o, const struct config *c)
{
	struct recovery r = { .to = text_given(o->to) };
	int rc, end;

	r.table = table_new(stdout, o->format, o->header, recover_columns, 4);
	if (!r.table)
		return STATUS_FAILED;
	rc = salvage_each(c->mount.spill_dir, recover_one, &r);
	end = table_end(r.table);
	if (rc || end)
		message(c->mount.spill_dir, strerror(rc ? -rc : -end));
	return rc || end || r.failed ? STATUS_FAILED : STATUS_OK;
}

static int recover_run(const struct command *c, int argc, char **argv)
{
	struct recover_options o = { 0 };
	struct config_request request = { 0 };
	struct config config = { 0 };
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct cmd_words words;
	int status = cmd_parse(c, argc, argv, &o, &words, 0);

	if (!status) {
		request.file = o.config;
		if (config_read(&request, &config, &why)) {
			fprintf(stderr, "stagefs: %s\n", buf_str(&why));
			status = STATUS_FAILED;
		} else {
			status = recover_all(&o, &config);
		}
		config_clear(&config);
	}
	option_clear(recover_options, &o);
	return status;
}

const struct command recover_command = {
	.verb = "recover",
	.group = GROUP_MOUNT,
	.brief = "what mounts have accepted (write_back) and not sent",
	.synopsis = "[--to DIR] [--format F]",
	.help = "Lists what mounts have accepted and not sent yet; with --to "
		"it is taken out, where the mount that would send it is gone",
	.options = recover_options,
	.run = recover_run,
};
