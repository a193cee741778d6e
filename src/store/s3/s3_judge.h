/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of an answer.
 */
#ifndef STORE_S3_S3_JUDGE_H
#define STORE_S3_S3_JUDGE_H

#include "store/s3/s3_call.h"

/* Reads an attempt's answer, puts right what can be. */
enum http_verdict s3_judge(struct http_call *http,
			   const struct http_reply *reply);
/*
 * What came of a finished call: 0 or -errno, logged unless it is -ENOENT,
 * -EINTR or -ECANCELED. rc: http_perform()'s, or reply->rc.
 */
int s3_judge_outcome(struct s3_call *c, int rc, const struct http_reply *reply);
/* Logs what a quiet call has come to, after all. Returns rc. */
int s3_judge_speak(struct s3_call *c, int rc, const struct http_reply *reply);
/* Logs a failure that was found after the answer. Returns rc. */
int s3_judge_failed(struct s3_call *c, const struct http_reply *reply, int rc,
		    const char *why);

#endif
