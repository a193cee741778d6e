/*
 * `stagefs passwd`: the hash of a password, for a [user NAME]. The password
 * comes from the terminal, without echo and twice, or as one line of standard
 * input; never from a command line, which others see.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "config/config.h"
#include "client/message.h"

struct passwd_options {
	int nothing; /* there are none yet */
};

static const struct option options[] = { { 0 } };

/*
 * One line of fd without its end, byte by byte: what follows it stays there
 * for another program that reads next. 0; -ENODATA an end before it,
 * -EMSGSIZE, -EINVAL.
 */
static int passwd_read_line(int fd, struct buf *out)
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
static int passwd_ask(const char *prompt, const char *user, struct buf *out)
{
	const struct sigaction now = { .sa_handler = catch };
	struct sigaction old[N_ENDS];
	struct termios before, quiet;
	int rc;

	fprintf(stderr, user ? "%s for %s: " : "%s: ", prompt, user);
	fflush(stderr);
	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &now, &old[i]);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	rc = passwd_read_line(STDIN_FILENO, out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaction(ends[i], &old[i], NULL);
	if (caught)
		raise(caught);
	return rc;
}

static const char *passwd_words_for(int rc)
{
	switch (rc) {
	case -ENODATA:
		return "no password was given";
	case -EMSGSIZE:
		return "a password has at most 1024 bytes";
	case -EINVAL:
		return "a password is not empty and has no control characters";
	default:
		return strerror(-rc);
	}
}

/* 0, or -errno and what is wrong in *why. */
static int read_password(const char *user, struct buf *out, const char **why)
{
	struct buf again = BUF_INIT(KDF_PASSWORD_MAX);
	bool person = isatty(STDIN_FILENO);
	int rc = person ? passwd_ask("Password", user, out)
			: passwd_read_line(STDIN_FILENO, out);

	if (!rc && !out->len)
		rc = -EINVAL;
	if (!rc && person)
		rc = passwd_ask("Again", NULL, &again);
	*why = passwd_words_for(rc);
	if (!rc && person &&
	    (again.len != out->len ||
	     !digest_equal(buf_str(&again), buf_str(out), out->len))) {
		*why = "the two passwords differ";
		rc = -EINVAL;
	}
	buf_wipe(&again);
	return rc;
}

static int passwd_print_hash(const char *user, const struct buf *password)
{
	struct buf hash = BUF_INIT(KDF_HASH_MAX);
	int rc = digest_init();

	if (!rc)
		rc = kdf_hash(buf_str(password), password->len, &hash);
	if (!rc && user)
		printf("[user %s]\npassword_hash = %s\n", user, buf_str(&hash));
	else if (!rc)
		printf("%s\n", buf_str(&hash));
	buf_clear(&hash);
	if (!rc && fflush(stdout))
		rc = -errno;
	return rc;
}

static int passwd_run(const struct command *c, int argc, char **argv)
{
	struct buf password = BUF_INIT(KDF_PASSWORD_MAX);
	struct passwd_options o = { 0 };
	struct cmd_words words;
	const char *user, *why = NULL;
	int status = cmd_parse(&passwd_command, argc, argv, &o, &words, 1), rc;

	if (status)
		return status;
	user = words.n ? words.word[0] : NULL;
	if (user && !config_user_name_valid(user))
		return cmd_usage(&passwd_command,
				 "a user's name has no slash and no colon, is "
				 "not . or .., and has at most 255 bytes");
	rc = read_password(user, &password, &why);
	if (!rc) {
		rc = passwd_print_hash(user, &password);
		why = strerror(-rc);
	}
	buf_wipe(&password);
	if (!rc)
		return STATUS_OK;
	message("cannot make a hash", why);
	return STATUS_FAILED;
}

const struct command passwd_command = {
	.verb = "passwd",
	.synopsis = "[NAME]",
	.help = "the hash of a password, for a [user NAME] of the gateway: "
		"asked for, or one line of standard input; with NAME the "
		"whole section",
	.options = options,
	.run = passwd_run,
};
