/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts tests/standin/server.py and speaks to its admin paths by a client of
 * its own, so that the engine under test is not what it is tested with.
 * Everything here blocks, and fails the test when it goes wrong.
 */
#ifndef TESTS_LIB_STANDIN_H
#define TESTS_LIB_STANDIN_H

#include <sys/types.h>

struct standin {
	pid_t pid;
	int life; /* the server ends when this is closed */
	unsigned port;
};

/* args: more words for the command line, ending in NULL; may be NULL. */
void standin_start(struct standin *s, const char *const *args);
void standin_stop(struct standin *s);

/* A key and its certificate for 127.0.0.1 in a new file, for --tls. */
void standin_certificate(const char *pem);
/* The same, from and until when, as `20400101000000Z`. */
void standin_certificate_dated(const char *pem, const char *from,
			       const char *until);

/* The body of the answer to an admin request; the caller frees it. */
char *standin_post(const struct standin *s, const char *path, const char *body);
char *standin_get(const struct standin *s, const char *path);

/* Adds a fault: its match and its action as inner JSON of the two objects. */
void standin_fault(const struct standin *s, const char *match,
		   const char *action);
void standin_reset(const struct standin *s);
/* Answers what the fault STANDIN_HOLD holds. */
void standin_release(const struct standin *s);
#define STANDIN_HOLD "\"type\": \"hold\""
/* A number of /_stats. */
long standin_stat(const struct standin *s, const char *name);

/* A port of 127.0.0.1 on which no process listens. */
unsigned standin_dead_port(void);

#endif
