/*
 * Credentials and settings of a profile in ~/.aws/credentials and
 * ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, AWS_PROFILE).
 *
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials
 * files". The credentials file wins; in config a section is [default] or
 * [profile NAME], the name may be quoted; indented lines are sub-keys.
 */
#ifndef AUTH_CRED_FILE_H
#define AUTH_CRED_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct creds;

struct aws_profile {
	/* All three from one file; NULL where there is none. */
	char *access_key_id, *secret_access_key, *session_token;
	char *region, *endpoint_url;
	char *file; /* where the keys were found; NULL: no keys */
	bool open_to_others; /* that file's mode lets others at it */
	const char *needs; /* the key that asks for a provider which this
			      version does not have, as "role_arn"; or NULL */
	int64_t stamp; /* changes when one of the files does */
};

/* name NULL: AWS_PROFILE, else "default". 0, -ENOENT (no such profile or no
 * file), -EINVAL, -EACCES; why in err (which may be NULL), and out is cleared
 * but for the stamp. Blocks on the files. */
int aws_profile_read(const char *name, struct aws_profile *out,
		     struct buf *err);
void aws_profile_clear(struct aws_profile *p);

/* The files' present stamp, without reading them. Never 0. */
int64_t aws_profile_stamp(void);

/* The profile's keys as credentials. 0, -ENOENT when it has none, -EINVAL
 * when it has a key id without a secret or asks for a provider that this
 * version does not have (role_arn, credential_process, sso_*). *stamp is set
 * in any case. Says so in the log when the file is open to others. */
int cred_file_read(const char *name, struct creds **out, int64_t *stamp,
		   struct buf *err);

#endif
