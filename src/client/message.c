/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One place writes to stderr, so that no text from outside can add a line.
 */
#include "client/message.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

void message(const char *what, const char *why)
{
	BUF_LOCAL line = BUF_INIT(2 * BUF_MESSAGE);

	text_one_line(&line, what);
	buf_adds(&line, ": ");
	text_one_line(&line, why);
	fprintf(stderr, "stagefs: %s\n", buf_str(&line));
}
