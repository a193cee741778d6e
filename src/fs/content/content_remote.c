/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote content: blocks of the store's object below what was written, which
 * leaves as parts.
 */
#include <stdlib.h>

#include "fs/content/publish.h"
#include "fs/content/range.h"
#include "fs/content/reader.h"
#include "fs/content/sent.h"
#include "fs/content/spill.h"
#include "fs/content/upload.h"
#include "fs/content/writer.h"

/* The base is asked for when it is wanted. */
static int remote_open(struct file *f)
{
	return 0;
}

static void remote_forget(struct file *f, const struct object_info *base,
			  char *key) REQUIRES(f->turn)
{
	struct tail tail = content(f)->tail;
	struct spill *spill = content(f)->spill;
	struct block_source *source = NULL;
	struct block *held = NULL;
	struct content *c;
	char *old_key;

	upload_stale(f, 0, UINT64_MAX);
	sent_forget(f);
	if (content(f)->upload)
		upload_parts_error(content(f)->upload, true);
	lock_take(&f->lock);
	c = content_edit(f);
	c->tail = (struct tail){ .mem = NULL };
	c->spill = NULL;
	extents_clear(&c->not_retained);
	c->sticky = false;
	old_key = turn_rebase_locked(f, base, key);
	if (base) {
		source = file_locked(f)->source;
		file_locked(f)->source = NULL;
		held = file_locked(f)->held;
		file_locked(f)->held = NULL;
	}
	lock_drop(&f->lock);
	writer_free_tail(f, &tail);
	spill_stop(spill);
	spill_unref(spill);
	pool_share_clear(file_pool(f), &f->memory);
	if (held)
		block_release(held);
	block_source_drop(source);
	free(old_key);
}

static int remote_publish(struct file *f, const char *key,
			  struct object_info *result) REQUIRES(f->turn)
{
	int rc = sent_settle(f, key);

	if (rc)
		return rc;
	rc = publish_remote(f, key, result);
	sent_ended(f, rc);
	return rc;
}

static int remote_make(struct file *f, struct object_info *number)
{
	return 0; /* the tree has numbered it */
}

const struct content_ops content_remote = {
	.open = remote_open,
	.make = remote_make,
	.look = remote_open,
	.read = reader_read_blocks,
	.write = writer_write,
	.resize = writer_resize,
	.zero = range_zero,
	.copy = range_copy,
	.hold = range_hold,
	.publish = remote_publish,
	.forget = remote_forget,
};
