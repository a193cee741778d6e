/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each answer of a store means, written from the documentation and not
 * from the table under test; the pure test and the one on the wire share it.
 */
#ifndef TESTS_LIB_S3_ERROR_ROWS_H
#define TESTS_LIB_S3_ERROR_ROWS_H

#include <errno.h>

#include "store/s3/s3_error.h"

struct error_row {
	long status;
	const char *code; /* "": a body without one */
	int rc;
	enum http_verdict verdict;
	enum s3_fix fix;
};

#define DONE HTTP_DONE, S3_FIX_NONE
#define AGAIN HTTP_RETRY, S3_FIX_NONE
#define SLOWLY HTTP_SLOW, S3_FIX_NONE
#define REFRESH HTTP_DONE, S3_FIX_CREDS
#define PERHAPS HTTP_DONE, S3_FIX_CREDS_MAYBE
#define MOVE HTTP_DONE, S3_FIX_REGION

static const struct error_row error_rows[] = {
	{ 404, "NoSuchKey", -ENOENT, DONE },
	{ 404, "NoSuchVersion", -ENOENT, DONE },
	{ 404, "NoSuchBucket", -ENODEV, DONE },
	{ 404, "NoSuchUpload", -EIO, DONE },
	{ 403, "RequestTimeTooSkewed", -EIO, HTTP_DONE, S3_FIX_CLOCK },
	{ 400, "ExpiredToken", -EACCES, REFRESH },
	{ 400, "ExpiredTokenException", -EACCES, REFRESH },
	{ 400, "TokenRefreshRequired", -EACCES, REFRESH },
	{ 400, "InvalidToken", -EACCES, REFRESH },
	{ 403, "InvalidAccessKeyId", -EACCES, REFRESH },
	{ 403, "RequestExpired", -EACCES, REFRESH },
	{ 403, "InvalidSecurity", -EACCES, DONE },
	{ 403, "AccessDenied", -EACCES, DONE },
	{ 403, "AllAccessDisabled", -EACCES, DONE },
	{ 403, "AccountProblem", -EACCES, DONE },
	{ 403, "SignatureDoesNotMatch", -EACCES, REFRESH },
	{ 403, "InvalidObjectState", -EACCES, DONE },
	{ 403, "InvalidPayer", -EACCES, DONE },
	{ 301, "PermanentRedirect", -EIO, MOVE },
	{ 307, "TemporaryRedirect", -EIO, MOVE },
	{ 400, "AuthorizationHeaderMalformed", -EIO, MOVE },
	{ 400, "IllegalLocationConstraintException", -EIO, MOVE },
	{ 409, "ConditionalRequestConflict", -EBUSY, AGAIN },
	{ 409, "OperationAborted", -EBUSY, AGAIN },
	{ 409, "BucketAlreadyExists", -EEXIST, DONE },
	{ 416, "InvalidRange", -EINVAL, DONE },
	{ 400, "EntityTooLarge", -EFBIG, DONE },
	{ 400, "MaxSizeExceeded", -EFBIG, DONE },
	{ 400, "TooManyParts", -EFBIG, DONE },
	{ 400, "EntityTooSmall", -EINVAL, DONE },
	{ 400, "MetadataTooLarge", -E2BIG, DONE },
	{ 400, "KeyTooLongError", -ENAMETOOLONG, DONE },
	{ 400, "KeyTooLong", -ENAMETOOLONG, DONE },
	{ 403, "QuotaExceeded", -ENOSPC, DONE },
	{ 507, "XMinioStorageFull", -ENOSPC, DONE },
	{ 400, "XMinioAdminBucketQuotaExceeded", -ENOSPC, DONE },
	{ 501, "NotImplemented", -ENOTSUP, DONE },
	{ 405, "MethodNotAllowed", -ENOTSUP, DONE },
	{ 400, "BadDigest", -EIO, AGAIN },
	{ 400, "InvalidDigest", -EIO, DONE },
	{ 400, "XAmzContentSHA256Mismatch", -EIO, AGAIN },
	{ 400, "XAmzContentChecksumMismatch", -EIO, AGAIN },
	{ 400, "IncompleteBody", -EIO, AGAIN },
	{ 400, "RequestTimeout", -ETIMEDOUT, AGAIN },
	{ 400, "RequestTimeoutException", -ETIMEDOUT, AGAIN },
	{ 500, "InternalError", -EIO, AGAIN },
	{ 500, "InternalErrors", -EIO, AGAIN },
	{ 400, "PriorRequestNotComplete", -EIO, AGAIN },
	{ 503, "ServiceUnavailable", -EIO, SLOWLY },
	{ 503, "SlowDown", -EIO, SLOWLY },
	{ 503, "SlowDownRead", -EIO, SLOWLY },
	{ 503, "SlowDownWrite", -EIO, SLOWLY },
	{ 400, "Throttling", -EIO, SLOWLY },
	{ 400, "ThrottlingException", -EIO, SLOWLY },
	{ 400, "ThrottledException", -EIO, SLOWLY },
	{ 400, "RequestThrottled", -EIO, SLOWLY },
	{ 400, "RequestLimitExceeded", -EIO, SLOWLY },
	{ 400, "BandwidthLimitExceeded", -EIO, SLOWLY },
	{ 429, "TooManyRequests", -EIO, SLOWLY },
	{ 412, "PreconditionFailed", -ESTALE, DONE },
	{ 301, "", -EIO, MOVE },
	{ 307, "", -EIO, MOVE },
	{ 308, "", -EIO, MOVE },
	{ 400, "", -EIO, MOVE },
	{ 400, "SomethingNew", -EIO, MOVE },
	{ 401, "", -EACCES, PERHAPS },
	{ 402, "", -EIO, DONE },
	{ 403, "", -EACCES, PERHAPS },
	{ 403, "SomethingNew", -EACCES, PERHAPS },
	{ 403, "InvalidClientTokenId", -EACCES, REFRESH },
	{ 404, "", -ENOENT, DONE },
	{ 405, "", -ENOTSUP, DONE },
	{ 408, "", -ETIMEDOUT, AGAIN },
	{ 409, "", -EBUSY, AGAIN },
	{ 410, "", -ENOENT, DONE },
	{ 412, "", -ESTALE, DONE },
	{ 413, "", -EFBIG, DONE },
	{ 418, "", -EIO, DONE },
	{ 429, "", -EIO, SLOWLY },
	{ 500, "", -EIO, AGAIN },
	{ 501, "", -ENOTSUP, DONE },
	{ 502, "", -EIO, AGAIN },
	{ 503, "", -EIO, SLOWLY },
	{ 504, "", -ETIMEDOUT, AGAIN },
	{ 505, "", -EIO, DONE },
	{ 507, "", -ENOSPC, DONE },
	{ 520, "", -EIO, AGAIN },
};

#endif
