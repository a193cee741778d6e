/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles in ~/.aws/credentials and ~/.aws/config
 * (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, AWS_PROFILE).
 *
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials
 * files". The credentials file wins; in config a section is [default] or
 * [profile NAME], the name may be quoted; indented lines are sub-keys.
 */
#ifndef AUTH_AWS_PROFILE_H
#define AUTH_AWS_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum aws_file { AWS_CREDENTIALS, AWS_CONFIG, AWS_FILES };

/*
 * AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials; AWS_CONFIG_FILE or
 * ~/.aws/config; a leading `~/` is the home directory: HOME, else what the
 * user database says. NULL when there is none, or no memory. Caller frees.
 */
char *aws_profile_file(enum aws_file which);

/* A path in the home directory, by the same rule. */
char *aws_profile_home(const char *below);

/* True when one of the two says so. */
bool aws_profile_is_named(void);

enum aws_key {
	/* All three from one file. */
	AWS_KEY_ID,
	AWS_KEY_SECRET,
	AWS_KEY_TOKEN,
	/* Each from the credentials file, else the other. */
	AWS_KEY_REGION,
	AWS_KEY_ENDPOINT,
	AWS_KEY_ROLE,
	AWS_KEY_SOURCE_PROFILE,
	AWS_KEY_SOURCE,
	AWS_KEY_EXTERNAL_ID,
	AWS_KEY_SESSION_NAME,
	AWS_KEY_DURATION,
	AWS_KEY_MFA,
	AWS_KEY_TOKEN_FILE,
	AWS_KEY_PROCESS,
	AWS_KEY_LOGIN,
	AWS_KEY_SSO_SESSION,
	AWS_KEY_SSO_START_URL,
	AWS_KEY_SSO_REGION,
	AWS_KEY_SSO_ACCOUNT,
	AWS_KEY_SSO_ROLE,
	AWS_KEYS,
};
/* As it is written in the files. */
const char *aws_profile_key(enum aws_key key);

struct aws_profile {
	char *name;
	char *values[AWS_KEYS]; /* NULL: not there */
	char *file; /* where the keys were found; NULL: no keys */
	enum aws_file keys_in; /* which of the two that is */
	bool open_to_others; /* that file's mode lets others at it */
	int64_t stamp; /* changes when one of the files does */
};

/* name NULL: AWS_PROFILE, else "default". 0, -ENOENT (no such profile or no
 * file), -EINVAL, -EACCES, why (may be NULL) set, and out is cleared
 * but for the stamp and the name. Blocks on the files. */
int aws_profile_read(const char *name, struct aws_profile *out,
		     struct buf *why);
void aws_profile_clear(struct aws_profile *p);

/* The same for an [sso-session NAME] of the config file: only values. */
int aws_profile_session_read(const char *name, struct aws_profile *out,
			     struct buf *why);

/*
 * Changes when one of the files appears, vanishes or is written to; never 0.
 * Two stat(2)s.
 */
int64_t aws_profile_stamp(void);

#endif
