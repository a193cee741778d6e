/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that hold and may not list are no error: what they may read and write is
 * found by path. Only the storage has to be listed, to find its stages.
 *
 * Another external stage that does not answer is a warning, unless check = all
 * asks for an error: it holds up no work on other stages.
 */
#include "mount/mount_check.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "config/config.h"
#include "stage/catalog.h"
#include "store/store.h"

static int mount_check_store(struct store *s, const char *prefix,
			     const char *what, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = store_check(s, prefix, &detail);

	if (rc)
		buf_addf(why, "%s: %s", what,
			 detail.len ? buf_str(&detail) : strerror(-rc));
	return rc;
}

static int mount_check_storage(struct catalog *c, int check, struct buf *why)
{
	struct store *storage = catalog_storage(c);

	if (!storage || check == CONFIG_CHECK_NONE)
		return 0;
	return mount_check_store(storage, catalog_storage_prefix(c),
				 "[storage]", why);
}

static int mount_check_external(struct stage *s, struct buf *why)
{
	BUF_LOCAL what = BUF_INIT(BUF_MESSAGE);

	buf_addf(&what, "stage %s", s->name);
	return mount_check_store(s->store, s->prefix, buf_str(&what), why);
}

void mount_check_warn(struct catalog *c)
{
	for (unsigned i = 0; i < catalog_n_external(c); i++) {
		struct stage *s = catalog_external(c, i);
		BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

		/* The catalog has said what it could not open. */
		if (!s->store->broken && mount_check_external(s, &why))
			log_warn("%s", buf_str(&why));
	}
}

/* As mount_check_external(), for a mount that has to have it. */
static int mount_check_needed(struct stage *s, struct buf *why)
{
	int rc = mount_check_external(s, why);

	if (rc != -EPERM)
		return rc;
	log_warn("%s", buf_str(why));
	buf_reset(why);
	return 0;
}

/* The stage of a SOURCE of @name, which alone is the root. */
static int mount_check_only(struct catalog *c, const char *name, int check,
			    struct stage **only, struct buf *why)
{
	int rc = catalog_get(c, name, only);

	/* Only an internal stage has to be asked for, in the storage. */
	if (rc && rc != -ENOENT && !mount_check_storage(c, check, why))
		buf_addf(why, "@%s: %s", name, strerror(-rc));
	if (rc == -ENOENT)
		buf_addf(why, "Stage '%s' does not exist.", name);
	if (!rc && check != CONFIG_CHECK_NONE)
		rc = mount_check_needed(*only, why);
	return rc;
}

int mount_check(struct catalog *c, const char *stage_name, int check,
		struct stage **only, struct buf *why)
{
	unsigned n = check == CONFIG_CHECK_ALL ? catalog_n_external(c) : 0;
	int rc;

	if (stage_name)
		return mount_check_only(c, stage_name, check, only, why);
	rc = mount_check_storage(c, check, why);
	for (unsigned i = 0; i < n && !rc; i++)
		rc = mount_check_needed(catalog_external(c, i), why);
	return rc;
}
