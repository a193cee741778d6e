/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs keys rotate`: a new signing key for a local store. Which store: the
 * one of a stage, or a directory that is named without any configuration.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "client/message.h"
#include "client/session.h"
#include "stage/catalog.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "client/statement.h"
#include "store/local/local.h"

struct keys_options {
	char *config;
};

static const struct option options[] = {
	CMD_CONFIG_ROW(keys_options),
	{ 0 },
};

/* The directory of fs:// settings; -EINVAL with why. */
static int keys_conn_root(const struct conn *c, char **out, struct buf *why)
{
	CONN_LOCATION_LOCAL place = { 0 };
	int rc = conn_location(c, &place, why);

	if (!rc && !place.root) {
		conn_location_show(&place, "", why);
		rc = buf_fail(why, -EINVAL,
			      ": only stores of fs:// have a key of ours");
	}
	if (!rc) {
		*out = place.root;
		place.root = NULL;
	}
	return rc;
}

static int keys_stage_root(struct session *s, const struct stage *stage,
			   char **out, struct buf *why)
{
	CONN_LOCAL conn = { 0 };
	bool drop_in;
	int rc;

	if (stage->kind != STAGE_EXTERNAL)
		return keys_conn_root(&s->config.storage, out, why);
	rc = catalog_conn(s->catalog, stage->name, &conn, &drop_in);
	return rc ? rc : keys_conn_root(&conn, out, why);
}

/* word NULL: the storage's. */
static int keys_named_root(struct session *s, const char *word, char **out,
			   struct buf *why)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	STAGE_LOCAL *stage = NULL;
	LOCATION_LOCAL where = { 0 };
	int rc;

	if (!word && s->config.has_storage)
		return keys_conn_root(&s->config.storage, out, why);
	if (!word)
		return buf_fail(
			why, -EINVAL,
			"there is no [storage]: name the stage, its URL "
			"or its directory");
	rc = location_parse(word, &where, why);
	if (!rc && *where.path)
		rc = buf_fail(why, -EINVAL,
			      "a stage has one key for all its files: name the "
			      "stage alone");
	if (!rc) {
		rc = session_stage(s, where.stage, &stage, &failure);
		buf_adds(why, buf_str(&failure.why));
	}
	return rc ? rc : keys_stage_root(s, stage, out, why);
}

/* A directory as it is written on a command line. */
static int keys_plain_root(const char *word, char **out, struct buf *why)
{
	const struct conn conn = { .url = (char *)word };

	if (strstr(word, "://"))
		return keys_conn_root(&conn, out, why);
	*out = realpath(word, NULL);
	return *out ? 0 : -errno;
}

static int keys_rotate(const char *word, int rc, char *root, struct buf *why)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	if (!rc)
		rc = local_key_rotate(root, why);
	if (rc) {
		buf_addf(&what, "cannot change the key of %s",
			 word ? word : "the storage");
		message(buf_str(&what),
			why->len ? buf_str(why) : strerror(-rc));
	}
	free(root);
	return rc ? STATUS_FAILED : STATUS_OK;
}

static int keys_rotate_word(const struct keys_options *o, const char *word)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	struct session s;
	char *root = NULL;
	int status = STATUS_OK, rc;

	if (word && *word != '@') {
		rc = keys_plain_root(word, &root, &why);
		status = keys_rotate(word, rc, root, &why);
	} else {
		status = cmd_status(session_open(o->config, &s));
		if (!status) {
			rc = keys_named_root(&s, word, &root, &why);
			status = keys_rotate(word, rc, root, &why);
		}
		session_close(&s);
	}
	return status;
}

static int keys_run(const struct command *c, int argc, char **argv)
{
	struct keys_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&keys_command, argc, argv, &o, &words, 2);

	if (!status && !words.n)
		status = cmd_usage(&keys_command, "what of them? rotate");
	else if (!status && strcmp(words.word[0], "rotate"))
		status = cmd_usage(&keys_command, "rotate is all that it does");
	if (!status)
		status = keys_rotate_word(&o,
					  words.n > 1 ? words.word[1] : NULL);
	option_clear(options, &o);
	return status;
}

const struct command keys_command = {
	.verb = "keys",
	.group = GROUP_GATEWAY,
	.brief = "ends all URLs that were handed out",
	.synopsis = "rotate [@STAGE|fs:///DIRECTORY/|DIRECTORY]",
	.help = "A new signing key for a local store (fs://), that of "
		"[storage] if nothing is named: pre-signed URLs of the old "
		"one are refused from then on, by running daemons too",
	.options = options,
	.run = keys_run,
};
