/*
 * What statements share: how they fail, and the stage of a name.
 */
#include "client/statement.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/session.h"
#include "stage/catalog.h"
#include "store/store.h"

void failure_clear(struct failure *f)
{
	buf_clear(&f->why);
	f->code = 0;
	f->what = NULL;
	f->span = (struct sql_span){ 0, 0 };
}

int fail(struct failure *f, int code, int rc, const char *fmt, ...)
{
	char text[BUF_MESSAGE / 2];
	va_list ap;

	f->code = code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_adds(&f->why, text);
	return rc;
}

static int storage_code(int rc)
{
	switch (-rc) {
	case ENOENT:
	case ENODEV:
		return CODE_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return CODE_PERMISSION;
	case EINVAL:
	case ENAMETOOLONG:
		return CODE_BAD_ARGUMENTS;
	default:
		return CODE_STORAGE;
	}
}

int fail_store(struct failure *f, struct store *s, const char *prefix, int rc)
{
	f->code = storage_code(rc);
	store_check(s, prefix, &f->why);
	if (!f->why.len)
		buf_adds(&f->why, store_error_words(s, rc));
	return rc;
}

int fail_write(struct failure *f, int rc)
{
	f->what = "cannot write";
	return fail(f, CODE_STORAGE, rc, "%s", strerror(-rc));
}

struct table *output_table(const struct output *o,
			   const struct table_column *columns, unsigned n)
{
	int format = o->format > TABLE_AUTO ? TABLE_AUTO : o->format;

	return table_new(stdout, format, o->header, columns, n);
}

int statement_stage(struct session *s, const char *name, struct stage **out,
		    struct failure *f)
{
	int rc = catalog_get(s->catalog, name, out);

	if (!rc)
		return 0;
	if (rc != -ENOENT)
		return fail_store(f, catalog_storage(s->catalog),
				  catalog_storage_prefix(s->catalog), rc);
	return fail(f, CODE_UNKNOWN_STAGE, rc, "Stage '%s' does not exist.%s",
		    name,
		    catalog_has_storage(s->catalog)
			    ? ""
			    : " (There is no [storage], only external "
			      "stages.)");
}
