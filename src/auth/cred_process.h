/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials from a program (credential_process).
 *
 * Source: AWS SDKs and Tools Reference Guide, "Process credential provider":
 * JSON with Version 1, AccessKeyId, SecretAccessKey and, if they end,
 * SessionToken and Expiration on standard output.
 */
#ifndef AUTH_CRED_PROCESS_H
#define AUTH_CRED_PROCESS_H

#include "auth/cred_ask.h"

#define CRED_PROCESS_TIMEOUT_MS 60000

/*
 * Runs the command line, which is cut into words and not given to a shell, in
 * `/`, without our descriptors, and waits for it. `provider` names it in
 * messages, source in the credentials. -ETIMEDOUT after timeout_ms; then it and
 * its process group are killed.
 */
int cred_process_read(struct cred_ask *ask, const char *command,
		      int64_t timeout_ms, const char *provider,
		      const char *source, struct creds **out);

/*
 * A command line cut into words as a POSIX shell would cut it, with nothing
 * else of a shell: no variables, globs, pipes or comments. Pure. White space
 * parts words; '...' is literal; in "..." a backslash escapes `"` and itself;
 * outside it escapes any byte. *out ends in NULL and is freed by
 * cred_process_words_free(). 0, -EINVAL (a quote that is not closed, a
 * backslash at the end, no words at all), -E2BIG or -ENOMEM.
 */
int cred_process_words(const char *line, char ***out);
void cred_process_words_free(char **words);

#endif
