/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All strings of a set of credentials are wiped, not only the secret: a key
 * id and its source are harmless, but one rule is easier to trust than two.
 */
#include "auth/creds.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"

static char *creds_copy(const char *s, int *failed)
{
	char *out = s ? strdup(s) : NULL;

	if (s && !out)
		*failed = 1;
	return out;
}

struct creds *creds_new(const char *key_id, const char *secret,
			const char *token, int64_t expires_at,
			const char *source)
{
	struct creds *c = calloc(1, sizeof(*c));
	int failed = 0;

	if (!c)
		return NULL;
	c->refs = 1;
	c->expires_at = expires_at;
	c->access_key_id = creds_copy(key_id, &failed);
	c->secret_access_key = creds_copy(secret, &failed);
	c->session_token = creds_copy(token, &failed);
	c->source = creds_copy(source, &failed);
	if (failed) {
		creds_unref(c);
		return NULL;
	}
	return c;
}

struct creds *creds_ref(struct creds *c)
{
	if (c)
		__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void creds_unref(struct creds *c)
{
	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	wipe_free(c->access_key_id);
	wipe_free(c->secret_access_key);
	wipe_free(c->session_token);
	wipe_free(c->source);
	free(c);
}

static bool creds_same(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strlen(a) == strlen(b) && digest_equal(a, b, strlen(a));
}

bool creds_live(const struct creds *c)
{
	return c && (!c->expires_at || c->expires_at > clock_now_s());
}

bool creds_equal(const struct creds *a, const struct creds *b)
{
	if (!a || !b)
		return a == b;
	return creds_same(a->access_key_id, b->access_key_id) &&
	       creds_same(a->secret_access_key, b->secret_access_key) &&
	       creds_same(a->session_token, b->session_token) &&
	       a->expires_at == b->expires_at;
}
