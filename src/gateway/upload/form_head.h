/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of one part of a form. Pure.
 */
#ifndef GATEWAY_UPLOAD_FORM_HEAD_H
#define GATEWAY_UPLOAD_FORM_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct form_head {
	struct buf name, filename, type;
	bool has_filename;
};
void form_head_init(struct form_head *h);
void form_head_clear(struct form_head *h);

/* Lines that each end in CRLF, n bytes in all. 0, -EINVAL with why set, or
 * -ENOMEM. */
int form_head_parse(const char *lines, size_t n, struct form_head *out,
		    struct buf *why);

/*
 * The next `; name=value` of a header's value, text standing behind what came
 * before; a quoted value comes out without its quotes. 1 and text moves on, 0
 * at the end, -EINVAL.
 */
int form_head_param(const char **text, struct buf *name, struct buf *value);

#endif
