/*
 * An answer until it is sent. exchange.c's and server.c's.
 */
#ifndef GATEWAY_EXCHANGE_IMPL_H
#define GATEWAY_EXCHANGE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/exchange.h"

struct MHD_Response;

#define ANSWER_MAX (1 << 20) /* bytes of a body from memory */
#define ANSWER_HEADERS_MAX 32768

struct exchange_answer {
	bool given;
	unsigned status;
	struct buf headers; /* name NUL value NUL ... */
	struct buf body;
	uint64_t len; /* of the body, wherever it is */
	struct exchange_file file; /* fd -1: it is not there */
};

void exchange_answer_init(struct exchange_answer *a);
/* Frees, closes. */
void exchange_answer_clear(struct exchange_answer *a);
/* exchange_file.c: has it the content that the headers tell of? */
bool exchange_file_same(const struct exchange_file *f);
/* Takes the file over unless it is NULL, without memory. */
struct MHD_Response *exchange_file_response(const struct exchange_file *f);
/* With everything that every answer says; takes the fd. NULL without memory. */
struct MHD_Response *exchange_response(struct exchange *x, bool close);

#endif
