/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs for one store: its credentials, and the signing key, which is derived
 * once a day for each (key, region, service) and not for each request.
 */
#ifndef AUTH_SIGNER_H
#define AUTH_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/cred_cache.h"
#include "sign/sigv4.h"

struct buf;

struct signer;

/* Takes over the cache. NULL without memory, and the cache is the caller's. */
struct signer *signer_new(struct cred_cache *creds, const char *service);
void signer_free(struct signer *s);
struct cred_cache *signer_creds(struct signer *s); /* borrowed */
/* Others from here on; takes over the cache. What has borrowed the old one may
 * go on with it: it lives as long as the signer. 0 or -ENOMEM. */
int signer_set_creds(struct signer *s, struct cred_cache *creds);

/* What a header-signed request must send beside its own headers. */
struct signer_headers {
	char amz_date[17];
	const char *payload_hash; /* borrowed from the request */
	char *session_token; /* NULL: none */
	char *authorization; /* NULL: anonymous */
	struct creds *used; /* for cred_cache_refused(); may be NULL */
};
void signer_headers_clear(struct signer_headers *h);

/*
 * Signs by cred_cache_peek(): does not block. The request's headers are those
 * of the caller; the three x-amz-* ones are added here before signing. 0,
 * -EAGAIN (no credentials were read yet: cred_cache_get() first), or
 * sigv4_authorize()'s.
 */
int signer_authorize(struct signer *s, const struct sigv4_request *request,
		     const char *region, int64_t time,
		     struct signer_headers *out);

/* What a pre-signed URL shall be. */
struct signer_terms {
	const char *region;
	int64_t time; /* Unix seconds, by the store's clock */
	int64_t expires; /* s */
	bool strict; /* credentials that end before it are an error */
	bool at_hand; /* those in use, perhaps stale: never blocks */
};

/* When it dies. */
struct signer_end {
	int64_t at; /* Unix seconds; 0: it does not */
	bool by_creds; /* because the credentials do */
	bool anonymous; /* it is not signed */
};

/*
 * Query form by cred_cache_get_until(): may block on files and on what gives
 * credentials, never on the store. query gets the string after `?` ("" when
 * anonymous and the request has no parameters). 0, -EACCES (strict, and the
 * credentials end too early), the cache's and sigv4_presign()'s.
 */
int signer_presign(struct signer *s, const struct sigv4_request *request,
		   const struct signer_terms *terms, struct buf *query,
		   struct signer_end *end, struct buf *why);

#endif
