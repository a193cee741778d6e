/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of words, and a time for each: the first refusal after a minute is
 * said in the log.
 */
#include "fs/names/refusal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define EVERY_MS 60000

static const char *const refusal_words[REFUSAL_N] = {
	[REFUSAL_ROOT_FILE] = "only stages are at the root of the mount: make "
			      "a directory there, which is one, and write "
			      "into it",
	[REFUSAL_STAGE_NAME] = "a stage's name has letters, digits, _ and $, "
			       "begins with a letter or _, and is none of v1, "
			       "health, metrics, storage",
	[REFUSAL_NEW_STAGE] = "a stage that is made lives in [storage], which "
			      "the configuration has not, or not for writing",
	[REFUSAL_NAME] = "a name is UTF-8, and a whole key has at most 1,024 "
			 "bytes",
	[REFUSAL_LINK] = "a stage has no hard links: copy the file",
	[REFUSAL_SYMLINK] = "only a stage of a server with attributes = posix "
			    "keeps symbolic links: set that, or copy the file "
			    "(cp -L, rsync -L, tar -h)",
};

/* Is it a minute since the last of that kind? One thread is told so. */
static bool refusal_is_due(enum refusal kind)
{
	static int64_t next[REFUSAL_N]; /* atomic */
	int64_t now = clock_mono_ms();
	int64_t due = __atomic_load_n(&next[kind], __ATOMIC_RELAXED);

	return now >= due &&
	       __atomic_compare_exchange_n(&next[kind], &due, now + EVERY_MS,
					   false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

int refusal_say(enum refusal kind, const char *name, int rc)
{
	BUF_LOCAL shown = BUF_INIT(BUF_MESSAGE);

	if (refusal_is_due(kind)) {
		text_printable(&shown, name);
		log_warn("%s is refused: %s", buf_str(&shown),
			 refusal_words[kind]);
	}
	return rc;
}

int refusal_say_name(const char *name, int rc)
{
	return rc == -EILSEQ || rc == -ENAMETOOLONG
		       ? refusal_say(REFUSAL_NAME, name, rc)
		       : rc;
}
