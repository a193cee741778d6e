/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines are read by read(2), so nothing of what follows is lost in a buffer.
 */
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

bool prompt_person(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* As read(2) of a byte; signals: those that come only while it waits, or NULL.
 * So none comes before read() has begun and is forgotten in it. */
static ssize_t prompt_read(int fd, char *c, const sigset_t *signals)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (signals && ppoll(&p, 1, NULL, signals) < 0)
		return -1;
	return read(fd, c, 1);
}

static int prompt_read_to_end(int fd, struct buf *out, const sigset_t *signals)
{
	char c = 0;
	ssize_t n;

	while ((n = prompt_read(fd, &c, signals)) == 1 && c != '\n' &&
	       !buf_err(out))
		buf_addc(out, c);
	if (n < 0)
		return -errno;
	if (buf_err(out))
		return -EMSGSIZE;
	if (!n && !out->len)
		return -ENODATA;
	if (out->len && out->data[out->len - 1] == '\r')
		buf_truncate(out, out->len - 1);
	return text_has_control(buf_str(out)) ||
			       strlen(buf_str(out)) != out->len
		       ? -EINVAL
		       : 0;
}

int prompt_read_line(int fd, struct buf *out)
{
	return prompt_read_to_end(fd, out, NULL);
}

static volatile sig_atomic_t caught;

static void catch (int signal)
{
	caught = signal;
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define N_ENDS (sizeof(ends) / sizeof(ends[0]))

/* The echo is off while a person types, and on again before a signal that came
 * meanwhile has its way. */
int prompt_secret(const char *question, struct buf *out)
{
	const struct sigaction now = { .sa_handler = catch };
	struct sigaction old[N_ENDS];
	struct termios before, quiet;
	sigset_t blocked, open;
	int rc;

	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	sigemptyset(&blocked);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaddset(&blocked, ends[i]);
	sigprocmask(SIG_BLOCK, &blocked, &open);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &now, &old[i]);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", question);
	fflush(stderr);
	rc = prompt_read_to_end(STDIN_FILENO, out, &open);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &old[i], NULL);
	sigprocmask(SIG_SETMASK, &open, NULL);
	if (caught)
		raise(caught);
	return rc;
}

int prompt_ask(const char *question, struct buf *out)
{
	fprintf(stderr, "%s: ", question);
	fflush(stderr);
	return prompt_read_line(STDIN_FILENO, out);
}
