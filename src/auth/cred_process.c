/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program may touch our own mount, hence it runs in `/`, has none of our
 * descriptors, and is waited for by a thread that holds no lock.
 *
 * It has ended when it has: a child of its own that keeps the output open does
 * not hold us up. So we look at both, output and process, and once the process
 * is gone we take what is there and go. What it wrote to standard output is
 * never shown; of standard error a piece becomes part of the message when it
 * fails.
 *
 * While the line is cut, one buffer gathers the word that is being read; `open`
 * says whether there is one, since "" is a word too.
 */
#include "auth/cred_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/cred_fields.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/waiter.h"

#define OUTPUT_MAX 65536
#define COMPLAINT_MAX 300 /* bytes shown of standard error */
#define SLICE_MS 50 /* between two looks at the process */

#define WORDS_MAX 128

extern char **environ;

/* ---- the words ---- */

struct splitter {
	struct buf word;
	bool open;
	char **words;
	unsigned n;
};

static int process_words_end(struct splitter *s)
{
	if (!s->open)
		return 0;
	if (s->n == WORDS_MAX)
		return -E2BIG;
	s->words[s->n] = strdup(buf_str(&s->word));
	if (!s->words[s->n] || buf_err(&s->word))
		return -ENOMEM;
	s->n++;
	s->open = false;
	buf_reset(&s->word);
	return 0;
}

/* *p stands behind the opening quote, and ends behind the closing one. */
static int process_words_take_quoted(struct splitter *s, char quote,
				     const char **p)
{
	for (; **p; ++*p) {
		if (**p == quote) {
			++*p;
			return 0;
		}
		if (quote == '"' && **p == '\\' &&
		    ((*p)[1] == '"' || (*p)[1] == '\\'))
			++*p;
		buf_addc(&s->word, **p);
	}
	return -EINVAL;
}

static int process_words_split(struct splitter *s, const char *p)
{
	int rc = 0;

	while (*p && !rc) {
		char c = *p++;

		if (strchr(" \t\r\n", c)) {
			rc = process_words_end(s);
			continue;
		}
		s->open = true;
		if (c == '\'' || c == '"')
			rc = process_words_take_quoted(s, c, &p);
		else if (c == '\\' && !*p)
			rc = -EINVAL;
		else
			buf_addc(&s->word, c == '\\' ? *p++ : c);
	}
	if (!rc)
		rc = process_words_end(s);
	return rc || s->n ? rc : -EINVAL;
}

int cred_process_words(const char *line, char ***out)
{
	struct splitter s = { .word = BUF_INIT(BUF_LINE) };
	int rc;

	*out = NULL;
	s.words = calloc(WORDS_MAX + 1, sizeof(*s.words));
	if (!s.words)
		return -ENOMEM;
	rc = process_words_split(&s, line);
	buf_clear(&s.word);
	if (rc)
		cred_process_words_free(s.words);
	else
		*out = s.words;
	return rc;
}

void cred_process_words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

/* ---- the program ---- */

struct run {
	pid_t pid;
	int fds[2]; /* its standard output and standard error; -1: ended */
	struct buf text[2];
	int status;
	bool gone;
};

static int process_files(posix_spawn_file_actions_t *a, int out_fd, int err_fd)
{
	int rc = posix_spawn_file_actions_init(a);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_addchdir_np(a, "/");
	if (!rc)
		rc = posix_spawn_file_actions_addopen(a, 0, "/dev/null",
						      O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(a, out_fd, 1);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(a, err_fd, 2);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(a, 3);
	return -rc;
}

/* A group of its own, and signals as a program expects them. */
static int process_attributes(posix_spawnattr_t *a)
{
	sigset_t none, all;
	int rc = posix_spawnattr_init(a);

	if (rc)
		return -rc;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setpgroup(a, 0);
	posix_spawnattr_setsigmask(a, &none);
	posix_spawnattr_setsigdefault(a, &all);
	return -posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP |
						    POSIX_SPAWN_SETSIGMASK |
						    POSIX_SPAWN_SETSIGDEF);
}

/* The ends to write to; above 2, so that none is in the way. */
static int process_spawn(struct run *r, char **words, int out_fd, int err_fd)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = process_files(&files, out_fd, err_fd);

	if (rc)
		return rc;
	rc = process_attributes(&attr);
	if (!rc) {
		rc = -posix_spawnp(&r->pid, words[0], &files, &attr, words,
				   environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* A pipe whose writing end is none of 0, 1 and 2. */
static int process_open_pipe(int *reader, int *writer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	*reader = ends[0];
	*writer = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
	close(ends[1]);
	if (*writer < 0 || fcntl(*reader, F_SETFL, O_NONBLOCK)) {
		int rc = -errno;

		close(*reader);
		if (*writer >= 0)
			close(*writer);
		*reader = -1;
		return rc;
	}
	return 0;
}

static int process_start(struct run *r, char **words)
{
	int out_fd, err_fd, rc = process_open_pipe(&r->fds[0], &out_fd);

	if (rc)
		return rc;
	rc = process_open_pipe(&r->fds[1], &err_fd);
	if (!rc) {
		rc = process_spawn(r, words, out_fd, err_fd);
		close(err_fd);
	}
	close(out_fd);
	return rc;
}

/* Reads what is there. False once there is too much on standard output. */
static bool process_drain(struct run *r)
{
	char piece[4096];

	for (int i = 0; i < 2; i++) {
		ssize_t n = 1;

		while (r->fds[i] >= 0 && n > 0) {
			n = read(r->fds[i], piece, sizeof(piece));
			if (n > 0 && !buf_err(&r->text[i]))
				buf_add(&r->text[i], piece, (size_t)n);
			if (!i && buf_err(&r->text[i]))
				return false;
			if (!n ||
			    (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(r->fds[i]);
				r->fds[i] = -1;
			}
		}
	}
	explicit_bzero(piece, sizeof(piece));
	return true;
}

static bool process_has_gone(struct run *r)
{
	pid_t pid = r->gone ? 0 : waitpid(r->pid, &r->status, WNOHANG);

	if (pid < 0 && errno != EINTR)
		r->status = -1;
	if (pid == r->pid || (pid < 0 && errno != EINTR))
		r->gone = true;
	return r->gone;
}

static void process_kill(struct run *r)
{
	if (r->gone)
		return;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
		;
	r->gone = true;
}

static int process_watch(struct run *r, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[2] = { { r->fds[0], POLLIN },
					 { r->fds[1], POLLIN } };
		bool gone = process_has_gone(r);

		if (!process_drain(r))
			return -EMSGSIZE;
		if (gone)
			return 0;
		if (waiter_interrupted(waiter_self()))
			return -EINTR;
		if (clock_mono_ms() >= until_ms)
			return -ETIMEDOUT;
		poll(fds, 2, SLICE_MS);
	}
}

static int process_fail(struct cred_ask *ask, const struct run *r, int rc,
			const char *provider, const char *program)
{
	BUF_LOCAL words = BUF_INIT(BUF_MESSAGE);
	const char *said = buf_str(&r->text[1]);

	if (rc == -ETIMEDOUT)
		buf_adds(&words, "did not end in time");
	else if (rc == -EMSGSIZE)
		buf_adds(&words, "writes without an end");
	else if (rc)
		buf_adds(&words, strerror(-rc));
	else if (r->status >= 0 && WIFEXITED(r->status))
		buf_addf(&words, "exit status %d", WEXITSTATUS(r->status));
	else if (r->status >= 0 && WIFSIGNALED(r->status))
		buf_addf(&words, "signal %d", WTERMSIG(r->status));
	else
		buf_adds(&words, "nobody knows how it ended");
	if (!rc && *said) {
		BUF_LOCAL piece = BUF_INIT(COMPLAINT_MAX);

		buf_add(&piece, said, strnlen(said, COMPLAINT_MAX));
		while (piece.len && piece.data[piece.len - 1] == '\n')
			buf_truncate(&piece, piece.len - 1);
		buf_adds(&words, ": ");
		text_one_line(&words, buf_str(&piece));
	}
	cred_ask_fail(ask, rc, "%s: ", provider);
	text_printable(&ask->why, program);
	buf_addf(&ask->why, ": %s", buf_str(&words));
	/* A program that is not there was asked for all the same. */
	return rc && rc != -ENOENT ? rc : -EACCES;
}

static int process_parse(struct cred_ask *ask, const struct buf *output,
			 const char *provider, const char *source,
			 struct creds **out)
{
	static const struct cred_json names = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "SessionToken",
		.end = "Expiration",
		.extra = "Version",
	};
	CRED_FIELDS_LOCAL f = { 0 };
	int rc = cred_fields_json(ask, provider, &names, output, &f);

	if (!rc && (!f.extra || strcmp(f.extra, "1")))
		rc = cred_ask_fail(ask, -EBADMSG, "%s answered no `Version`: 1",
				   provider);
	return rc ? rc
		  : cred_fields_make(ask, &f, CRED_END_ISO, provider, source,
				     out);
}

int cred_process_read(struct cred_ask *ask, const char *command,
		      int64_t timeout_ms, const char *provider,
		      const char *source, struct creds **out)
{
	struct run r = { .fds = { -1, -1 }, .gone = true };
	char **words;
	int rc = cred_process_words(command, &words);

	if (rc)
		return cred_ask_fail(ask, rc, "%s: %s", provider,
				     rc == -EINVAL
					     ? "a quote that is not closed, "
					       "or no program"
					     : strerror(-rc));
	buf_init(&r.text[0], OUTPUT_MAX);
	buf_init(&r.text[1], OUTPUT_MAX);
	ask->costly = true;
	rc = process_start(&r, words);
	if (!rc) {
		r.gone = false;
		rc = process_watch(&r, timeout_ms);
		process_kill(&r);
	}
	if (rc || r.status)
		rc = process_fail(ask, &r, rc, provider, words[0]);
	else
		rc = process_parse(ask, &r.text[0], provider, source, out);
	for (int i = 0; i < 2; i++) {
		if (r.fds[i] >= 0)
			close(r.fds[i]);
		buf_wipe(&r.text[i]);
	}
	cred_process_words_free(words);
	return rc;
}
