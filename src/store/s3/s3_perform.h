/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a call (s3_call.h), once it is built.
 */
#ifndef STORE_S3_S3_PERFORM_H
#define STORE_S3_S3_PERFORM_H

#include "store/s3/s3_call.h"

/* Credentials are at hand (perhaps read now): before a call is started. */
int s3_perform_ready(struct s3_call *c);

/* Makes the call and sleeps until it is done; once more with credentials that
 * were refreshed. The reply is to be cleared. */
int s3_perform(struct s3_call *c, struct http_reply *reply);
/* The same of a call that is over then: the reply and the call are cleared. */
int s3_perform_finish(struct s3_call *c);
#define S3_SIDE_BY_SIDE 16
/* Several (S3_SIDE_BY_SIDE at most) side by side; errs[i] as s3_perform()
 * would return it. */
void s3_perform_all(struct s3_call **calls, struct http_reply *replies,
		    int *errs, unsigned n);

/*
 * A call that no thread waits for, the first field of a structure from
 * malloc(), with one reference. It starts when credentials are at hand (0, else
 * why not), and *state leads to it until it has ended: ops.done() says so,
 * after which the structure may be gone.
 */
int s3_perform_start(struct s3_call *c, void **state);
void s3_perform_ended(struct s3_call *c, void **state);
/* Ends it early, unless it has ended. */
void s3_perform_cancel(struct s3 *s, void **state);
/* One reference fewer: of one that did not start. NULL is fine. */
void s3_perform_drop(struct s3_call *c);

#endif
