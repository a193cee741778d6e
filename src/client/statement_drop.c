/*
 * DROP STAGE, and which stages a statement may change at all: those that
 * statements made, and the internal ones.
 */
#include "client/statement.h"

#include <errno.h>
#include <string.h>

#include "client/session.h"
#include "stage/catalog.h"
#include "store/store.h"

int statement_may_change(struct session *s, const char *name, const char *verb,
			 struct failure *f)
{
	struct conn c = { 0 };
	bool drop_in = false;
	int rc;

	if (!strcmp(name, "~"))
		return fail(f, CODE_STAGE_PERMISSION, -EPERM,
			    "user stage is not allowed in %s STAGE", verb);
	rc = catalog_conn(s->catalog, name, &c, &drop_in);
	option_clear(conn_options, &c);
	if (!rc && !drop_in)
		return fail(f, CODE_STAGE_PERMISSION, -EPERM,
			    "stage '%s' is in the configuration file %s: "
			    "change it there",
			    name, s->config.file ? s->config.file : "");
	return rc == -ENOENT || !rc
		       ? 0
		       : fail(f, CODE_STORAGE, rc, "%s", strerror(-rc));
}

static int drop_external(struct session *s, const char *name, struct failure *f)
{
	const char *dir = s->config.drop_ins;
	int lock, rc = drop_ins_lock(dir, &lock, &f->why);

	f->code = CODE_STORAGE;
	if (rc)
		return rc;
	rc = drop_ins_remove(dir, name, &f->why);
	drop_ins_unlock(lock);
	catalog_refresh(s->catalog);
	return rc;
}

static int drop_internal(struct session *s, struct stage *stage, bool files,
			 struct failure *f)
{
	int rc = 0;

	if (stage->ro)
		return fail(f, CODE_PERMISSION, -EROFS,
			    "the storage is read-only");
	if (files)
		rc = remove_everything(stage, f);
	if (rc)
		return rc;
	rc = catalog_drop(s->catalog, stage->name);
	if (rc == -ENOTEMPTY)
		return fail(f, CODE_STORAGE, rc, "there are files in it%s",
			    files ? "" : " (--recursive removes them too)");
	return rc ? fail_store(f, stage->store, stage->prefix, rc) : 0;
}

int statement_drop(struct session *s, const char *name, bool if_exists,
		   bool files, struct failure *f)
{
	struct stage *stage;
	int rc = statement_may_change(s, name, "DROP", f);

	if (rc)
		return rc;
	rc = statement_stage(s, name, &stage, f);
	if (rc == -ENOENT && if_exists) {
		failure_clear(f);
		return 0;
	}
	if (rc)
		return rc;
	rc = stage->kind == STAGE_EXTERNAL ? drop_external(s, name, f)
					   : drop_internal(s, stage, files, f);
	stage_unref(stage);
	return rc;
}
