/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/closing.h"

#include <errno.h>
#include <stdbool.h>

#include "fs/close_errors.h"

#define OPENERS_MAX 64 /* other handles of the file that are looked at */

static bool closing_wrote(const struct closing *c)
{
	for (unsigned k = 0; k < c->n_writers; k++)
		if (c->writers[k] == c->caller)
			return true;
	return false;
}

static bool closing_has_other_writer(const struct closing *c)
{
	for (unsigned k = 0; k < c->n_writers; k++)
		if (c->writers[k] != c->caller &&
		    c->file(c->arg, c->writers[k]) == HOLDS_YES)
			return true;
	return false;
}

enum closing_answer closing_judge(const struct closing *c)
{
	enum closing_holds own =
		c->caller ? c->handle(c->arg, c->caller) : HOLDS_UNKNOWN;

	if (own != HOLDS_NO)
		return own == HOLDS_YES ? CLOSING_WAITS : CLOSING_UNKNOWN;
	if (c->opener && c->opener != c->caller &&
	    c->inherits(c->arg, c->opener) == HOLDS_YES &&
	    c->handle(c->arg, c->opener) == HOLDS_YES)
		return CLOSING_WAITS;
	return !closing_wrote(c) && closing_has_other_writer(c)
		       ? CLOSING_WAITS
		       : CLOSING_PUBLISHES;
}

/* ---- the same for a handle ---- */

struct closer {
	struct fs *fs;
	struct handle *handle;
	uint64_t ino;
	pid_t process;
};

static int closing_descriptors(const struct closer *x, pid_t process)
{
	const struct fs_processes *p = &x->fs->processes;

	return p->writers(p->arg, process, x->ino);
}

static enum closing_holds closing_holds_file(void *arg, pid_t process)
{
	int n = closing_descriptors(arg, process);

	return n < 0 ? HOLDS_UNKNOWN : n ? HOLDS_YES : HOLDS_NO;
}

static enum closing_holds closing_descends(struct fs *fs, pid_t process,
					   pid_t from)
{
	const struct fs_processes *p = &fs->processes;
	int is = from ? p->descends(p->arg, process, from) : -ESRCH;

	return is < 0 ? HOLDS_UNKNOWN : is ? HOLDS_YES : HOLDS_NO;
}

static enum closing_holds closing_inherits(void *arg, pid_t from)
{
	const struct closer *x = arg;

	return closing_descends(x->fs, x->process, from);
}

/*
 * Descriptors do not say of which handle they are. One for each other that the
 * process has opened is taken for that one's; of those that it may have
 * inherited (`exec 9>>f; flock 9; cp x f`) it has none, one or more.
 */
static enum closing_holds closing_holds_handle(void *arg, pid_t process)
{
	const struct closer *x = arg;
	pid_t openers[OPENERS_MAX];
	unsigned others, k;
	int n = closing_descriptors(x, process);

	if (n <= 0)
		return n < 0 ? HOLDS_UNKNOWN : HOLDS_NO;
	others = handle_openers(x->fs, x->handle, openers, OPENERS_MAX);
	if (others > OPENERS_MAX)
		return HOLDS_UNKNOWN;
	for (k = 0; k < others; k++)
		n -= openers[k] == process;
	if (n <= 0)
		return HOLDS_NO;
	for (k = 0; k < others; k++)
		if (openers[k] != process &&
		    closing_descends(x->fs, process, openers[k]) != HOLDS_NO)
			return HOLDS_UNKNOWN;
	return HOLDS_YES;
}

static pid_t closing_process_of(struct fs *fs, pid_t thread)
{
	const struct fs_processes *p = &fs->processes;

	return p->process && thread > 0 ? p->process(p->arg, thread) : 0;
}

void fs_opened_by(struct fs *fs, struct handle *h, pid_t thread)
{
	if (handle_writes(h))
		h->opener = closing_process_of(fs, thread);
}

void fs_written_by(struct fs *fs, struct handle *h, pid_t thread)
{
	pid_t process;

	if (thread <= 0 || file_writer_known(h->file, thread))
		return;
	process = closing_process_of(fs, thread);
	if (process)
		file_writer_add(h->file, thread, process);
}

static enum closing_answer closing_judge_handle(struct fs *fs, struct handle *h,
						pid_t process)
{
	pid_t writers[FILE_WRITERS];
	struct inode_view v;
	struct closer x = { .fs = fs, .handle = h, .process = process };
	struct closing c = {
		.caller = process,
		.opener = h->opener,
		.writers = writers,
		.handle = closing_holds_handle,
		.file = closing_holds_file,
		.inherits = closing_inherits,
		.arg = &x,
	};

	inode_view(fs->tree, file_inode(h->file), &v);
	x.ino = v.ino;
	c.n_writers = file_writers(h->file, writers);
	return closing_judge(&c);
}

static uint64_t closing_program_of(struct fs *fs, pid_t process)
{
	const struct fs_processes *p = &fs->processes;

	return p->program ? p->program(p->arg, process) : 0;
}

/* A close of that process's is answered before what it meant is stored. */
static void closing_note_waits(struct fs *fs, struct handle *h, pid_t process)
{
	pid_t before = h->waits;

	if (before == process)
		return;
	h->waits_program = closing_program_of(fs, process);
	h->waits = before ? HANDLE_MANY : process;
}

/*
 * Does an error of a close reach a program that could have it?
 *
 *   not when a shell has only emptied the file, which it does by dup2(2), for
 *   that drops the answer of the close that it makes; nor, for the same reason,
 *   when a program has moved the descriptor to another number itself, as shells
 *   do for what is built into them;
 *   not when others were told that all is well;
 *   not when the process is at its end.
 */
static bool closing_is_heard(struct fs *fs, struct handle *h, pid_t thread,
			     pid_t process)
{
	const struct fs_processes *p = &fs->processes;

	if ((h->flags & O_TRUNC) && !h->written)
		return false;
	if (h->waits && (h->waits != process ||
			 h->waits_program == closing_program_of(fs, process)))
		return false;
	return !process || !p->ending(p->arg, thread);
}

int fs_close(struct fs *fs, struct handle *h, pid_t thread)
{
	uint64_t size;
	pid_t process;
	int rc;

	if (!handle_writes(h) || h->state == HANDLE_SHORT ||
	    !file_size(h->file, &size))
		return fs_file_flush(fs, h);
	process = closing_process_of(fs, thread);
	switch (closing_judge_handle(fs, h, process)) {
	case CLOSING_WAITS:
		closing_note_waits(fs, h, process);
		return 0;
	case CLOSING_PUBLISHES:
		handle_changed(h);
		break;
	case CLOSING_UNKNOWN:
		break;
	}
	rc = fs_file_flush(fs, h);
	if (rc && !closing_is_heard(fs, h, thread, process))
		close_errors_failed(fs, h, rc);
	return rc;
}
