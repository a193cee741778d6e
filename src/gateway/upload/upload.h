/*
 * `PUT` and `POST /v1/upload_to_stage`, as Databend has it: a form whose files
 * go into a stage (docs/gateway.md).
 */
#ifndef GATEWAY_UPLOAD_UPLOAD_H
#define GATEWAY_UPLOAD_UPLOAD_H

#include "gateway/exchange.h"

struct stage;

extern const struct exchange_handler upload_handler;

/* ---- upload_stage.c ---- */

/* Who sends it, and where to: 0 and the stage, with a reference, and the
 * folder in it (borrowed; NULL none); or it has been answered. *out may be set
 * then too. */
int upload_stage_find(struct exchange *x, struct stage **out,
		      const char **folder);

/* ---- upload_answer.c: how it answers ---- */

/* An error, with Databend's code. */
void upload_answer_refuse(struct exchange *x, unsigned status, unsigned code,
			  const char *message);
/* Somebody has to say who they are: 401. */
void upload_answer_login(struct exchange *x, const char *message);
/* A file that could not be stored: what that is by err, -errno. */
void upload_answer_refuse_file(struct exchange *x, int err, const char *name);
/* files: JSON strings with commas between them. */
void upload_answer(struct exchange *x, const char *stage, const char *files);

#endif
