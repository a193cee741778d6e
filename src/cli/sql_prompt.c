/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libedit reads the lines. The history is a file of the person's own, closed to
 * others; a statement with a secret never comes into it.
 */
#include "cli/sql_prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/text.h"
#include "sql/sql.h"

#define HISTORY_LINES 1000

struct prompt {
	EditLine *edit;
	History *history;
	char *file;
	bool open; /* a statement that has not ended */
};

static char *prompt_text(EditLine *edit)
{
	static char first[] = "stagefs> ", more[] = "    ...> ";
	struct prompt *p = NULL;

	el_get(edit, EL_CLIENTDATA, &p);
	return p->open ? more : first;
}

/* Where the history is kept; NULL: nowhere. */
static char *prompt_history_file(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	BUF_LOCAL path = BUF_INIT(4096);
	FD_LOCAL fd = -1;

	if (text_given(state))
		buf_addf(&path, "%s/stagefs", state);
	else if (text_given(home))
		buf_addf(&path, "%s/.local/state/stagefs", home);
	if (path.len && !dirs_make(buf_str(&path), 0700, 0700)) {
		buf_adds(&path, "/sql_history");
		fd = open(buf_str(&path),
			  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		return NULL;
	return buf_detach(&path);
}

static int prompt_open(struct prompt *p)
{
	HistEvent event;

	p->edit = el_init("stagefs", stdin, stdout, stderr);
	p->history = history_init();
	if (!p->edit || !p->history)
		return -ENOMEM;
	el_set(p->edit, EL_CLIENTDATA, p);
	el_set(p->edit, EL_PROMPT, prompt_text);
	el_set(p->edit, EL_EDITOR, "emacs");
	el_set(p->edit, EL_SIGNAL, 1);
	history(p->history, &event, H_SETSIZE, HISTORY_LINES);
	history(p->history, &event, H_SETUNIQUE, 1);
	el_set(p->edit, EL_HIST, history, p->history);
	p->file = prompt_history_file();
	if (p->file)
		history(p->history, &event, H_LOAD, p->file);
	return 0;
}

static void prompt_close(struct prompt *p)
{
	HistEvent event;

	if (p->history && p->file)
		history(p->history, &event, H_SAVE, p->file);
	if (p->edit)
		el_end(p->edit);
	if (p->history)
		history_end(p->history);
	free(p->file);
}

/* A word of the prompt's own ends it. */
static bool prompt_is_end(const char *text)
{
	static const char *const words[] = { "exit", "quit", "\\q", NULL };
	size_t n = strcspn(text, "; \t\n");

	for (const char *const *w = words; *w; w++)
		if (strlen(*w) == n && !strncasecmp(*w, text, n) &&
		    !text[n + strspn(text + n, "; \t\n")])
			return true;
	return false;
}

/* Does the text end with a `;`, but for white space? */
static bool prompt_is_whole(const struct buf *text)
{
	size_t n = text->len;

	while (n && strchr(" \t\r\n", text->data[n - 1]))
		n--;
	return n && text->data[n - 1] == ';';
}

static void prompt_keep(struct prompt *p, const struct buf *text)
{
	BUF_SECRET line = BUF_INIT(SQL_TEXT_MAX);
	HistEvent event;

	for (size_t i = 0; i < text->len; i++)
		buf_addc(&line, text->data[i] == '\n' ? ' ' : text->data[i]);
	history(p->history, &event, H_ENTER, buf_str(&line));
}

int sql_prompt(int (*run)(void *arg, const char *text), void *arg)
{
	BUF_SECRET text = BUF_INIT(SQL_TEXT_MAX);
	struct prompt p = { 0 };
	int rc = prompt_open(&p), n;
	const char *line;

	while (!rc && (line = el_gets(p.edit, &n)) && n > 0) {
		if (!text.len && !line[strspn(line, " \t\n")])
			continue;
		if (!text.len && prompt_is_end(line))
			break;
		buf_adds(&text, line);
		p.open = !prompt_is_whole(&text);
		if (p.open && !buf_err(&text))
			continue;
		if (run(arg, buf_str(&text)))
			prompt_keep(&p, &text);
		buf_wipe(&text);
		buf_init(&text, SQL_TEXT_MAX);
		p.open = false;
	}
	prompt_close(&p);
	return rc;
}
