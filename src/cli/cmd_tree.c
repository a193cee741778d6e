/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs du` and `stagefs tree`: what a stage or a directory of it holds,
 * from one listing of it.
 *
 * Keys come in the order of their bytes, so a directory's come together: du
 * keeps the sums of the directories that it is in, and no more. tree has to
 * know whether a name is the last of its directory and keeps all names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "client/failure.h"
#include "client/message.h"
#include "client/session.h"
#include "client/table.h"
#include "client/walk.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "store/store.h"

struct tree_options {
	char *config;
	uint64_t depth;
	bool human, bytes, summarize, header, sizes;
	int format;
};

#define ROW(...) OPTION_ROW(tree_options, __VA_ARGS__)
#define DEPTH_MAX 512 /* directories: a key has 1,024 bytes */

/* ---- the listing ---- */

/* Walks what is below a location. 0, or -errno after a line on stderr. */
static int tree_walk(struct session *s, const char *word, struct walk *w,
		     void (*begin)(void *arg, const struct stage *stage,
				   const char *path))
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	BUF_LOCAL path = BUF_INIT(STORE_KEY_MAX);
	LOCATION_LOCAL where = { 0 };
	int rc = location_parse(word, &where, &failure.why);

	session_settle(s);
	if (!rc)
		rc = session_stage(s, where.stage, &w->stage, &failure);
	if (!rc) {
		buf_addf(&path, "%s%s", where.path,
			 !*where.path || text_ends_with(where.path, "/") ? ""
									 : "/");
		w->path = buf_str(&path);
		begin(w->arg, w->stage, w->path);
		rc = walk_files(w, &failure);
		stage_unref(w->stage);
	}
	if (rc) {
		BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

		buf_addf(&what, "cannot list %s", word);
		cmd_failure(buf_str(&what), &failure);
	}
	return rc;
}

static int tree_check_words(const struct command *c,
			    const struct cmd_words *words)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int status = STATUS_OK;

	if (!words->n)
		buf_adds(&why, "which stage? name it as @stage or @stage/path");
	for (unsigned i = 0; i < words->n && !why.len; i++)
		location_check(words->word[i], &why);
	if (why.len)
		status = cmd_usage(c, buf_str(&why));
	return status;
}

/* The verb's words, one after the other. 0, or the last failure, which was
 * said. */
typedef int tree_list_fn(const struct tree_options *o, struct session *s,
			 const struct cmd_words *words);

static int tree_run_list(const struct command *c, int argc, char **argv,
			 tree_list_fn *list)
{
	struct tree_options o = { 0 };
	SESSION_LOCAL s = { 0 };
	struct cmd_words words;
	int status = cmd_parse(c, argc, argv, &o, &words, WORDS_ANY);

	if (!status)
		status = tree_check_words(c, &words);
	if (!status)
		status = cmd_status(session_open(o.config, &s));
	if (!status)
		status = cmd_status(list(&o, &s, &words));
	option_clear(c->options, &o);
	return status;
}

/* Nothing came of a path: it is none. */
static int tree_tell_absent(const char *word)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	buf_addf(&what, "cannot list %s", word);
	message(buf_str(&what), "there is no such directory");
	return -ENOENT;
}

/* ---- du ---- */

struct du {
	const struct tree_options *o;
	struct table *table;
	const char *stage;
	size_t skip; /* bytes of the path that was named */
	bool seen; /* anything */
	struct buf name; /* of the file last seen, below that */
	unsigned depth; /* directories of it */
	struct {
		uint64_t bytes, files;
	} sums[DEPTH_MAX + 1]; /* of those, the named one first */
	struct buf root; /* @stage/path/ */
};

static const struct table_column du_columns[] = {
	{ "size", TABLE_NUMBER },
	{ "files", TABLE_NUMBER },
	{ "name", TABLE_TEXT },
};
static const struct table_column du_human_columns[] = {
	{ "size", TABLE_COUNT },
	{ "files", TABLE_NUMBER },
	{ "name", TABLE_TEXT },
};

static void tree_du_begin(void *arg, const struct stage *stage,
			  const char *path)
{
	struct du *d = arg;

	d->skip = strlen(path);
	buf_addf(&d->root, "@%s/%s", stage->name, path);
}

/* The sums of one directory, the n-th of the name; it goes to the one above. */
static int tree_du_row(struct du *d, unsigned n)
{
	BUF_LOCAL name = BUF_INIT(2 * STORE_KEY_MAX), size = BUF_INIT(64);
	const char *p = buf_str(&d->name);
	size_t len = 0;
	int rc = 0;

	for (unsigned i = 0; i < n; i++)
		len += strcspn(p + len, "/") + 1;
	buf_adds(&name, buf_str(&d->root));
	buf_add(&name, p, len);
	text_bytes(&size, d->sums[n].bytes);
	if (!n || (!d->o->summarize && n <= d->o->depth))
		rc = table_row(d->table, (const struct table_value[3]){
						 { .text = buf_str(&size),
						   .number = d->sums[n].bytes },
						 { .number = d->sums[n].files },
						 { .text = buf_str(&name) },
					 });
	if (n) {
		d->sums[n - 1].bytes += d->sums[n].bytes;
		d->sums[n - 1].files += d->sums[n].files;
		d->sums[n].bytes = d->sums[n].files = 0;
	}
	return rc;
}

static unsigned tree_du_depth(const char *name)
{
	unsigned n = 0;

	for (; (name = strchr(name, '/')); name++)
		n++;
	return n;
}

/* How many directories the two names share. */
static unsigned tree_du_shared(const char *a, const char *b)
{
	unsigned n = 0;

	for (; *a && *a == *b; a++, b++)
		n += *a == '/';
	return n;
}

static int tree_du_take(void *arg, const struct list_entry *e, const char *name,
			struct failure *f)
{
	struct du *d = arg;
	unsigned shared;
	int rc = 0;

	name += d->skip;
	d->seen = true;
	if (tree_du_depth(name) > DEPTH_MAX)
		return failure_set(f, CODE_STORAGE, -ENAMETOOLONG,
				   "too many directories");
	shared = tree_du_shared(buf_str(&d->name), name);
	while (!rc && d->depth > shared)
		rc = tree_du_row(d, d->depth--);
	if (rc)
		return failure_write(f, rc);
	buf_reset(&d->name);
	buf_adds(&d->name, name);
	d->depth = tree_du_depth(name);
	if (!text_ends_with(name, "/")) {
		d->sums[d->depth].bytes += e->info.size;
		d->sums[d->depth].files++;
	}
	return 0;
}

/* The rows of one location. */
static int tree_du_put(const struct tree_options *o, struct session *s,
		       struct table *table, const char *word)
{
	MEM_LOCAL struct du *d = calloc(1, sizeof(*d));
	struct walk w = { .markers = true, .each = tree_du_take, .arg = d };
	int rc;

	if (!d)
		return -ENOMEM;
	d->o = o;
	d->table = table;
	buf_init(&d->name, STORE_KEY_MAX);
	buf_init(&d->root, 2 * STORE_KEY_MAX);
	rc = tree_walk(s, word, &w, tree_du_begin);
	if (!rc && d->skip && !d->seen)
		rc = tree_tell_absent(word);
	while (!rc && d->depth)
		rc = tree_du_row(d, d->depth--);
	if (!rc)
		rc = tree_du_row(d, 0);
	buf_clear(&d->name);
	buf_clear(&d->root);
	return rc;
}

static int tree_du_list(const struct tree_options *o, struct session *s,
			const struct cmd_words *words)
{
	struct table *table =
		table_new(stdout, o->format, o->header,
			  o->human ? du_human_columns : du_columns, 3);
	int rc = table ? 0 : -ENOMEM, end = 0;

	for (unsigned i = 0; i < words->n && table && !ferror(stdout); i++) {
		int one = tree_du_put(o, s, table, words->word[i]);

		rc = one ? one : rc;
	}
	if (table)
		end = table_end(table);
	if (end && !rc)
		message("cannot write", strerror(-end));
	return rc ? rc : end;
}

static const struct option du_options[] = {
	CMD_CONFIG_ROW(tree_options),
	ROW("--human", BOOL, human, .def = "no", .help = "sizes as 1.5 GiB"),
	ROW("-h", BOOL, human, .alias_of = "--human"),
	ROW("--summarize", BOOL, summarize, .def = "no",
	    .help = "the sum alone"),
	ROW("-s", BOOL, summarize, .alias_of = "--summarize"),
	ROW("--depth", UINT, depth, .max = DEPTH_MAX, .def = "1",
	    .help = "directories as deep as that"),
	ROW("-d", UINT, depth, .alias_of = "--depth"),
	ROW("--format", CHOICE, format, .choices = TABLE_FORMATS, .def = "auto",
	    .help = "auto is a table on a terminal, else TSV"),
	ROW("--header", BOOL, header, .def = "no",
	    .help = "names of the columns first (TSV, CSV)"),
	{ 0 },
};

static int tree_du_run(const struct command *c, int argc, char **argv)
{
	return tree_run_list(c, argc, argv, tree_du_list);
}

const struct command du_command = {
	.verb = "du",
	.group = GROUP_FILES,
	.brief = "how much is in a directory of a stage",
	.synopsis = "@STAGE[/PATH]... [-h] [-s|-d N]",
	.help = "Bytes and files of directories and of those in them",
	.options = du_options,
	.run = tree_du_run,
};

/* ---- tree ---- */

struct tree_name {
	char *text; /* below the path, a directory's with '/' at its end */
	uint64_t size;
};

struct tree {
	const struct tree_options *o;
	size_t skip;
	struct tree_name *names;
	size_t n, room;
	uint64_t files, directories, bytes; /* of all that were named */
	struct buf ahead;
};

static void tree_begin(void *arg, const struct stage *stage, const char *path)
{
	struct tree *t = arg;

	t->skip = strlen(path);
}

static int tree_take(void *arg, const struct list_entry *e, const char *name,
		     struct failure *f)
{
	struct tree *t = arg;

	if (ARRAY_RESERVE(t->names, t->room, t->n + 1) ||
	    !(t->names[t->n].text = strdup(name + t->skip)))
		return failure_set(f, CODE_STORAGE, -ENOMEM, "no memory");
	t->names[t->n].size = e->info.size;
	t->n++;
	return 0;
}

/* Names from i on that have the first len bytes of it. */
static size_t tree_same(const struct tree *t, size_t i, size_t len)
{
	size_t n = 1;

	while (i + n < t->n &&
	       !strncmp(t->names[i + n].text, t->names[i].text, len))
		n++;
	return n;
}

static void tree_print(struct tree *t, size_t i, size_t at, size_t len,
		       bool last, bool directory)
{
	BUF_LOCAL shown = BUF_INIT(2 * BUF_MESSAGE),
		  name = BUF_INIT(BUF_MESSAGE);

	buf_add(&name, t->names[i].text + at, len - at);
	text_one_line(&shown, buf_str(&name));
	printf("%s%s%s", buf_str(&t->ahead), last ? "└── " : "├── ",
	       buf_str(&shown));
	if (!directory && t->o->sizes) {
		buf_reset(&name);
		text_bytes(&name, t->names[i].size);
		printf("  (%s)", buf_str(&name));
	}
	putchar('\n');
}

/* Names i to end, all with the same first `at` bytes. */
static void tree_level(struct tree *t, size_t i, size_t end, size_t at,
		       unsigned depth)
{
	size_t before = t->ahead.len;

	if (i < end && !t->names[i].text[at])
		i++; /* the directory's own marker */
	while (i < end) {
		size_t len = at + strcspn(t->names[i].text + at, "/"), n = 1;
		bool directory = t->names[i].text[len] == '/', last;

		len += directory;
		if (directory)
			n = tree_same(t, i, len);
		last = i + n == end;
		tree_print(t, i, at, len, last, directory);
		t->directories += directory;
		if (!directory) {
			t->files++;
			t->bytes += t->names[i].size;
		} else if (depth < t->o->depth) {
			buf_adds(&t->ahead, last ? "    " : "│   ");
			tree_level(t, i, i + n, len, depth + 1);
			buf_truncate(&t->ahead, before);
		}
		i += n;
	}
}

static int tree_put(struct tree *t, struct session *s, const char *word)
{
	struct walk w = { .markers = true, .each = tree_take, .arg = t };
	BUF_LOCAL shown = BUF_INIT(2 * BUF_MESSAGE);
	int rc = tree_walk(s, word, &w, tree_begin);

	if (!rc && t->skip && !t->n)
		rc = tree_tell_absent(word);
	if (!rc) {
		text_one_line(&shown, word);
		printf("%s\n", buf_str(&shown));
		tree_level(t, 0, t->n, 0, 1);
	}
	for (size_t i = 0; i < t->n; i++)
		free(t->names[i].text);
	t->n = 0;
	return rc;
}

static int tree_list(const struct tree_options *o, struct session *s,
		     const struct cmd_words *words)
{
	struct tree t = { .o = o, .ahead = BUF_INIT(BUF_MESSAGE) };
	BUF_LOCAL sum = BUF_INIT(64);
	unsigned shown = 0;
	int rc = 0;

	for (unsigned i = 0; i < words->n; i++) {
		int one = tree_put(&t, s, words->word[i]);

		shown += !one;
		rc = one ? one : rc;
	}
	if (shown) {
		text_bytes(&sum, t.bytes);
		printf("\n%llu %s, %llu %s, %s\n",
		       (unsigned long long)t.directories,
		       t.directories == 1 ? "directory" : "directories",
		       (unsigned long long)t.files,
		       t.files == 1 ? "file" : "files", buf_str(&sum));
	}
	if (fflush(stdout) && !rc) {
		rc = -errno;
		message("cannot write", strerror(-rc));
	}
	free(t.names);
	buf_clear(&t.ahead);
	return rc;
}

static const struct option tree_options[] = {
	CMD_CONFIG_ROW(tree_options),
	ROW("--depth", UINT, depth, .min = 1, .max = DEPTH_MAX, .def = "512",
	    .help = "directories as deep as that"),
	ROW("-L", UINT, depth, .alias_of = "--depth"),
	ROW("--sizes", BOOL, sizes, .def = "no", .help = "with sizes"),
	ROW("-s", BOOL, sizes, .alias_of = "--sizes"),
	{ 0 },
};

static int tree_run(const struct command *c, int argc, char **argv)
{
	return tree_run_list(c, argc, argv, tree_list);
}

const struct command tree_command = {
	.verb = "tree",
	.group = GROUP_FILES,
	.brief = "the directories of a stage as a tree",
	.synopsis = "@STAGE[/PATH]... [-L N] [-s]",
	.help = "Files and directories as a tree",
	.options = tree_options,
	.run = tree_run,
};
