/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shell offers behind `stagefs`: verbs, their options and values, keys,
 * stages and the paths in them.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

struct command;

/* shell: `completion` (bash), `zsh` or `fish`. 0, or -EINVAL for another. */
int completion_print(const struct command *const *commands, const char *shell,
		     FILE *out);

#endif
