/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs sync`: a directory of this machine or of a stage is brought up to
 * date with another. Both are listed once; with --delete what the source has
 * not goes, unless anything of the source could not be read.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/transfer_verb.h"
#include "stage/location.h"
#include "stage/stage.h"
#include "transfer/transfer_sync.h"

static void sync_check(const struct transfer_options *o,
		       const struct cmd_words *w, struct buf *why)
{
	bool stage = false;

	if (w->n != 2) {
		buf_adds(why, "which directory, and which shall be like it? "
			      "One of a stage is @stage/path");
		return;
	}
	for (unsigned i = 0; i < 2 && !why->len; i++) {
		if (!*w->word[i])
			buf_adds(why, "a name is empty");
		if (*w->word[i] != '@')
			continue;
		stage = true;
		location_check(w->word[i], why);
	}
	if (!why->len && !stage)
		buf_adds(why, "neither is in a stage (@stage/path): that is "
			      "rsync(1)'s");
}

/* The target's listing. As transfer_sync_stage(). path: in its stage, without
 * a '/' at its end. */
static int sync_target(struct transfer_plan *p, const char *word,
		       struct stage **stage, struct buf *path)
{
	LOCATION_LOCAL where = { 0 };
	int rc;

	if (*word != '@')
		return transfer_sync_local(p, word);
	rc = transfer_plan_stage(p, "copy to", word, &where, stage);
	if (rc <= 0)
		return rc;
	buf_adds(path, where.path);
	if (text_ends_with(buf_str(path), "/"))
		buf_truncate(path, path->len - 1);
	return transfer_sync_stage(p, *stage, buf_str(path));
}

static int sync_source(struct transfer_plan *p, const char *word,
		       const char *target, struct stage *stage,
		       const char *path)
{
	BUF_LOCAL from = BUF_INIT(BUF_LINE);
	struct stat st;
	int rc;

	buf_addf(&from, "%s%s", word, text_ends_with(word, "/") ? "" : "/");
	rc = buf_err(&from);
	if (!rc && *word == '@') {
		p->to = stage ? stage_ref(stage) : NULL;
		rc = transfer_find(p, buf_str(&from), stage ? path : target,
				   true);
	} else if (!rc && (stat(word, &st) || !S_ISDIR(st.st_mode))) {
		transfer_fail(p->t,
			      stat(word, &st) ? strerror(errno)
					      : strerror(ENOTDIR),
			      "cannot read %s", word);
	} else if (!rc) {
		rc = transfer_walk(p, buf_str(&from), stage, path, false);
	}
	return rc;
}

static int sync_plan(struct transfer_plan *p, const struct transfer_options *o,
		     const struct cmd_words *w)
{
	BUF_LOCAL path = BUF_INIT(BUF_LINE);
	STAGE_LOCAL *stage = NULL;
	int rc = sync_target(p, w->word[1], &stage, &path);

	p->recursive = true;
	p->literal = true;
	if (rc > 0)
		rc = sync_source(p, w->word[0], w->word[1], stage,
				 buf_str(&path));
	if (!rc && o->delete &&p->sync && !transfer_failed(p->t))
		rc = transfer_sync_remove(p);
	return rc;
}

static const struct option sync_options[] = {
	TRANSFER_ROW("--delete", BOOL, delete, .def = "no",
		     .help = "remove what the source has not"),
	TRANSFER_ROWS,
	{ 0 },
};

const struct command sync_command = {
	.verb = "sync",
	.group = GROUP_FILES,
	.brief = "make a directory like another; --delete what is not there",
	.synopsis = "SOURCE TARGET [--delete] [--dry-run]",
	.help = "Copies what is new, of another size, or younger than its copy "
		"from a directory to another, one or both of a stage "
		"(@STAGE/PATH); both are listed once, and no file is read to "
		"compare",
	.options = sync_options,
	.run = transfer_verb_run,
	.how =
		&(const struct transfer_verb_ops){
			.again = "the same command again does the rest",
			.check = sync_check,
			.plan = sync_plan,
		},
};
