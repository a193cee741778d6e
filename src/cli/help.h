/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `stagefs --help`, `stagefs help TOPIC` and `stagefs VERB --help` print,
 * and what the manual page takes from there: texts that are no options.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct command;

struct help_entry {
	const char *form, *text;
};

/* Each ends with a row without a form. */
extern const struct help_entry help_examples[], help_attributes[],
	help_stores[], help_environment[], help_files[], help_exits[];

/* The page: verbs by their purpose, and examples. */
void help_page(const struct command *const *commands, FILE *out);
/* What `stagefs --version` prints. */
void help_version(FILE *out);
void help_verb(const struct command *c, FILE *out);

/* The words behind `stagefs help` that are no verbs, each behind a space. */
void help_topic_words(FILE *out);

#endif
