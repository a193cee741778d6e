/*
 * Where the AWS SDKs keep their two files, and which profile is meant.
 */
#ifndef AUTH_AWS_FILES_H
#define AUTH_AWS_FILES_H

#include <stdbool.h>
#include <stdint.h>

enum aws_file { AWS_CREDENTIALS, AWS_CONFIG, AWS_FILES };

/*
 * AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials; AWS_CONFIG_FILE or
 * ~/.aws/config; a leading `~/` is the home directory: HOME, else what the
 * user database says. NULL when there is none, or no memory. Caller frees.
 */
char *aws_profile_file(enum aws_file which);

/* A path in the home directory, by the same rule. */
char *aws_profile_home(const char *below);

/* AWS_PROFILE, AWS_DEFAULT_PROFILE, or "default". */
const char *aws_profile_default(void);
/* True when one of the two says so. */
bool aws_profile_is_named(void);

/*
 * Changes when one of the files appears, vanishes or is written to; never 0.
 * Two stat(2)s.
 */
int64_t aws_files_stamp(void);

#endif
