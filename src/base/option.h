/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings by table: one row a key serves the configuration file, -o
 * key=value, --help and the manual page, so they cannot disagree.
 *
 * A table ends with a row whose name is NULL. A value is stored at `offset`
 * in the caller's plain structure; strings are allocated and freed by
 * option_clear(). Which rows were given is kept by the caller in a bit set.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;

enum option_type {
	OPTION_STRING, /* char * */
	OPTION_BOOL, /* bool */
	OPTION_UINT, /* uint64_t, min..max */
	OPTION_SIZE, /* uint64_t bytes, with K M G T */
	OPTION_DURATION, /* uint64_t seconds, with s m h d w; min..max */
	OPTION_OCTAL, /* unsigned */
	OPTION_CHOICE, /* int: the index in `choices` ("a|b|c") */
	OPTION_USER, /* uid_t as unsigned; name or number */
	OPTION_GROUP, /* gid_t as unsigned; name or number */
};

enum option_flag {
	OPTION_SECRET = 1, /* masked when shown; the file must be closed */
	OPTION_NO_COMMAND = 2, /* refused in -o and on a command line */
	OPTION_REPEATED = 4, /* strings: each value is added as a line */
	OPTION_FREE = 8, /* a text, which may stand in quotes in a file */
};

struct option {
	const char *name;
	enum option_type type;
	unsigned flags;
	uint64_t min, max; /* numbers, and the length of strings if max */
	const char *choices; /* OPTION_CHOICE */
	const char *def; /* as it would be written; NULL: unset */
	const char *alias_of; /* this row is another name of that one */
	const char *word; /* what help calls the value; NULL: by its type */
	size_t offset;
	/*
	 * Strings that a file may name by reference: where a char * has that
	 * reference as it was written, so that what it leads to can be read
	 * again; NULL there for a plain value. 0: nowhere.
	 */
	size_t reference;
	const char *help; /* one line, no full stop */
};

#define OPTION_TABLE_MAX 64

/* A row of that name and type, whose value is a member of a structure. */
#define OPTION_ROW(struct_, name_, type_, field, ...) \
	{ \
		.name = name_, .type = OPTION_##type_, \
		.offset = offsetof(struct struct_, field), __VA_ARGS__ \
	}

/* A table ends with a row without a name; NULL is one without rows. */

/* Sets every row that has a default. 0 or -ENOMEM. */
int option_defaults(const struct option *table, void *target);

/* The row that `name` means (aliases followed, any case), or NULL. */
const struct option *option_find(const struct option *table, const char *name);

/* The row's place in its table: the bit in a caller's "was given" set. */
unsigned option_index(const struct option *table, const struct option *row);

/*
 * Checks the value and stores it, as a plain one. 0, -EINVAL or -ENOMEM; why
 * gets why in the form `metadata_ttl = -3: a whole number of 0 to 86400`, a
 * secret masked.
 */
int option_set(const struct option *row, void *target, const char *value,
	       struct buf *why);

/* Where the row's reference is kept, or NULL. */
char **option_reference(const struct option *row, const void *target);

/* The value as one would write it; a secret that is set as `***`. */
void option_show(const struct option *row, const void *target, struct buf *out);

/* `unknown key NAME; did you mean ...?` */
void option_unknown(const struct option *table, const char *name,
		    struct buf *why);
/* A nearest name for "did you mean", or NULL. */
const char *option_suggest(const struct option *table, const char *name);

/* One row for people: `metadata_ttl=N`, or `-r, --recursive`, and what it is
 * with its default and other names. */
void option_describe(const struct option *table, const struct option *row,
		     struct buf *form, struct buf *text);
void option_help(const struct option *table, FILE *out);
/* A text from that column on, which the caller has reached: lines break before
 * the 80th and begin there. */
void option_help_wrap(const char *text, size_t column, FILE *out);
/* A line of such a table of anything: a form and, beside it, what it is. */
void option_help_entry(const char *form, const char *text, FILE *out);
void option_clear(const struct option *table, void *target);

#endif
