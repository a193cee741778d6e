/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs passwd`: the hash of a password, for a [user NAME]. The password
 * comes from the terminal, without echo and twice, or as one line of standard
 * input; never from a command line, which others see.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "cli/cmd.h"
#include "cli/prompt.h"
#include "config/config.h"
#include "client/message.h"

struct passwd_options {
	int nothing; /* there are none yet */
};

static const struct option options[] = { { 0 } };

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
static int passwd_read(const char *user, struct buf *out, const char **why)
{
	BUF_SECRET again = BUF_INIT(KDF_PASSWORD_MAX);
	BUF_LOCAL ask = BUF_INIT(BUF_MESSAGE);
	bool person = isatty(STDIN_FILENO);
	int rc;

	buf_adds(&ask, "Password");
	if (user)
		buf_addf(&ask, " for %s", user);
	rc = person ? prompt_secret(buf_str(&ask), out)
		    : prompt_read_line(STDIN_FILENO, out);

	if (!rc && !out->len)
		rc = -EINVAL;
	if (!rc && person)
		rc = prompt_secret("Again", &again);
	*why = passwd_words_for(rc);
	if (!rc && person &&
	    (again.len != out->len ||
	     !digest_equal(buf_str(&again), buf_str(out), out->len))) {
		*why = "the two passwords differ";
		rc = -EINVAL;
	}
	return rc;
}

static int passwd_print_hash(const char *user, const struct buf *password)
{
	BUF_LOCAL hash = BUF_INIT(KDF_HASH_MAX);
	int rc = digest_init();

	if (!rc)
		rc = kdf_hash(buf_str(password), password->len, &hash);
	if (!rc && user)
		printf("[user %s]\npassword_hash = %s\n", user, buf_str(&hash));
	else if (!rc)
		printf("%s\n", buf_str(&hash));
	if (!rc && fflush(stdout))
		rc = -errno;
	return rc;
}

static int passwd_run(const struct command *c, int argc, char **argv)
{
	BUF_SECRET password = BUF_INIT(KDF_PASSWORD_MAX);
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
	rc = passwd_read(user, &password, &why);
	if (!rc) {
		rc = passwd_print_hash(user, &password);
		why = strerror(-rc);
	}
	if (!rc)
		return STATUS_OK;
	message("cannot make a hash", why);
	return STATUS_FAILED;
}

const struct command passwd_command = {
	.verb = "passwd",
	.group = GROUP_GATEWAY,
	.brief = "the hash of a password, for a [user NAME]",
	.synopsis = "[NAME]",
	.help = "the hash of a password, for a [user NAME] of the gateway: "
		"asked for, or one line of standard input; with NAME the "
		"whole section",
	.options = options,
	.run = passwd_run,
};
