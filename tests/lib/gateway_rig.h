/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway over two local stores, `storage` and the external stage `ext`, on a
 * loopback port, with a clock of the test's; and a client of its own that signs
 * and speaks as it is told. Whatever fails ends the test.
 */
#ifndef TESTS_LIB_GATEWAY_RIG_H
#define TESTS_LIB_GATEWAY_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/service/gateway.h"
#include "sign/sigv4.h"
#include "store/local/local.h"
#include "unit.h"

#include "local_rig.h"

#define RIG_FIELDS 12

struct gateway_rig {
	struct local_rig disk, other; /* of `storage` and `ext` */
	struct catalog *catalog;
	struct gateway *gateway;
	struct budget *budget;
	unsigned port;
	char host[32]; /* 127.0.0.1:PORT */
};

/* What the gateway takes for the present. */
extern int64_t rig_now;

/* adjust: changes the settings first; may be NULL. ext is read-only if ro. */
void gateway_rig_open(struct gateway_rig *rig,
		      void (*adjust)(struct gateway_settings *set));
void gateway_rig_open_ro(struct gateway_rig *rig);
void gateway_rig_close(struct gateway_rig *rig);

/* A request for an object. Lists end with a row without a name. */
struct ask {
	const char *method; /* NULL: GET */
	const char *store; /* NULL: storage */
	const char *key;
	const char *host; /* NULL: the rig's; signed */
	struct field query[RIG_FIELDS];
	struct field signs[RIG_FIELDS]; /* headers, signed and sent */
	struct field sends[RIG_FIELDS]; /* headers, sent */
	int64_t expire; /* 0: 3600 */
	const char *body; /* NULL: none */
	size_t len; /* 0: the string's */
};

struct reply {
	unsigned status; /* 0: none came */
	char *head; /* lines, from the status on */
	char *body;
	size_t len;
};

/* The request target that pre-signs it; to be freed. */
char *rig_target(const struct gateway_rig *rig, const struct ask *a);
/* Sends it; target NULL: as it is signed. */
void rig_ask(const struct gateway_rig *rig, const struct ask *a,
	     const char *target, struct reply *out);
/* Sends bytes as they are, and reads until the other side ends. */
void rig_raw(const struct gateway_rig *rig, const void *bytes, size_t n,
	     struct reply *out);
int rig_connect(const struct gateway_rig *rig);
void rig_read(int fd, struct reply *out); /* closes fd */
void reply_clear(struct reply *r);
/* A header's value, good until the next call; NULL: it did not come. */
const char *reply_header(const struct reply *r, const char *name);

/* Asks and compares the status, and `<Code>` unless code is NULL. */
void rig_expect(const struct gateway_rig *rig, const char *sentence,
		const struct ask *a, unsigned status, const char *code);
void reply_expect(const char *sentence, const struct reply *r, unsigned status,
		  const char *code);

#endif
