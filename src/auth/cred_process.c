/*
 * The program may touch our own mount, hence it runs in `/`, has none of our
 * descriptors, and is waited for by a thread that holds no lock.
 *
 * It has ended when it has: a child of its own that keeps the output open does
 * not hold us up. So we look at both, output and process, and once the process
 * is gone we take what is there and go. What it wrote to standard output is
 * shown to nobody; of standard error a piece becomes part of the message when
 * it fails.
 */
#include "auth/cred_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/cred_ask.h"
#include "auth/cred_fields.h"
#include "auth/cred_words.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/wait.h"

#define OUTPUT_MAX 65536
#define COMPLAINT_MAX 300 /* bytes shown of standard error */
#define SLICE_MS 50 /* between two looks at the process */

extern char **environ;

struct run {
	pid_t pid;
	int fds[2]; /* its standard output and standard error; -1: ended */
	struct buf text[2];
	int status;
	bool gone;
};

static int file_actions(posix_spawn_file_actions_t *a, int out, int err)
{
	int rc = posix_spawn_file_actions_init(a);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_addchdir_np(a, "/");
	if (!rc)
		rc = posix_spawn_file_actions_addopen(a, 0, "/dev/null",
						      O_RDONLY, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(a, out, 1);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(a, err, 2);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(a, 3);
	return -rc;
}

/* A group of its own, and signals as a program expects them. */
static int attributes(posix_spawnattr_t *a)
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

/* out and err: the ends to write to; above 2, so that none is in the way. */
static int spawn(struct run *r, char **words, int out, int err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = file_actions(&files, out, err);

	if (rc)
		return rc;
	rc = attributes(&attr);
	if (!rc) {
		rc = -posix_spawnp(&r->pid, words[0], &files, &attr, words,
				   environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* A pipe whose writing end is none of 0, 1 and 2. */
static int open_pipe(int *reader, int *writer)
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

static int start(struct run *r, char **words)
{
	int out, err, rc = open_pipe(&r->fds[0], &out);

	if (rc)
		return rc;
	rc = open_pipe(&r->fds[1], &err);
	if (!rc) {
		rc = spawn(r, words, out, err);
		close(err);
	}
	close(out);
	return rc;
}

/* Reads what is there. False once there is too much on standard output. */
static bool drain(struct run *r)
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

static bool has_gone(struct run *r)
{
	pid_t pid = r->gone ? 0 : waitpid(r->pid, &r->status, WNOHANG);

	if (pid < 0 && errno != EINTR)
		r->status = -1;
	if (pid == r->pid || (pid < 0 && errno != EINTR))
		r->gone = true;
	return r->gone;
}

static void kill_all(struct run *r)
{
	if (r->gone)
		return;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
		;
	r->gone = true;
}

static int watch(struct run *r, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[2] = { { r->fds[0], POLLIN },
					 { r->fds[1], POLLIN } };
		bool gone = has_gone(r);

		if (!drain(r))
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

static int complain(struct cred_ask *ask, const struct run *r, int rc,
		    const char *who, const char *program)
{
	struct buf words = BUF_INIT(BUF_MESSAGE);
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
		struct buf piece = BUF_INIT(COMPLAINT_MAX);

		buf_add(&piece, said, strnlen(said, COMPLAINT_MAX));
		while (piece.len && piece.data[piece.len - 1] == '\n')
			buf_truncate(&piece, piece.len - 1);
		buf_adds(&words, ": ");
		text_one_line(&words, buf_str(&piece));
		buf_clear(&piece);
	}
	cred_ask_fail(ask, rc, "%s: ", who);
	text_printable(&ask->err, program);
	buf_addf(&ask->err, ": %s", buf_str(&words));
	buf_clear(&words);
	/* A program that is not there was asked for all the same. */
	return rc && rc != -ENOENT ? rc : -EACCES;
}

static int parse(struct cred_ask *ask, const struct buf *output,
		 const char *who, const char *source, struct creds **out)
{
	static const char *const names[] = { "AccessKeyId", "SecretAccessKey",
					     "SessionToken", "Expiration",
					     "Version" };
	char *values[5] = { 0 };
	int rc = cred_fields_json(ask, who, buf_str(output), output->len, NULL,
				  names, values, 5);
	struct cred_fields f = { values[0], values[1], values[2], values[3] };

	if (!rc && (!values[4] || strcmp(values[4], "1")))
		rc = cred_ask_fail(ask, -EBADMSG, "%s answered no `Version`: 1",
				   who);
	if (!rc)
		rc = cred_fields_make(ask, &f, CRED_END_ISO, who, source, out);
	cred_fields_clear(&f);
	cred_wipe_free(values[4]);
	return rc;
}

int cred_process_read(struct cred_ask *ask, const char *command,
		      int64_t timeout_ms, const char *who, const char *source,
		      struct creds **out)
{
	struct run r = { .fds = { -1, -1 }, .gone = true };
	char **words;
	int rc = cred_words(command, &words);

	if (rc)
		return cred_ask_fail(ask, rc, "%s: %s", who,
				     rc == -EINVAL
					     ? "a quote that is not closed, "
					       "or no program"
					     : strerror(-rc));
	buf_init(&r.text[0], OUTPUT_MAX);
	buf_init(&r.text[1], OUTPUT_MAX);
	ask->costly = true;
	rc = start(&r, words);
	if (!rc) {
		r.gone = false;
		rc = watch(&r, timeout_ms);
		kill_all(&r);
	}
	if (rc || r.status)
		rc = complain(ask, &r, rc, who, words[0]);
	else
		rc = parse(ask, &r.text[0], who, source, out);
	for (int i = 0; i < 2; i++) {
		if (r.fds[i] >= 0)
			close(r.fds[i]);
		buf_wipe(&r.text[i]);
	}
	cred_words_free(words);
	return rc;
}
