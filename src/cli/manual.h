/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual pages and the shell's completion, from the tables that the
 * program itself uses: what they say is what is parsed.
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdio.h>

struct command;

/* what: `man1`, `man5`, `man8`, or completion_print()'s. 0, or -EINVAL for
 * anything else. */
int manual_print(const struct command *const *commands, const char *what,
		 FILE *out);

#endif
