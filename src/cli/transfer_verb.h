/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What get, put, cp, mv, cat and sync share: their options, and the frame that
 * parses, opens, runs and sums up.
 */
#ifndef CLI_TRANSFER_VERB_H
#define CLI_TRANSFER_VERB_H

#include <stdbool.h>

#include "base/option.h"
#include "transfer/transfer.h"
#include "transfer/transfer_plan.h"

struct buf;
struct cmd_words;
struct command;

struct transfer_options {
	char *config, *row, *content_type, *ca_file, *proxy;
	char *include, *exclude; /* patterns, one a line */
	struct transfer_settings set;
	bool recursive, no_glob;
	bool exact; /* put */
	bool delete; /* sync */
};

#define TRANSFER_ROW(...) OPTION_ROW(transfer_options, __VA_ARGS__)
#define TRANSFER_RECURSIVE_ROWS \
	TRANSFER_ROW("--recursive", BOOL, recursive, .def = "no", \
		     .help = "directories with all that is in them"), \
		TRANSFER_ROW("-r", BOOL, recursive, .alias_of = "--recursive", \
			     .help = "the same as --recursive")
/* The rows of every such verb. */
#define TRANSFER_ROWS \
	TRANSFER_ROW("--config", STRING, config, .word = "FILE", \
		     .help = "configuration"), \
		TRANSFER_ROW("--include", STRING, include, .word = "PATTERN", \
			     .flags = OPTION_REPEATED, .max = BUF_LINE, \
			     .help = "of directories only files that match: " \
				     "their name, or with a / in PATTERN " \
				     "their path below; may be repeated"), \
		TRANSFER_ROW("--exclude", STRING, exclude, .word = "PATTERN", \
			     .flags = OPTION_REPEATED, .max = BUF_LINE, \
			     .help = "not those that match; may be " \
				     "repeated"), \
		TRANSFER_ROW("--dry-run", BOOL, set.dry_run, .def = "no", \
			     .help = "print what would be done, and do " \
				     "nothing"), \
		TRANSFER_ROW( \
			"--json", BOOL, set.json, .def = "no", \
			.help = "a line of JSON for each file: from, to, " \
				"size, status, error"), \
		TRANSFER_ROW("--limit-rate", SIZE, set.rate, .min = 1, \
			     .help = "bytes a second, for all together"), \
		TRANSFER_ROW("--parallel", UINT, set.parallel, .min = 1, \
			     .max = TRANSFER_PARALLEL_MAX, .def = "8", \
			     .help = "requests at once"), \
		TRANSFER_ROW( \
			"--quiet", BOOL, set.quiet, .def = "no", \
			.help = "no progress, which only a terminal gets"), \
		TRANSFER_ROW("-q", BOOL, set.quiet, .alias_of = "--quiet", \
			     .help = "the same as --quiet"), \
		TRANSFER_ROW("--no-glob", BOOL, no_glob, .def = "no", \
			     .help = "* ? [ in names are themselves"), \
		TRANSFER_ROW("--ca-file", STRING, ca_file, .max = 4096, \
			     .word = "FILE", \
			     .help = "certificates to trust (default: the " \
				     "stage's, the system's)"), \
		TRANSFER_ROW( \
			"--proxy", STRING, proxy, .max = 2048, \
			.help = "http://HOST:PORT (default: the stage's)")
#define TRANSFER_SKIP_ROW \
	TRANSFER_ROW("--skip-existing", BOOL, set.skip_existing, .def = "no", \
		     .help = "pass over files whose size and MD5 (by the " \
			     "ETag) are there already")

/* One verb. */
struct transfer_verb_ops {
	const char *method; /* of a URL that came alone */
	bool move; /* what was copied goes */
	bool quiet; /* as --quiet */
	/* How to go on after Ctrl-C. */
	const char *again;
	/* What is wrong with the words, before anything is opened. */
	void (*check)(const struct transfer_options *o,
		      const struct cmd_words *w, struct buf *why);
	/* Finds the files and queues them: -EINTR, -ENOMEM or 0. */
	int (*plan)(struct transfer_plan *p, const struct transfer_options *o,
		    const struct cmd_words *w);
	int (*plan_rows)(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct cmd_words *w, struct transfer_rows *rows);
	/* When all has arrived. STATUS_OK, or STATUS_FAILED after a line. */
	int (*after)(struct transfer_plan *p, const struct transfer_options *o,
		     const struct cmd_words *w);
};

/* A verb's run(), whose `how` are its ops. */
int transfer_verb_run(const struct command *c, int argc, char **argv);

#endif
