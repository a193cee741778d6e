/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs init`: a first configuration, for the URL of a bucket or of a
 * directory. What is missing is asked for on a terminal; what was asked for and
 * given is checked by `stagefs check`.
 *
 * The file is new and closed to others from its first byte on. Secrets come
 * from the terminal only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/prompt.h"
#include "client/message.h"
#include "config/config.h"
#include "stage/stage.h"

struct init_options {
	char *config, *name;
	bool storage;
};

#define ROW(name_, ...) OPTION_ROW(init_options, "--" name_, __VA_ARGS__)
static const struct option options[] = {
	ROW("config", STRING, config, .word = "FILE",
	    .help = "write this file (default: where a mount looks for it)"),
	ROW("name", STRING, name, .word = "NAME",
	    .help = "what the stage is called (default: as the bucket)"),
	ROW("storage", BOOL, storage, .def = "no",
	    .help = "the URL is for the user stage and internal stages, not a "
		    "stage itself"),
	{ 0 },
};

/* What is to be written. */
struct init {
	const struct init_options *o;
	struct conn conn;
	struct buf url, lines; /* `key = value` that were given */
	bool storage;
};

/* ---- what is given ---- */

static int init_add(struct init *in, const char *key, const char *value,
		    struct buf *why)
{
	const struct option *row = option_find(conn_options, key);

	if (!row) {
		option_unknown(conn_options, key, why);
		return -EINVAL;
	}
	if (strchr(value, ';'))
		return buf_fail(why, -EINVAL, "%s: a `;` would begin a comment",
				row->name);
	buf_addf(&in->lines, "%s = %s\n", row->name, value);
	return option_set(row, &in->conn, value, why);
}

static int init_take_word(struct init *in, const char *word, struct buf *why)
{
	size_t n = strcspn(word, "=");
	const struct option *row;
	MEM_LOCAL char *key = NULL;
	int rc;

	if (strstr(word, "://") &&
	    (!word[n] || strstr(word, "://") < word + n)) {
		buf_reset(&in->url);
		buf_addf(&in->url, "%s%s", word,
			 text_ends_with(word, "/") ? "" : "/");
		return 0;
	}
	if (!word[n])
		return buf_fail(why, -EINVAL, "%s: neither a URL nor KEY=VALUE",
				word);
	key = strndup(word, n);
	if (!key)
		return -ENOMEM;
	row = option_find(conn_options, key);
	if (row && (row->flags & OPTION_SECRET))
		rc = buf_fail(why, -EINVAL,
			      "%s: a secret is not taken from a command line, "
			      "where others see it: it is asked for",
			      row->name);
	else
		rc = init_add(in, key, word + n + 1, why);
	return rc;
}

/* ---- what is asked for ---- */

/* The answer to a question, as a setting unless it is empty. */
static int init_ask(struct init *in, const char *question, const char *key,
		    bool secret, struct buf *why)
{
	BUF_SECRET answer = BUF_INIT(BUF_LINE);
	int rc = (secret ? prompt_secret : prompt_ask)(question, &answer);

	if (!rc && answer.len)
		rc = init_add(in, key, buf_str(&answer), why);
	return rc;
}

static int init_ask_url(struct init *in, struct buf *why)
{
	BUF_LOCAL answer = BUF_INIT(BUF_LINE);
	int rc = prompt_ask("Where (s3://BUCKET/PATH or fs:///DIRECTORY)",
			    &answer);

	return rc ? rc : init_take_word(in, buf_str(&answer), why);
}

static int init_ask_kind(struct init *in)
{
	BUF_LOCAL answer = BUF_INIT(BUF_LINE);
	int rc;

	if (in->o->storage || in->o->name)
		return 0;
	rc = prompt_ask("Its files as one directory, or a home for many "
			"stages (stage or storage) [stage]",
			&answer);
	in->storage = !rc && !strcmp(buf_str(&answer), "storage");
	return rc;
}

static int init_ask_missing(struct init *in, struct buf *why)
{
	const struct conn *c = &in->conn;
	int rc = in->url.len ? 0 : init_ask_url(in, why);

	if (!rc && text_starts_with(buf_str(&in->url), "s3:")) {
		if (!text_given(c->s3.endpoint_url))
			rc = init_ask(in, "Server (empty: Amazon's)",
				      "endpoint_url", false, why);
		if (!rc && !text_given(c->creds.access_key_id))
			rc = init_ask(in,
				      "Key id (empty: as the environment and "
				      "~/.aws say)",
				      "access_key_id", false, why);
		if (!rc && text_given(c->creds.access_key_id))
			rc = init_ask(in, "Secret key", "secret_access_key",
				      true, why);
	}
	return rc ? rc : init_ask_kind(in);
}

/* ---- the file ---- */

/* Keys that many want, with what they are, as comments. */
static void init_add_keys(const struct option *table, const char *const *names,
			  const struct buf *given, struct buf *out)
{
	for (; *names; names++) {
		const struct option *row = option_find(table, *names);
		BUF_LOCAL line = BUF_INIT(256);

		buf_addf(&line, "%s = ", row->name);
		if (!given || !strstr(buf_str(given), buf_str(&line)))
			buf_addf(out, "; %s\n;%s =%s%s\n", row->help, row->name,
				 row->def ? " " : "", row->def ? row->def : "");
	}
}

static void init_text(struct init *in, const char *name, struct buf *out)
{
	static const char *const mount_keys[] = { "metadata_ttl", "memory",
						  "allow_other", "log", NULL };
	static const char *const s3_keys[] = { "endpoint_url", "region",
					       "access_key_id", NULL };

	buf_adds(out, "; Written by `stagefs init`. A line that begins with ; "
		      "is a comment;\n; `stagefs help options` has all "
		      "keys.\n\n[stagefs]\n");
	init_add_keys(config_mount_options, mount_keys, NULL, out);
	if (in->storage)
		buf_adds(out, "\n; where the user stage ~ and the stages made "
			      "by mkdir live\n[storage]\n");
	else
		buf_addf(out, "\n; the directory %s of a mount\n[stage %s]\n",
			 name, name);
	buf_addf(out, "url = %s\n", buf_str(&in->url));
	buf_adds(out, buf_str(&in->lines));
	if (text_starts_with(buf_str(&in->url), "s3:")) {
		init_add_keys(conn_options, s3_keys, &in->lines, out);
		if (!text_given(in->conn.creds.access_key_id))
			buf_adds(out, ";secret_access_key = "
				      "${file:/etc/stagefs/secret}\n");
	}
}

/* A new file, or none. */
static int init_write(const char *file, const struct buf *text)
{
	char *copy = strdup(file), *slash = copy ? strrchr(copy, '/') : NULL;
	int rc = copy ? 0 : -ENOMEM, fd;

	if (slash && slash != copy) {
		*slash = '\0';
		rc = dirs_make(copy, 0755, 0755);
	}
	free(copy);
	if (rc)
		return rc;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = io_write(fd, text->data, text->len);
	if (close(fd) && !rc)
		rc = -errno;
	if (rc)
		unlink(file);
	return rc;
}

/* ---- all together ---- */

static int init_check(const char *file)
{
	char verb[] = "check", option[] = "--config", *copy = strdup(file);
	char *argv[] = { verb, option, copy, NULL };
	int status = STATUS_FAILED;

	if (copy)
		status = check_command.run(&check_command, 3, argv);
	free(copy);
	return status;
}

static int init_finish(struct init *in, const char *file)
{
	BUF_SECRET text = BUF_INIT(2 * BUF_LINE);
	BUF_LOCAL name = BUF_INIT(255);
	const struct config none = { 0 };
	int rc;

	if (in->o->name)
		buf_adds(&name, in->o->name);
	else
		config_url_name(&none, buf_str(&in->url), &name);
	init_text(in, buf_str(&name), &text);
	rc = buf_err(&text);
	if (!rc)
		rc = init_write(file, &text);
	if (rc) {
		message(file, rc == -EEXIST
				      ? "it is there already: edit it, or name "
					"another (--config FILE)"
				      : strerror(-rc));
		return STATUS_FAILED;
	}
	fprintf(stderr, "wrote %s; to mount it: stagefs%s%s MOUNTPOINT\n", file,
		in->o->config ? " " : "", in->o->config ? file : "");
	return init_check(file);
}

static int init_run_words(struct init *in, const struct cmd_words *words)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	MEM_LOCAL char *file =
		in->o->config ? strdup(in->o->config) : config_new_file();
	int rc = file ? option_defaults(conn_options, &in->conn) : -ENOMEM;
	int status;

	for (unsigned i = 0; i < words->n && !rc; i++)
		rc = init_take_word(in, words->word[i], &why);
	if (!rc && in->o->name && !stage_name_valid(in->o->name))
		rc = buf_fail(&why, -EINVAL, "%s: no name for a stage",
			      in->o->name);
	if (!rc && prompt_person())
		rc = init_ask_missing(in, &why);
	else if (!rc && !in->url.len) {
		rc = buf_fail(&why, -EINVAL,
			      "which bucket or directory? s3://BUCKET/PATH "
			      "or fs:///DIRECTORY");
	}
	if (!rc)
		rc = conn_set(&in->conn, "url", buf_str(&in->url));
	if (!rc)
		rc = conn_check(&in->conn, &why);
	status = !rc ? init_finish(in, file)
		     : cmd_usage(&init_command,
				 why.len ? buf_str(&why) : strerror(-rc));
	return status;
}

static int init_run(const struct command *c, int argc, char **argv)
{
	struct init_options o = { 0 };
	struct init in = { .o = &o,
			   .url = BUF_INIT(BUF_URL),
			   .lines = BUF_INIT(BUF_LINE) };
	struct cmd_words words;
	int status = cmd_parse(c, argc, argv, &o, &words, WORDS_ANY);

	in.storage = o.storage;
	if (!status && o.storage && o.name)
		status = cmd_usage(c, "--name or --storage, not both");
	if (!status)
		status = init_run_words(&in, &words);
	conn_clear(&in.conn);
	option_clear(options, &o);
	buf_clear(&in.url);
	buf_wipe(&in.lines);
	return status;
}

const struct command init_command = {
	.verb = "init",
	.group = GROUP_MOUNT,
	.brief = "write a configuration for a bucket, and check it",
	.synopsis = "[URL] [KEY=VALUE]... [--name NAME|--storage] "
		    "[--config FILE]",
	.help = "Writes a commented configuration for s3://BUCKET/PATH or "
		"fs:///DIRECTORY, closed to others, asks for what is missing "
		"on a terminal, and runs check; keys are those of [stage "
		"NAME]",
	.options = options,
	.run = init_run,
};
