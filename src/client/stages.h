/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CREATE, ALTER, DROP, SHOW and DESC STAGE do.
 */
#ifndef CLIENT_STAGES_H
#define CLIENT_STAGES_H

#include <stdbool.h>
#include <stdint.h>

struct failure;
struct output;
struct session;
struct sql_statement;

/* The rows that SHOW STAGES has; like NULL: all, else a pattern. */
int stages_show(struct session *s, const char *like, uint64_t limit,
		const struct output *o, struct failure *f);
/* One of them by name. must: it is an error when there is none. */
int stages_show_one(struct session *s, const char *name, bool must,
		    const struct output *o, struct failure *f);

/* CREATE STAGE, ALTER STAGE: what the structure says. */
int stages_create(struct session *s, const struct sql_statement *q,
		  struct failure *f);
int stages_alter(struct session *s, const struct sql_statement *q,
		 struct failure *f);
/* files: an internal stage goes with its files; else it must be empty. */
int stages_drop(struct session *s, const char *name, bool if_exists, bool files,
		struct failure *f);

#endif
