/*
 * Credentials from a program (credential_process).
 *
 * Source: AWS SDKs and Tools Reference Guide, "Process credential provider":
 * JSON with Version 1, AccessKeyId, SecretAccessKey and, if they end,
 * SessionToken and Expiration on standard output.
 */
#ifndef AUTH_CRED_PROCESS_H
#define AUTH_CRED_PROCESS_H

#include <stdint.h>

struct cred_ask;
struct creds;

#define CRED_PROCESS_TIMEOUT_MS 60000

/*
 * Runs the command line, which is cut into words (auth/cred_words.h) and not
 * given to a shell, in `/`, without our descriptors, and waits for it. who
 * names it in messages, source in the credentials. -ETIMEDOUT after
 * timeout_ms; then it and its process group are killed.
 */
int cred_process_read(struct cred_ask *ask, const char *command,
		      int64_t timeout_ms, const char *who, const char *source,
		      struct creds **out);

#endif
