/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, in the order of the fields. */
#include "store/upload_record.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void upload_record_clear(struct upload_record *r)
{
	buf_clear(&r->store);
	buf_clear(&r->location);
	buf_clear(&r->key);
	buf_clear(&r->id);
}

static void record_add_line(struct buf *out, const char *s)
{
	text_percent_encode(out, s, strlen(s), true);
	buf_addc(out, '\n');
}

void upload_record_write(struct store *s, const char *key, const char *id,
			 struct buf *out)
{
	BUF_LOCAL location = BUF_INIT(BUF_MESSAGE);

	store_locate(s, key, &location);
	record_add_line(out, s->name);
	record_add_line(out, buf_str(&location));
	record_add_line(out, key);
	record_add_line(out, id);
}

int upload_record_read(const char *text, struct upload_record *out,
		       const char **rest)
{
	struct buf *const lines[] = { &out->store, &out->location, &out->key,
				      &out->id };
	int rc = 0;

	for (unsigned i = 0; i < 4 && !rc; i++) {
		const char *end = strchr(text, '\n');

		if (!end)
			return -EINVAL;
		rc = text_percent_decode(lines[i], text, (size_t)(end - text));
		if (!rc)
			rc = buf_err(lines[i]);
		text = end + 1;
	}
	*rest = text;
	return rc || (out->key.len && out->id.len) ? rc : -EINVAL;
}

struct store_pending upload_record_pending(const struct upload_record *r)
{
	return (struct store_pending){ .key = r->key.data, .id = r->id.data };
}
