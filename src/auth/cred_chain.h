/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which providers are asked, in which order. Blocks on files, programs and
 * networks.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Standardized credential
 * providers"; botocore's order where that is silent.
 */
#ifndef AUTH_CRED_CHAIN_H
#define AUTH_CRED_CHAIN_H

#include <stdint.h>

struct cred_ask;
struct creds;

enum cred_choice {
	CRED_AUTO, /* the keys given; else every provider, in order */
	CRED_STATIC,
	CRED_ANONYMOUS, /* nothing is signed */
	/* Providers, which a list may have: */
	CRED_ENV,
	CRED_PROFILE,
	CRED_PROCESS, /* these three by the profile in use */
	CRED_WEB_IDENTITY, /* ... or the environment */
	CRED_SSO,
	CRED_CONTAINER,
	CRED_IMDS,
};

#define CRED_ORDER_MAX 8

/* A setting `credentials = ...`. */
struct cred_order {
	enum cred_choice choices[CRED_ORDER_MAX];
	unsigned n;
	char profile[256]; /* of profile:NAME; "": none */
};

/*
 * `auto`, `static`, `anonymous`, or one or more of `env`, `profile:NAME`,
 * `process`, `web_identity`, `sso`, `container`, `imds` with commas between
 * them (at most one profile). 0 or -EINVAL.
 */
int cred_chain_parse(const char *text, struct cred_order *out);
/* What may stand there, for messages. */
#define CRED_ORDER_WORDS \
	"auto, static, anonymous, or a list of env, profile:NAME, process, " \
	"web_identity, sso, container and imds"

/*
 * The first provider of the order that has any. AUTO is the whole of it;
 * STATIC and ANONYMOUS are not for here. *stamp: of the files, when they were
 * looked into, else 0. A profile named by AWS_PROFILE that is not there ends
 * the search.
 */
int cred_chain_read(struct cred_ask *ask, const struct cred_order *order,
		    int64_t *stamp, struct creds **out);

#endif
