/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer until it is sent: exchange.c gathers it for a handler, callbacks.c
 * sends it.
 */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/file_body.h"

struct MHD_Response;
struct exchange;

struct answer {
	bool given;
	unsigned status;
	struct buf headers; /* name NUL value NUL ... */
	struct buf body;
	uint64_t len; /* of the body, wherever it is */
	struct file_body file;
};

void answer_init(struct answer *a);
/* Frees, closes. */
void answer_clear(struct answer *a);
/* x's answer, with everything that every answer says; takes the file. NULL
 * without memory. */
struct MHD_Response *answer_response(struct exchange *x, bool close);

#endif
