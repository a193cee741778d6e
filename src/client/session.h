/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration with its catalog, open for one verb.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include <stdbool.h>

#include "config/config.h"

struct catalog;
struct failure;
struct http_engine;

struct session {
	struct config config;
	struct http_engine *engine;
	struct catalog *catalog;
	bool settled; /* session_settle() was called */
};

/*
 * Reads the configuration (file NULL: the search order) and opens what it
 * describes: no network. A person waits, so deadlines are cut to 15 s. 0, or
 * -errno after a line on stderr. session_close() in either case.
 */
int session_open(const char *file, struct session *out);
/* The same without any configuration: the engine alone. */
int session_open_bare(struct session *out);
void session_close(struct session *s);
#define SESSION_LOCAL __attribute__((cleanup(session_close))) struct session

/*
 * Before a store is asked for names, and before something is put there: what
 * this user's mounts have gathered is sent (client/daemon.h), once a session.
 * May block for as long as a mount does not answer: 3.5 s.
 */
void session_settle(struct session *s);

/* The stage of that name, with a reference. 0 or -errno. */
int session_stage(struct session *s, const char *name, struct stage **out,
		  struct failure *f);

#endif
