/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One place writes to stderr, so that no text from outside can add a line.
 */
#include "client/message.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"

void message(const char *what, const char *why)
{
	BUF_LOCAL line = BUF_INIT(2 * BUF_MESSAGE);

	text_one_line(&line, what);
	buf_adds(&line, ": ");
	text_one_line(&line, why);
	fprintf(stderr, "%sstagefs: %s\n",
		log_priority(text_starts_with(what, "warning")
				     ? LOG_LEVEL_WARN
				     : LOG_LEVEL_ERROR),
		buf_str(&line));
}
