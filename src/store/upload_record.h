/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written down of an upload that is open, so that another process can
 * abort it or go on with it: four lines, each percent-encoded: the store's
 * name, where the object is (store_locate()), its key, the upload's id. Lines
 * behind them are the writer's own. Pure.
 */
#ifndef STORE_UPLOAD_RECORD_H
#define STORE_UPLOAD_RECORD_H

#include "base/buf.h"
#include "store/store.h"

#define UPLOAD_RECORD_MAX 16384 /* bytes of its text */

struct upload_record {
	struct buf store, location, key, id;
};
#define UPLOAD_RECORD_INIT \
	{ \
		.store = BUF_INIT(BUF_MESSAGE), \
		.location = BUF_INIT(BUF_MESSAGE), \
		.key = BUF_INIT(STORE_KEY_MAX), .id = BUF_INIT(BUF_MESSAGE) \
	}
void upload_record_clear(struct upload_record *r);

/* Appends it; out's own failure says whether it fits. */
void upload_record_write(struct store *s, const char *key, const char *id,
			 struct buf *out);
/* 0 and what stands behind it; -EINVAL: it is none, perhaps cut short. */
int upload_record_read(const char *text, struct upload_record *out,
		       const char **rest);
/* The upload, borrowed from the record. */
struct store_pending upload_record_pending(const struct upload_record *r);

#endif
