/*
 * Reasons are gathered, because "there are no credentials" helps nobody who
 * does not know where they were looked for.
 */
#include "auth/cred_ask.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/text.h"

int cred_ask_fail(struct cred_ask *ask, int rc, const char *fmt, ...)
{
	va_list ap;

	if (ask->err.len)
		buf_adds(&ask->err, "; ");
	va_start(ap, fmt);
	buf_vaddf(&ask->err, fmt, ap);
	va_end(ap);
	return rc;
}

const char *cred_ask_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool cred_ask_env_yes(const char *name)
{
	const char *value = cred_ask_env(name);
	bool yes = false;

	return value && !parse_bool(value, &yes) && yes;
}
