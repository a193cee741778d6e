/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the person at the terminal: asked on stderr, answered by a line
 * of standard input.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include <stdbool.h>

struct buf;

/* Can a person be asked? */
bool prompt_person(void);

/* One line of fd without its end, byte by byte: what follows it stays there
 * for another program that reads next. 0; -ENODATA an end before it,
 * -EMSGSIZE, -EINVAL. */
int prompt_read_line(int fd, struct buf *out);
int prompt_ask(const char *question, struct buf *out);
/* The same without echo. */
int prompt_secret(const char *question, struct buf *out);

#endif
