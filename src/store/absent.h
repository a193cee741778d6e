/*
 * In place of a store that cannot be opened: every call fails with what went
 * wrong, and store_check() says it in words. So one directory that is not
 * there holds up nobody who works elsewhere.
 */
#ifndef STORE_ABSENT_H
#define STORE_ABSENT_H

#include <stdbool.h>

struct store;

/* url: of the place, with a '/' at its end. err: -errno, of which -ENOENT is
 * told as -ENODEV: no file is missing, but the whole store. The strings are
 * copied. */
int absent_new(const char *name, const char *url, int err, const char *why,
	       struct store **out);
bool absent_is(const struct store *s);

#endif
