/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When credentials are fetched anew: ahead of their end, in time for a URL
 * that is to outlive them, and later and later after failures. Pure.
 *
 * Source: botocore's periods, scaled down for credentials that live shorter.
 */
#ifndef AUTH_CRED_REFRESH_H
#define AUTH_CRED_REFRESH_H

#include <stdint.h>

#define CRED_ADVISORY_S 900
#define CRED_MANDATORY_S 600

enum cred_need {
	CRED_FINE,
	CRED_SOON, /* fetch others; no caller waits */
	CRED_NOW, /* fetch others, and wait for a moment */
	CRED_DEAD, /* nothing can be signed before there are others */
};

struct cred_life {
	int64_t now_s;
	int64_t obtained_s; /* when these were first had */
	int64_t expires_s; /* 0: never */
	int64_t until_s; /* what is signed wants to live as long; 0: no wish */
};
enum cred_need cred_refresh_need(const struct cred_life *l);

/* Milliseconds to leave the provider alone: after its nth failure in a row;
 * random is 32 random bits. */
int64_t cred_refresh_backoff(unsigned failures, uint32_t random);
/* ... and after a success, since it may answer the same ones until late. */
int64_t cred_refresh_pause(int64_t now_s, int64_t expires_s);

#endif
