/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row of the table of errors on the wire: the stand-in answers so, and
 * the store's call ends as the row says. What passes is answered so once and
 * tried again; what does not is answered so always, and asked for once.
 *
 * Covers: store/s3/s3_state.c
 * Covers: store/s3/s3_presign.c store/s3/s3_sum.c
 */
#include <stdio.h>

#include "base/digest.h"
#include "base/log.h"
#include "s3_error_rows.h"
#include "s3_suite.h"
#include "store/store.h"

static void one_row(const struct error_row *r)
{
	struct store_body body = { .data = "0123456789", .fd = -1, .len = 10 };
	bool passes = r->verdict != HTTP_DONE;
	char action[300], name[100];
	struct object_info info;
	long sent;
	int rc;

	snprintf(name, sizeof(name), "%ld %s", r->status, r->code);
	snprintf(action, sizeof(action),
		 "\"type\": \"status\", \"status\": %ld, %s%s\"", r->status,
		 *r->code ? "\"code\": \"" : "\"body\": \"", r->code);
	standin_fault(&rig.standin,
		      passes ? "\"method\": \"PUT\""
			     : "\"method\": \"PUT\", \"count\": 0",
		      action);
	rc = store_put(rig.s, "row", &body, NULL, NULL, &info);
	sent = standin_stat(&rig.standin, "requests");
	standin_reset(&rig.standin);
	row_number(name, rc, passes ? 0 : r->rc);
	row_number(name, sent, passes ? 2 : 1);
}

static void rows_on_the_wire(void **state)
{
	/* without a header that a store might not know: that is tried
	 * without */
	struct s3_rig_options options = { .set.upload_checksum =
						  S3_CHECKSUM_NONE };

	standin_reset(&rig.standin);
	s3_rig_open(&rig, &options);
	for (size_t i = 0; i < COUNT(error_rows); i++)
		one_row(&error_rows[i]);
	s3_rig_open(&rig, NULL);
}

/* ... and when it does not pass after all. */
static void end_of_patience(void **state)
{
	static const struct {
		const char *action;
		int rc;
	} rows[] = {
		{ "\"type\": \"status\", \"status\": 503, \"code\": "
		  "\"SlowDown\"",
		  -EIO },
		{ "\"type\": \"status\", \"status\": 500, \"code\": "
		  "\"InternalError\"",
		  -EIO },
		{ "\"type\": \"status\", \"status\": 400, \"code\": "
		  "\"RequestTimeout\"",
		  -ETIMEDOUT },
		{ "\"type\": \"status\", \"status\": 409, \"code\": "
		  "\"OperationAborted\"",
		  -EBUSY },
		{ "\"type\": \"reset\"", -EIO },
		{ "\"type\": \"stall\", \"seconds\": 3", -ETIMEDOUT },
	};
	struct s3_rig_options options = { .deadline_s = 1 };
	char byte[1];
	size_t n;

	s3_rig_open(&rig, &options);
	for (size_t i = 0; i < COUNT(rows); i++) {
		standin_fault(&rig.standin, "\"count\": 0", rows[i].action);
		row_number(rows[i].action,
			   store_get_sync(rig.s, "k", NULL, 0, byte, 1, &n,
					  NULL),
			   rows[i].rc);
		standin_reset(&rig.standin);
	}
	s3_rig_open(&rig, NULL);
}

SUITE(s3_wire)
{
	const struct CMUnitTest tests[] = {
		{ "each row of the table on the wire", rows_on_the_wire },
		{ "what does not pass ends with its errno", end_of_patience },
	};

	return S3_SUITE_RUN("s3_wire", tests);
}
