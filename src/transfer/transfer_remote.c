/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of one object lives as long as a job runs: of millions that wait in
 * a queue none is open.
 */
#include "transfer/transfer_remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "client/message.h"
#include "stage/stage.h"
#include "store/s3/s3_url.h"
#include "store/store.h"

int transfer_remote_open(struct transfer_remote *r, struct buf *why)
{
	const struct s3_url_settings set = {
		.lane = r->lane,
		.of = r->stage ? r->stage->store : NULL,
		.method = r->row.method,
		.url = r->row.url,
		.headers = r->row.headers,
	};
	size_t len = strlen(r->key);
	int rc;

	if (len > STORE_KEY_MAX)
		return buf_fail(
			why, -ENAMETOOLONG,
			"the name is %zu bytes long, a key has at most %d", len,
			STORE_KEY_MAX);
	rc = s3_url_new(&set, &r->store);
	r->by_url = !rc;
	if (rc == -EOPNOTSUPP) {
		r->store = store_ref(r->stage->store);
		rc = 0;
	}
	if (rc == -EINVAL)
		buf_addf(why, "the row's method is %s", r->row.method);
	return rc;
}

static void remote_tell_region(struct transfer_remote *r)
{
	BUF_LOCAL region = BUF_INIT(256), why = BUF_INIT(BUF_MESSAGE);

	if (r->by_url && s3_url_moved(r->store, &region)) {
		buf_addf(
			&why,
			"the bucket is in region %s: set `region`, which saves "
			"a request",
			buf_str(&region));
		message("warning", buf_str(&why));
	}
}

void transfer_remote_clear(struct transfer_remote *r)
{
	if (r->store) {
		remote_tell_region(r);
		store_unref(r->store);
	}
	stage_unref(r->stage);
	free(r->key);
	free(r->content_type);
	free(r->label);
	transfer_row_clear(&r->row);
	*r = (struct transfer_remote){ 0 };
}

int transfer_remote_fail(struct transfer_remote *r, int rc, struct buf *why)
{
	size_t before = why->len;

	if (rc == -EINTR)
		buf_adds(why, "interrupted");
	else if (rc == -ESTALE && r->by_url)
		buf_adds(why, "the object changed meanwhile");
	else if (r->by_url)
		s3_url_why(r->store, why);
	else if (r->store->broken)
		store_check(r->store, "", why);
	if (why->len == before)
		buf_adds(why, store_error_words(r->store, rc));
	return rc;
}
