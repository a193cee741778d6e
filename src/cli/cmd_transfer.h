/*
 * What get and put have in common: options, rows, and the frame in which
 * files are found and moved.
 */
#ifndef CLI_CMD_TRANSFER_H
#define CLI_CMD_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer_plan.h"

struct command;

struct transfer_options {
	char *config, *row, *content_type, *ca_file, *proxy;
	uint64_t parallel;
	bool recursive, quiet, no_glob, skip_existing;
	bool no_clobber; /* get */
	bool exact; /* put */
};

#define TRANSFER_ROW(name_, type_, field, ...) \
	{ \
		.name = name_, .type = OPTION_##type_, \
		.offset = offsetof(struct transfer_options, field), \
		__VA_ARGS__ \
	}
/* The rows that both tables begin with. */
#define TRANSFER_ROWS \
	TRANSFER_ROW("--config", STRING, config, \
		     .help = "configuration file"), \
		TRANSFER_ROW("--recursive", BOOL, recursive, .def = "no", \
			     .help = "directories with all that is in them"), \
		TRANSFER_ROW("-r", BOOL, recursive, .alias_of = "--recursive", \
			     .help = "the same as --recursive"), \
		TRANSFER_ROW("--parallel", UINT, parallel, .min = 1, \
			     .max = TRANSFER_PARALLEL_MAX, .def = "8", \
			     .help = "requests at once"), \
		TRANSFER_ROW( \
			"--quiet", BOOL, quiet, .def = "no", \
			.help = "no progress, which only a terminal gets"), \
		TRANSFER_ROW("-q", BOOL, quiet, .alias_of = "--quiet", \
			     .help = "the same as --quiet"), \
		TRANSFER_ROW( \
			"--skip-existing", BOOL, skip_existing, .def = "no", \
			.help = "pass over files whose size and MD5 (by the " \
				"ETag) are there already"), \
		TRANSFER_ROW("--no-glob", BOOL, no_glob, .def = "no", \
			     .help = "* ? [ in names are themselves"), \
		TRANSFER_ROW("--ca-file", STRING, ca_file, .max = 4096, \
			     .help = "certificates to trust (default: the " \
				     "stage's, the system's)"), \
		TRANSFER_ROW( \
			"--proxy", STRING, proxy, .max = 2048, \
			.help = "http://HOST:PORT (default: the stage's)")

struct transfer_words {
	const char **word;
	unsigned n;
};

/* One direction. */
struct transfer_verb_ops {
	const struct command *command;
	const char *what; /* "download" */
	const char *method; /* of a URL that came alone */
	/* Checks words before anything is opened; an enum cmd_status. */
	int (*check)(const struct transfer_options *o,
		     const struct transfer_words *w);
	/* Finds the files and queues them: -EINTR, -ENOMEM or 0. */
	int (*plan)(struct transfer_plan *p, const struct transfer_options *o,
		    const struct transfer_words *w);
	int (*plan_rows)(struct transfer_plan *p,
			 const struct transfer_options *o,
			 const struct transfer_words *w,
			 struct transfer_rows *rows);
};

/* The verb, whole: an enum cmd_status. */
int cmd_transfer(const struct transfer_verb_ops *ops, int argc, char **argv);

#endif
