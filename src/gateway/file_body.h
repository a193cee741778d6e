/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of a file that is open, as the body of an answer: of one version, or
 * cut short.
 */
#ifndef GATEWAY_FILE_BODY_H
#define GATEWAY_FILE_BODY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct MHD_Response;

/* And the size and time of the version that the headers tell of. */
struct file_body {
	int fd; /* -1: there is none */
	uint64_t offset, len;
	uint64_t size;
	struct timespec mtime;
};

/* Has it the content that the headers tell of? */
bool file_body_same(const struct file_body *f);
/* Takes the file over unless it is NULL, without memory. */
struct MHD_Response *file_body_response(const struct file_body *f);

#endif
