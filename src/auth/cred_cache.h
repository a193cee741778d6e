/*
 * Where a store's credentials come from, and the ones in use.
 *
 * cred_cache_get() may block (files; later: the network), cred_cache_peek()
 * never does. A provider that fails leaves the old credentials in use while
 * they live. Any thread.
 */
#ifndef AUTH_CRED_CACHE_H
#define AUTH_CRED_CACHE_H

#include <stdbool.h>

#include "auth/creds.h"

struct buf;

enum cred_choice {
	CRED_AUTO, /* the keys given; else environment; else profile */
	CRED_STATIC,
	CRED_ANONYMOUS, /* nothing is signed */
	CRED_ENV,
	CRED_PROFILE,
};

/* `auto`, `static`, `anonymous`, `env`, `profile:NAME`: 0 or -EINVAL. */
int cred_choice_parse(const char *text, enum cred_choice *choice,
		      const char **profile /* points into text, or NULL */);

/* Strings are copied; NULL where not given. */
struct cred_settings {
	enum cred_choice choice;
	const char *profile;
	const char *access_key_id, *secret_access_key, *session_token;
};

struct cred_cache;

/* Reads nothing yet. NULL without memory. */
struct cred_cache *cred_cache_new(const struct cred_settings *s);
void cred_cache_free(struct cred_cache *c);

/*
 * Credentials that are good now, read or refreshed if need be. 0 with a
 * reference in *out (NULL in it when anonymous), or -errno with why in err
 * (which may be NULL): -ENOENT (no provider has any), -EINVAL (a key id
 * without secret, a profile that asks for a provider which is not here ...),
 * -EACCES (a file is unreadable, or the credentials have expired).
 */
int cred_cache_get(struct cred_cache *c, struct creds **out, struct buf *err);

/*
 * As get, for a URL that shall live until `until` (Unix seconds): credentials
 * that end earlier are asked for anew first, at most once a minute. Those that
 * are still to be had then are the answer, whenever they end.
 */
int cred_cache_get_until(struct cred_cache *c, int64_t until,
			 struct creds **out, struct buf *err);

/* The ones in use, perhaps stale, without blocking: 0, or -EAGAIN when none. */
int cred_cache_peek(struct cred_cache *c, struct creds **out);

/*
 * A store refused these as expired or unknown. True when trying again makes
 * sense: the next get/peek answers others, because a file has changed or
 * somebody refreshed already. Blocks as get does.
 */
bool cred_cache_refused(struct cred_cache *c, const struct creds *refused);

#endif
