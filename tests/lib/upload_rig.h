/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway for uploads: `storage` on a local disk, external stages in memory
 * (`mem` and `ro` open to the upload API, `closed` not) and on a disk (`disk`),
 * and the users bob (password secret, writes s1 and mem) and eve (password
 * evil, writes nothing). Requests are written by hand.
 */
#ifndef TESTS_LIB_UPLOAD_RIG_H
#define TESTS_LIB_UPLOAD_RIG_H

#include "gateway_rig.h"

struct upload_rig {
	struct gateway_rig base;
	struct store *mem; /* borrowed */
	char hash[2][256];
	struct gateway_user users[2];
};

void upload_rig_open(struct upload_rig *rig,
		     void (*adjust)(struct gateway_settings *set));
void upload_rig_close(struct upload_rig *rig);

#define BOB "Authorization: Basic Ym9iOnNlY3JldA==\r\n"
#define EVE "Authorization: Basic ZXZlOmV2aWw=\r\n"
#define FORM_TYPE "Content-Type: multipart/form-data; boundary=b\r\n"
#define PART(filename) \
	"--b\r\nContent-Disposition: form-data; name=\"upload\"; filename=" \
	"\"" filename "\"\r\n\r\n"
#define FORM(filename, text) PART(filename) text "\r\n--b--\r\n"

/* The head of a PUT with these header lines; length < 0: chunked. */
void upload_rig_head(const struct upload_rig *rig, const char *lines,
		     int64_t length, struct buf *out);
/* All of a request. */
void upload_rig_send(const struct upload_rig *rig, const char *lines,
		     const void *body, size_t n, struct reply *out);
/* A form of one file of that size, byte i is i * 31 + seed. */
void upload_rig_form(struct buf *out, const char *filename, size_t size,
		     unsigned seed);
/* Is that file there, whole? */
bool upload_rig_there(struct store *s, const char *key, size_t size,
		      unsigned seed);
/* Waits a few seconds until nothing of an upload to `mem` is left. */
bool upload_rig_quiet(struct upload_rig *rig);

#endif
