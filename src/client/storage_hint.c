/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry below `<root>stage/` is enough to know that there are stages; the
 * first other key below the root is shown as an example.
 */
#include "client/storage_hint.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/config.h"
#include "stage/catalog.h"
#include "store/store.h"

#define STAGES "stage/"

/* The first name below a prefix, but `but`: 1 and out has it, 0 or -errno. */
static int hint_first(struct store *s, const char *prefix, const char *but,
		      struct buf *out)
{
	const struct list_query query = { .prefix = prefix,
					  .delimiter = '/',
					  .page = 3 };
	size_t skip = strlen(prefix);
	STORE_LIST_LOCAL *list = NULL;
	struct list_entry e;
	int rc = store_list_open(s, &query, &list);

	if (rc)
		return rc;
	while ((rc = store_list_next(list, &e)) > 0) {
		const char *name = e.key + skip;

		if (!*name || (but && !strcmp(name, but)))
			continue;
		text_printable(out, name);
		break;
	}
	return rc;
}

void storage_hint(const struct config *config, struct catalog *c,
		  struct buf *sentence, struct buf *section)
{
	struct store *s = catalog_storage(c);
	const char *stages = catalog_storage_prefix(c);
	BUF_LOCAL root = BUF_INIT(STORE_KEY_MAX), url = BUF_INIT(BUF_MESSAGE);
	BUF_LOCAL name = BUF_INIT(BUF_MESSAGE), stage = BUF_INIT(256);

	if (!s || config->embedded || !text_ends_with(stages, STAGES) ||
	    hint_first(s, stages, NULL, &name))
		return;
	buf_add(&root, stages, strlen(stages) - strlen(STAGES));
	buf_reset(&name);
	if (hint_first(s, buf_str(&root), STAGES, &name) <= 0)
		return;
	store_locate(s, buf_str(&root), &url);
	buf_addf(sentence,
		 "%s has nothing below stage/, but other keys, as %s; to see "
		 "these as a directory, write for [storage]",
		 buf_str(&url), buf_str(&name));
	config_url_name(config, config->storage.url, &stage);
	buf_addf(section, "[stage %s]\nurl = %s\n", buf_str(&stage),
		 config->storage.url);
}
