/*
 * Credentials as a provider answers them: text from outside, not yet trusted.
 */
#ifndef AUTH_CRED_FIELDS_H
#define AUTH_CRED_FIELDS_H

#include <stddef.h>

struct cred_ask;
struct creds;

/* Owned; NULL where the answer had none. */
struct cred_fields {
	char *id, *secret, *token;
	char *end; /* when they end, as the answer wrote it */
};
void cred_fields_clear(struct cred_fields *f); /* wipes */

enum cred_end {
	CRED_END_ISO, /* 2030-01-31T12:00:00Z */
	CRED_END_MS, /* Unix milliseconds */
};

/*
 * Checks them. who says whose answer it is, in messages; source becomes the
 * credentials' own. -EBADMSG: something is missing or is not what it should
 * be; -EACCES: they have expired by our clock.
 */
int cred_fields_make(struct cred_ask *ask, const struct cred_fields *f,
		     enum cred_end kind, const char *who, const char *source,
		     struct creds **out);

/*
 * Members of a JSON object: `root` names the object within the outermost one,
 * or is NULL. values[i] gets a copy of the member names[i], strings and whole
 * numbers as text; NULL where it is absent or null. -EBADMSG when that is not
 * what the bytes are. The caller wipes and frees what is there, after a
 * failure too. The message never shows the bytes.
 */
int cred_fields_json(struct cred_ask *ask, const char *who, const char *bytes,
		     size_t n, const char *root, const char *const *names,
		     char **values, size_t count);

/* NULL is fine. */
void cred_wipe_free(char *s);

#endif
