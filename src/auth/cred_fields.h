/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials as a provider answers them: text from outside, not yet trusted.
 */
#ifndef AUTH_CRED_FIELDS_H
#define AUTH_CRED_FIELDS_H

struct buf;
struct cred_ask;
struct creds;

/* Owned; NULL where the answer had none. */
struct cred_fields {
	char *id, *secret, *token;
	char *end; /* when they end, as the answer wrote it */
	char *extra; /* one more that the provider looks at */
};
void cred_fields_clear(struct cred_fields *f); /* wipes */
#define CRED_FIELDS_LOCAL \
	__attribute__((cleanup(cred_fields_clear))) struct cred_fields

enum cred_end {
	CRED_END_ISO, /* 2030-01-31T12:00:00Z */
	CRED_END_MS, /* Unix milliseconds */
};

/*
 * Checks them. `provider` names the provider in messages; source becomes the
 * credentials' own. -EBADMSG: something is missing or is not what it should be;
 * -EACCES: they have expired by our clock.
 */
int cred_fields_make(struct cred_ask *ask, const struct cred_fields *f,
		     enum cred_end kind, const char *provider,
		     const char *source, struct creds **out);

/* What an answer in JSON calls them. */
struct cred_json {
	const char *id, *secret, *token, *end, *extra; /* NULL: not asked for */
	const char *root; /* the member that is the object; NULL: outermost */
};

/*
 * The members of a JSON object, strings and whole numbers as text; NULL where
 * one is absent or null. -EBADMSG when that is not what the bytes are. out is
 * to be cleared in any case. The message never shows the bytes.
 */
int cred_fields_json(struct cred_ask *ask, const char *provider,
		     const struct cred_json *names, const struct buf *text,
		     struct cred_fields *out);

#endif
