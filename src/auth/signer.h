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

/*
 * Query form by cred_cache_get(): may block on files, never on the store.
 * query gets the string after `?` ("" when anonymous and the request has no
 * parameters). *expires_at: when the URL dies, the credentials' own end
 * included (0: an anonymous URL, which does not). *by_creds: that end came
 * first.
 */
int signer_presign(struct signer *s, const struct sigv4_request *request,
		   const char *region, int64_t time, int64_t expires,
		   struct buf *query, int64_t *expires_at, bool *by_creds,
		   struct buf *err);

#endif
