/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the command line: one row each, which serves the dispatch and
 * --help alike, and what the verbs share.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <limits.h>
#include <stdbool.h>

#include "base/option.h"

struct buf;
struct failure;

/* What the program exits with. */
enum cmd_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_INTERRUPTED = 130, /* as a shell says SIGINT */
};

/* What a verb is for: the order of --help. */
enum cmd_group {
	GROUP_MOUNT,
	GROUP_FILES,
	GROUP_STAGES,
	GROUP_GATEWAY,
	N_GROUPS
};

struct command {
	const char *verb; /* "" is a mount */
	const char *also; /* another name, as `ls`; or NULL */
	enum cmd_group group;
	const char *brief; /* for --help: at most 62 characters */
	/* What follows the verb; for a first word STAGE, and for KEY=VALUE, the
	 * completion has names. */
	const char *synopsis;
	const char *help; /* one line, no full stop */
	/* Names with their dashes: `--format`. NULL: none but --help. */
	const struct option *options;
	/* argv[0] is the verb (a mount's: the program). An enum cmd_status. */
	int (*run)(const struct command *c, int argc, char **argv);
	const void *how; /* run()'s, which several verbs may share */
};

extern const struct command mount_command, presign_command, list_command,
	check_command;
extern const struct command sql_command, remove_command, create_command,
	drop_command, show_command, desc_command;
extern const struct command get_command, put_command, passwd_command,
	serve_command, keys_command, help_command, init_command;
extern const struct command reload_command, stats_command, flush_command,
	recover_command;
extern const struct command cp_command, mv_command, cat_command;
extern const struct command du_command, tree_command, alter_command,
	sync_command, status_command;

/* The option that most have: the structure's `config`. */
#define CMD_CONFIG_ROW(struct_) \
	OPTION_ROW(struct_, "--config", STRING, config, .word = "FILE", \
		   .help = "configuration")

/* All of them, in the order of --help, with a NULL behind; set by main(). */
extern const struct command *const *cmd_all;
/* By either name, or NULL. */
const struct command *cmd_find(const char *verb);
/* A word is no verb: says so, with why and the nearest verb. STATUS_USAGE. */
int cmd_unknown(const char *word, const char *why);

/*
 * Splits a verb's arguments: `--name value`, `--name=value` (switches alone
 * too) into target, with defaults, and at most max words. `--` ends options.
 * The words are moved together behind argv[0], where out finds them.
 * STATUS_OK; STATUS_USAGE after one line on stderr. target is cleared by
 * option_clear() in either case.
 */
#define WORDS_ANY UINT_MAX
struct cmd_words {
	char **word;
	unsigned n;
};
int cmd_parse(const struct command *c, int argc, char **argv, void *target,
	      struct cmd_words *out, unsigned max);

/*
 * Options in front of the verb, as in `stagefs --config F list`: the verb goes
 * to argv[1] and they go behind it. False: no verb is there, and nothing moved.
 */
bool cmd_lead_verb(int argc, char **argv);

/* A usage error, in one line on stderr that points at --help. Returns
 * STATUS_USAGE. */
int cmd_usage(const struct command *c, const char *why);

/* All of a file; "-": of standard input. 0, -EFBIG or -errno. */
int cmd_read(const char *file, struct buf *out);

/* STATUS_OK, or STATUS_FAILED for an error that was said. */
int cmd_status(int rc);
/* Says why a statement failed; what: as in `cannot list @s/a`. Returns
 * STATUS_FAILED. */
int cmd_failure(const char *what, const struct failure *f);

#endif
