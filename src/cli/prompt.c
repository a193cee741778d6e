/*
 * Lines are read by read(2), so nothing of what follows is lost in a buffer.
 */
#include "cli/prompt.h"

#include <errno.h>
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

int prompt_read_line(int fd, struct buf *out)
{
	char c = 0;
	ssize_t n;

	while ((n = read(fd, &c, 1)) == 1 && c != '\n' && !buf_err(out))
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
	int rc;

	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &now, &old[i]);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", question);
	fflush(stderr);
	rc = prompt_read_line(STDIN_FILENO, out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &old[i], NULL);
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
