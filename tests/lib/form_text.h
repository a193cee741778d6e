/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form as one line of text: what the parser said, whatever the pieces that
 * it was fed in.
 */
#ifndef TESTS_LIB_FORM_TEXT_H
#define TESTS_LIB_FORM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "gateway/upload/form.h"

/* `[name|filename|type:bytes]...` and `.` at its end, `!why` when broken, `~`
 * where a part was not ended. Pieces are `first` bytes and then `next` each. */
static inline void form_text(const char *boundary, const char *body, size_t n,
			     size_t first, size_t next, struct buf *out)
{
	struct form *f = form_new(boundary);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct form_item item;
	bool open = false, fed = false;
	int rc = f ? 0 : -1;

	for (size_t at = 0; at < n && rc >= 0;) {
		size_t len = fed ? next : first;

		fed = true;
		len = len < n - at ? len : n - at;
		form_feed(f, body + at, len);
		at += len;
		while ((rc = form_next(f, &item, &why)) > 0) {
			if (rc == FORM_PART)
				buf_addf(out, "[%s|%s|%s:", item.name,
					 item.filename ? item.filename : "-",
					 item.type ? item.type : "-");
			else if (rc == FORM_DATA)
				buf_add(out, item.data, item.len);
			else
				buf_adds(out, rc == FORM_END ? "." : "]");
			open = rc == FORM_PART || (open && rc == FORM_DATA);
		}
	}
	if (rc >= 0)
		rc = form_finish(f, &why);
	if (open)
		buf_addc(out, '~');
	if (rc < 0)
		buf_addf(out, "!%s", buf_str(&why));
	buf_clear(&why);
	form_free(f);
}

#endif
