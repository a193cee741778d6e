/* SPDX-License-Identifier: Apache-2.0 */
/* What a function writes to a descriptor meanwhile, as a string. */
#ifndef TESTS_LIB_CLI_FIXTURE_H
#define TESTS_LIB_CLI_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

struct said {
	FILE *file;
	int of, before; /* the descriptor, and what it was */
	char text[4096];
};

static inline void said_begin(struct said *s, int fd)
{
	fflush(NULL);
	s->of = fd;
	s->before = dup(fd);
	s->file = tmpfile();
	assert_non_null(s->file);
	assert_true(s->before >= 0 && dup2(fileno(s->file), fd) == fd);
}

/* All of it must fit. */
static inline void said_end(struct said *s)
{
	ssize_t n;

	fflush(NULL);
	n = pread(fileno(s->file), s->text, sizeof(s->text), 0);
	dup2(s->before, s->of);
	close(s->before);
	fclose(s->file);
	assert_true(n >= 0 && n < (ssize_t)sizeof(s->text));
	s->text[n] = '\0';
}

#endif
