/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs check`: reads the configuration and reaches every stage once, all
 * side by side, so that one dead server costs its own time only.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/thread.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/session.h"
#include "client/storage_hint.h"
#include "fs/write_back/salvage.h"
#include "stage/catalog.h"
#include "store/store.h"
#include "store/store_probe.h"
#include "client/table.h"

struct check_options {
	char *config;
	int format;
	bool header, write;
};

#define ROW(name_, ...) OPTION_ROW(check_options, "--" name_, __VA_ARGS__)
static const struct option options[] = {
	CMD_CONFIG_ROW(check_options),
	ROW("format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	ROW("write", BOOL, write, .def = "no",
	    .help = "writes and removes two small objects in each stage that "
		    "may be written, to see what its store knows and what it "
		    "does not"),
	{ 0 },
};

static const struct table_column columns[] = {
	{ "name", TABLE_TEXT },
	{ "url", TABLE_TEXT },
	{ "server", TABLE_TEXT },
	{ "status", TABLE_TEXT },
};
#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

/* For a person at a terminal; what is wrong follows the table. */
static const struct table_column brief_columns[] = {
	{ "name", TABLE_TEXT },
	{ "status", TABLE_TEXT },
	{ "url", TABLE_TEXT },
};

/* One store that is asked. */
#define RED "\033[31m"
#define YELLOW "\033[33m"

struct probe {
	const char *name;
	struct store *store;
	const char *prefix;
	bool write; /* it may, and shall be tried */
	pthread_t thread;
	bool started;
	int rc;
	struct buf says, why;
};

static void *check_ask(void *arg)
{
	struct probe *p = arg;

	p->rc = store_check(p->store, p->prefix, &p->why);
	if (!p->rc && p->write)
		p->rc = store_probe(p->store, p->prefix, &p->says, &p->why);
	return NULL;
}

static void check_start(struct probe *p, const char *name, struct store *store,
			const char *prefix, bool write)
{
	*p = (struct probe){
		.name = name, .store = store, .prefix = prefix, .write = write
	};
	buf_init(&p->says, BUF_MESSAGE);
	buf_init(&p->why, BUF_MESSAGE);
	p->started = !thread_start(&p->thread, "check", check_ask, p);
	if (!p->started)
		check_ask(p);
}

/* Waits for the answer and writes its row. */
static void check_finish(struct probe *p, struct table *t, bool brief)
{
	BUF_LOCAL url = BUF_INIT(BUF_MESSAGE), server = BUF_INIT(BUF_MESSAGE);
	struct table_value row[N_COLUMNS] = { { .text = p->name } };

	if (p->started)
		pthread_join(p->thread, NULL);
	store_locate(p->store, p->prefix, &url);
	store_describe(p->store, &server);
	if (p->says.len)
		buf_addf(&server, "; %s", buf_str(&p->says));
	row[1].text = buf_str(&url);
	row[2].text = buf_str(&server);
	if (p->rc && !p->why.len)
		buf_adds(&p->why, strerror(-p->rc));
	row[3].text = p->rc ? buf_str(&p->why) : "ok";
	if (brief)
		table_row(t, (const struct table_value[3]){
				     row[0],
				     { .text = p->rc ? "failed" : "ok",
				       .mark = p->rc ? TABLE_BAD : TABLE_GOOD },
				     row[1],
			     });
	else
		table_row(t, row);
}

static void check_print(const char *name, const struct buf *text,
			const char *colour)
{
	BUF_LOCAL line = BUF_INIT(2 * BUF_MESSAGE);
	bool coloured = *colour && output_has_colours(stdout);

	buf_addf(&line, "%s: ", name);
	text_one_line(&line, buf_str(text));
	printf("%s%s%s\n", coloured ? colour : "", buf_str(&line),
	       coloured ? "\033[0m" : "");
	fflush(stdout);
}

/* Why a stage is `failed`, below the table; or what was found out of its store.
 */
static void check_tell(const struct probe *p)
{
	BUF_LOCAL found = BUF_INIT(2 * BUF_MESSAGE);

	if (p->rc) {
		check_print(p->name, &p->why, RED);
	} else if (p->says.len) {
		store_describe(p->store, &found);
		buf_addf(&found, "; %s", buf_str(&p->says));
		check_print(p->name, &found, "");
	} else {
		store_warn(p->store, &found);
		if (found.len)
			check_print(p->name, &found, YELLOW);
	}
}

/* The configured stages that hide an internal one: said, no failure. */
static void check_tell_hidden(struct catalog *c)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	for (unsigned i = 0; i < catalog_n_external(c); i++) {
		const char *name = catalog_external(c, i)->name;
		bool hidden;

		if (catalog_hidden(c, name, &hidden) || !hidden)
			continue;
		buf_reset(&what);
		buf_addf(&what, "warning: stage %s", name);
		message(buf_str(&what),
			"it hides an internal stage of that name");
	}
}

/* A bucket of other files in the place of stages. */
static void check_tell_no_stages(struct session *s)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE), section = BUF_INIT(BUF_LINE);

	storage_hint(&s->config, s->catalog, &why, &section);
	if (why.len) {
		message("warning: [storage]", buf_str(&why));
		fputs(buf_str(&section), stderr);
	}
}

/* Files of the folder of stages that no stage came of. */
static void check_tell_left_out(const struct config *c)
{
	BUF_LOCAL line = BUF_INIT(BUF_LINE);

	for (const char *p = c->left_out; p && *p; p += strcspn(p, "\n") + 1) {
		buf_reset(&line);
		buf_add(&line, p, strcspn(p, "\n"));
		message("warning: a file is no stage", buf_str(&line));
	}
}

static int check_count_left(void *arg, const struct salvage *s)
{
	if (!s->busy)
		++*(unsigned *)arg;
	return 0;
}

/* What mounts that have ended have not sent. */
static void check_tell_left(const struct config *c)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);
	unsigned n = 0;

	if (!salvage_each(c->mount.spill_dir, check_count_left, &n) && n) {
		buf_addf(&what,
			 "%u files were written and not sent (write_back): the "
			 "next mount sends them, or see `stagefs recover`",
			 n);
		message("warning", buf_str(&what));
	}
}

/* How many failed, or -errno; *rc: of the table, which is ended. */
static int check_all(struct session *s, struct table *t, bool write, bool brief,
		     int *rc)
{
	struct catalog *c = s->catalog;
	unsigned n = 0, count = catalog_n_external(c) + 1;
	MEM_LOCAL struct probe *probes = calloc(count, sizeof(*probes));
	struct store *storage = catalog_storage(c);
	int failed = 0;

	if (!probes) {
		*rc = table_end(t);
		return -ENOMEM;
	}
	if (storage)
		check_start(&probes[n++], "[storage]", storage,
			    catalog_storage_prefix(c),
			    write && !s->config.storage.ro);
	for (unsigned i = 0; i < catalog_n_external(c); i++) {
		struct stage *x = catalog_external(c, i);

		check_start(&probes[n++], x->name, x->store, x->prefix,
			    write && !x->ro);
	}
	for (unsigned i = 0; i < n; i++) {
		check_finish(&probes[i], t, brief);
		failed += probes[i].rc != 0;
	}
	*rc = table_end(t);
	for (unsigned i = 0; i < n; i++) {
		if (brief)
			check_tell(&probes[i]);
		buf_clear(&probes[i].says);
		buf_clear(&probes[i].why);
	}
	if (storage && !probes[0].rc) {
		check_tell_hidden(c);
		check_tell_no_stages(s);
	}
	return failed;
}

static int check_session(const struct check_options *o, struct session *s)
{
	bool brief = output_is_for_person(o->format);
	struct table *t =
		brief ? table_new(stdout, TABLE_TABLE, false, brief_columns, 3)
		      : table_new(stdout, o->format, o->header, columns,
				  N_COLUMNS);
	int failed, rc = 0;

	if (!t)
		return STATUS_FAILED;
	failed = check_all(s, t, o->write, brief, &rc);
	check_tell_left_out(&s->config);
	check_tell_left(&s->config);
	if (rc)
		message("cannot write", strerror(-rc));
	return failed || rc ? STATUS_FAILED : STATUS_OK;
}

static int check_run(const struct command *c, int argc, char **argv)
{
	struct check_options o = { 0 };
	struct cmd_words words;
	struct session s;
	int status = cmd_parse(&check_command, argc, argv, &o, &words, 0);

	if (!status) {
		status = cmd_status(session_open(o.config, &s));
		if (!status)
			status = check_session(&o, &s);
		session_close(&s);
	}
	option_clear(options, &o);
	return status;
}

const struct command check_command = {
	.verb = "check",
	.group = GROUP_MOUNT,
	.brief = "does the configuration work, and does every stage answer?",
	.synopsis = "[--write] [--format F]",
	.help = "Reads the configuration and reaches every stage once",
	.options = options,
	.run = check_run,
};
