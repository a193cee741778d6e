/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements from a person at a terminal, with editing and a history.
 */
#ifndef CLI_SQL_PROMPT_H
#define CLI_SQL_PROMPT_H

/*
 * Asks for statements until the end of the input, `exit` or `quit`; each text
 * up to a `;` goes to run(), whose answer says whether it may be kept in the
 * history (no secret stands in it). 0 or -ENOMEM.
 */
int sql_prompt(int (*run)(void *arg, const char *text), void *arg);

#endif
