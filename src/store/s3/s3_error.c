/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table, looked through from the top: the first row whose code and status
 * fit counts. Rows with a code stand above those for a bare status, so that
 * an answer without a body (HEAD) and one with an unknown code both end at
 * its status.
 */
#include "store/s3/s3_error.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

struct row {
	const char *code; /* NULL: any, or none */
	long status; /* 0: any */
	int rc;
	enum http_verdict verdict;
	enum s3_fix fix;
};

#define REGION_MAX 63

static const struct row rows[] = {
	/* not there */
	{ "NoSuchKey", 0, -ENOENT, HTTP_DONE, S3_FIX_NONE },
	{ "NoSuchVersion", 0, -ENOENT, HTTP_DONE, S3_FIX_NONE },
	{ "NoSuchBucket", 0, -ENODEV, HTTP_DONE, S3_FIX_NONE },
	{ "NoSuchUpload", 0, -EIO, HTTP_DONE, S3_FIX_NONE },
	/* refused */
	{ "RequestTimeTooSkewed", 0, -EIO, HTTP_DONE, S3_FIX_CLOCK },
	{ "ExpiredToken", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "ExpiredTokenException", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "TokenRefreshRequired", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "InvalidToken", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "InvalidAccessKeyId", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "InvalidSecurity", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	{ "RequestExpired", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "AccessDenied", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	{ "AllAccessDisabled", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	{ "AccountProblem", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	{ "SignatureDoesNotMatch", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "InvalidClientTokenId", 0, -EACCES, HTTP_DONE, S3_FIX_CREDS },
	{ "InvalidObjectState", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	{ "InvalidPayer", 0, -EACCES, HTTP_DONE, S3_FIX_NONE },
	/* elsewhere */
	{ "PermanentRedirect", 0, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ "TemporaryRedirect", 0, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ "AuthorizationHeaderMalformed", 0, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ "IllegalLocationConstraintException", 0, -EIO, HTTP_DONE,
	  S3_FIX_REGION },
	/* another client at the same time */
	{ "ConditionalRequestConflict", 0, -EBUSY, HTTP_RETRY, S3_FIX_NONE },
	{ "OperationAborted", 0, -EBUSY, HTTP_RETRY, S3_FIX_NONE },
	{ "BucketAlreadyExists", 0, -EEXIST, HTTP_DONE, S3_FIX_NONE },
	{ "InvalidRange", 0, -EINVAL, HTTP_DONE, S3_FIX_NONE },
	/* too much */
	{ "EntityTooLarge", 0, -EFBIG, HTTP_DONE, S3_FIX_NONE },
	{ "MaxSizeExceeded", 0, -EFBIG, HTTP_DONE, S3_FIX_NONE },
	{ "TooManyParts", 0, -EFBIG, HTTP_DONE, S3_FIX_NONE },
	{ "EntityTooSmall", 0, -EINVAL, HTTP_DONE, S3_FIX_NONE },
	{ "MetadataTooLarge", 0, -E2BIG, HTTP_DONE, S3_FIX_NONE },
	{ "KeyTooLongError", 0, -ENAMETOOLONG, HTTP_DONE, S3_FIX_NONE },
	{ "KeyTooLong", 0, -ENAMETOOLONG, HTTP_DONE, S3_FIX_NONE },
	{ "QuotaExceeded", 0, -ENOSPC, HTTP_DONE, S3_FIX_NONE },
	{ "XMinioStorageFull", 0, -ENOSPC, HTTP_DONE, S3_FIX_NONE },
	{ "XMinioAdminBucketQuotaExceeded", 0, -ENOSPC, HTTP_DONE,
	  S3_FIX_NONE },
	/* cannot */
	{ "NotImplemented", 0, -ENOTSUP, HTTP_DONE, S3_FIX_NONE },
	{ "MethodNotAllowed", 0, -ENOTSUP, HTTP_DONE, S3_FIX_NONE },
	/* damaged on the way */
	{ "BadDigest", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "InvalidDigest", 0, -EIO, HTTP_DONE, S3_FIX_NONE },
	{ "XAmzContentSHA256Mismatch", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "XAmzContentChecksumMismatch", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "IncompleteBody", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	/* passing */
	{ "RequestTimeout", 0, -ETIMEDOUT, HTTP_RETRY, S3_FIX_NONE },
	{ "RequestTimeoutException", 0, -ETIMEDOUT, HTTP_RETRY, S3_FIX_NONE },
	{ "InternalError", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "InternalErrors", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "PriorRequestNotComplete", 0, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ "ServiceUnavailable", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "SlowDown", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "SlowDownRead", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "SlowDownWrite", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "Throttling", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "ThrottlingException", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "ThrottledException", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "RequestThrottled", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "RequestLimitExceeded", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "BandwidthLimitExceeded", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ "TooManyRequests", 0, -EIO, HTTP_SLOW, S3_FIX_NONE },
	/* no code, or one that is not above */
	{ NULL, 301, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ NULL, 307, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ NULL, 308, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ NULL, 400, -EIO, HTTP_DONE, S3_FIX_REGION },
	{ NULL, 401, -EACCES, HTTP_DONE, S3_FIX_CREDS_MAYBE },
	{ NULL, 403, -EACCES, HTTP_DONE, S3_FIX_CREDS_MAYBE },
	{ NULL, 404, -ENOENT, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 405, -ENOTSUP, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 408, -ETIMEDOUT, HTTP_RETRY, S3_FIX_NONE },
	{ NULL, 409, -EBUSY, HTTP_RETRY, S3_FIX_NONE },
	{ NULL, 410, -ENOENT, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 412, -ESTALE, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 413, -EFBIG, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 416, -EINVAL, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 429, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ NULL, 500, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ NULL, 501, -ENOTSUP, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 502, -EIO, HTTP_RETRY, S3_FIX_NONE },
	{ NULL, 503, -EIO, HTTP_SLOW, S3_FIX_NONE },
	{ NULL, 504, -ETIMEDOUT, HTTP_RETRY, S3_FIX_NONE },
	{ NULL, 505, -EIO, HTTP_DONE, S3_FIX_NONE },
	{ NULL, 507, -ENOSPC, HTTP_DONE, S3_FIX_NONE },
};

static const struct row *error_row(long status, const char *code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];

		if (r->code && (!code || strcmp(r->code, code)))
			continue;
		if (r->status && r->status != status)
			continue;
		return r;
	}
	return NULL;
}

struct s3_meaning s3_error_meaning(long status, const char *code,
				   enum s3_use use)
{
	const struct row *r = error_row(status, code);
	struct s3_meaning m = { -EIO, HTTP_DONE, S3_FIX_NONE };

	if (r)
		m = (struct s3_meaning){ r->rc, r->verdict, r->fix };
	else if (status >= 500)
		m.verdict = HTTP_RETRY;
	if (use == S3_USE_PINNED && m.rc == -ENOENT)
		m.rc = -ESTALE;
	if (status == 412 || (code && !strcmp(code, "PreconditionFailed")))
		m.rc = use == S3_USE_ABSENT ? -EEXIST : -ESTALE;
	return m;
}

bool s3_error_skew(const char *server_time, const char *date, int64_t now,
		   int64_t *skew_s)
{
	struct timespec ts;
	int64_t t;

	if (server_time && *server_time &&
	    !clock_parse_iso8601(server_time, &ts))
		t = ts.tv_sec;
	else if (!date || !*date || clock_parse_http(date, &t))
		return false;
	*skew_s = t - now;
	return *skew_s >= -S3_SKEW_MAX_S && *skew_s <= S3_SKEW_MAX_S;
}

static bool error_is_region(const char *s)
{
	size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

	return n && n <= REGION_MAX && !s[n];
}

bool s3_error_region(const char *header, const char *body_region,
		     const char *current, const char **out)
{
	const char *region = header && *header ? header : body_region;

	if (!error_is_region(region) || !strcmp(region, current))
		return false;
	*out = region;
	return true;
}
