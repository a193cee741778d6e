/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs reload MOUNT` and what else is asked of a daemon that runs.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cmd.h"
#include "client/daemon.h"
#include "client/message.h"

#define ANSWER_MAX (4u << 20)

static const struct option no_options[] = { { 0 } };

static int control_run(const struct command *c, int argc, char **argv)
{
	BUF_LOCAL out = BUF_INIT(ANSWER_MAX), why = BUF_INIT(BUF_MESSAGE);
	BUF_LOCAL what = BUF_INIT(BUF_LINE);
	struct cmd_words words;
	int unused = 0;
	int status = cmd_parse(c, argc, argv, &unused, &words, 1);

	if (!status && words.n != 1)
		status = cmd_usage(c, "which mount? name its MOUNTPOINT");
	if (!status && daemon_ask(words.word[0], c->verb, &out, &why)) {
		buf_addf(&what, "%s: cannot %s", words.word[0],
			 (const char *)c->how);
		message(buf_str(&what), buf_str(&why));
		status = STATUS_FAILED;
	}
	fputs(buf_str(&out), stdout);
	return status;
}

const struct command reload_command = {
	.verb = "reload",
	.group = GROUP_MOUNT,
	.brief = "a mount's configuration again, while it runs",
	.synopsis = "MOUNTPOINT",
	.help = "Reads a mount's configuration again: keys, stages, "
		"metadata_ttl, log, log_level and log_format change, the rest "
		"is named",
	.options = no_options,
	.run = control_run,
	.how = "reload",
};

const struct command flush_command = {
	.verb = "flush",
	.group = GROUP_MOUNT,
	.brief = "a mount's write_back: send all that waits, and wait for it",
	.synopsis = "MOUNTPOINT",
	.help = "Sends what a mount has accepted and not sent yet "
		"(write_back), also what could not be sent before, and waits "
		"until the stores have it",
	.options = no_options,
	.run = control_run,
	.how = "send all",
};

const struct command stats_command = {
	.verb = "stats",
	.group = GROUP_MOUNT,
	.brief = "what a mount has sent, received and holds",
	.synopsis = "MOUNTPOINT",
	.help = "Counters of a mount, as Prometheus reads them; with a gateway "
		"they are in its /metrics as well",
	.options = no_options,
	.run = control_run,
	.how = "tell its counters",
};
