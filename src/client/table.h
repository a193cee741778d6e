/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on standard output: a table for people, or TSV, CSV, JSON for
 * programs. Rows leave as they come; a table holds the first few back to find
 * its widths, so memory does not grow with their number.
 */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TABLE_FORMATS "table|json|ndjson|tsv|csv|auto" /* enum table_format */
enum table_format {
	TABLE_TABLE,
	TABLE_JSON, /* an array of objects */
	TABLE_NDJSON, /* an object a line */
	TABLE_TSV,
	TABLE_CSV,
	TABLE_AUTO, /* a table on a terminal, else TSV */
};

enum table_type {
	TABLE_TEXT,
	TABLE_NUMBER,
	TABLE_COUNT, /* text, to the right */
	TABLE_BOOL, /* number: true or false */
	TABLE_TIME, /* as LIST shows it; RFC 3339 in JSON */
	TABLE_TIME_TEXT, /* the same, given as LIST shows it */
};

struct table_column {
	const char *name;
	enum table_type type;
};

enum table_mark { TABLE_USUAL, TABLE_GOOD, TABLE_BAD };

/* What the column's type says; text NULL is NULL. */
struct table_value {
	const char *text;
	bool none; /* a number or time that is NULL: empty, - in a table */
	uint64_t number;
	struct timespec time;
	enum table_mark mark; /* a colour, in a table on a terminal */
};

#define TABLE_COLUMNS_MAX 16

struct table;

/* Beyond those: a single word of PRESIGN's row. */
#define OUTPUT_FORMATS TABLE_FORMATS "|url|curl"
/* Of the verb: a page of links, and a QR code. */
enum { FORMAT_URL = TABLE_AUTO + 1, FORMAT_CURL, FORMAT_HTML, FORMAT_QR };

struct several;

struct output {
	int format; /* enum table_format and the two above */
	bool header; /* names of the columns first (TSV, CSV) */
	/* For a person: what fits a terminal, sizes as 1.5 GiB; made by
	 * output_for_person(). */
	bool brief;
	/* One of several statements, client/statement.h; NULL: alone. */
	struct several *several;
	/* PRESIGN's headers have the host, as in Databend's documents. */
	bool compat_host;
};

/* Is it a table on a terminal because nothing else was asked for? */
bool output_is_for_person(int format);
/* Is it a table, asked for or not? */
bool output_is_table(int format);
/* Columns of the terminal at standard output; 80 where there is none. */
size_t output_width(void);
/* Colours are wanted there: NO_COLOR is not set. */
bool output_has_colours(FILE *out);

/* header: for TSV and CSV; a table always has one. NULL without memory. */
struct table *table_new(FILE *out, enum table_format format, bool header,
			const struct table_column *columns, unsigned n);
/* On standard output; for what has rows only: FORMAT_URL and FORMAT_CURL are
 * auto. */
struct table *table_open(const struct output *o,
			 const struct table_column *columns, unsigned n);
/* 0, or -errno when the output cannot be written. Values are borrowed. */
int table_row(struct table *t, const struct table_value *values);
/* Ends the output and frees t. 0 or -errno: the first failure. */
int table_end(struct table *t);

#endif
