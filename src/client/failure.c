/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a statement fails: a store is asked how it is, so that the sentence has
 * what a person can do something about.
 */
#include "client/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/store.h"

void failure_clear(struct failure *f)
{
	buf_clear(&f->why);
	f->code = 0;
	f->what = NULL;
	f->span = (struct sql_span){ 0, 0 };
}

int failure_set(struct failure *f, int code, int rc, const char *fmt, ...)
{
	char text[BUF_MESSAGE / 2];
	va_list ap;

	f->code = code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return buf_fail(&f->why, rc, "%s", text);
}

static int failure_storage_code(int rc)
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

int failure_store(struct failure *f, struct store *s, const char *prefix,
		  int rc)
{
	f->code = failure_storage_code(rc);
	store_check(s, prefix, &f->why);
	if (!f->why.len)
		buf_adds(&f->why, store_error_words(s, rc));
	return rc;
}

int failure_write(struct failure *f, int rc)
{
	f->what = "cannot write";
	return failure_set(f, CODE_STORAGE, rc, "%s", strerror(-rc));
}
