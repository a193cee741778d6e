/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cache's settings, and one fetch of credentials by them. For
 * auth/cred_cache.c alone.
 */
#ifndef AUTH_CRED_PLAN_H
#define AUTH_CRED_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/cred_ask.h"
#include "auth/cred_chain.h"

struct cred_settings;
struct creds;

/* What a cache knows for life; owned. */
struct cred_plan {
	struct cred_order order;
	struct creds *given; /* the keys of the settings; NULL: none */
	/* What these were read by; NULL: they are for good. */
	char *id_from, *secret_from, *token_from;
	bool half_given;
	char *role_arn, *external_id, *region;
	struct http_lane *far, *near;
};
/* 0, -EINVAL or -ENOMEM; cleared by the caller in any case. */
int cred_plan_init(struct cred_plan *plan, const struct cred_settings *s);
void cred_plan_clear(struct cred_plan *plan);

/* True when nothing is ever signed. */
bool cred_plan_anonymous(const struct cred_plan *plan);
/* True when the given keys are all there is: no fetch is needed. */
bool cred_plan_fixed(const struct cred_plan *plan);
/* True when a fetch reads the given keys again, by their references. */
bool cred_plan_rereads(const struct cred_plan *plan);

struct cred_result {
	int rc;
	struct creds *creds; /* with rc 0: a reference, and they live */
	int64_t stamp; /* of the files that were read; 0: none were */
	bool costly; /* a program ran, or a network was asked */
	struct buf why; /* with another rc */
};
/* Blocks. */
void cred_plan_fetch(const struct cred_plan *plan, struct cred_result *out);

#endif
