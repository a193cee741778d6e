/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PRESIGN row: a method, headers and a URL that do without keys. Here are
 * its readers, for rows that come from elsewhere. Pure.
 */
#ifndef TRANSFER_TRANSFER_ROW_H
#define TRANSFER_TRANSFER_ROW_H

#include <stddef.h>

struct buf;

struct transfer_row {
	char *method; /* as it came: letters only */
	char *url; /* http or https, no blanks or control bytes */
	char *headers; /* `Name: value\n` lines of what is to be sent */
};

struct transfer_rows {
	struct transfer_row *at;
	unsigned n;
	size_t cap;
};

#define TRANSFER_ROWS_BYTES_MAX ((size_t)256 << 20)

/*
 * Reads all rows of a text, in one of these forms:
 *   JSON   {"method":..,"headers":{..},"url":..}, several in a row or in an
 *          array; ["PUT","{}","https://.."] as Databend's HTTP answer has
 *          them, or that answer whole (without a row: an error); headers as
 *          an object or as text
 *   TSV    method, headers (JSON) and url, with our escapes; a first line
 *          with the columns' names may say where they are
 *   URLs   one a line; their method is the one given
 * `host` and `content-length` are left out of the headers: they are the
 * client's to write. 0, -EINVAL with why in why (never with a URL), -ENOMEM.
 * transfer_row_clear_all() in either case.
 */
int transfer_row_parse_all(const char *text, size_t n, const char *method,
			   struct transfer_rows *out, struct buf *why);
void transfer_row_clear_all(struct transfer_rows *rows);
void transfer_row_clear(struct transfer_row *row);

/* The path of the URL, decoded and without its query: what a person knows the
 * object by. Appends. */
void transfer_row_key(const struct transfer_row *row, struct buf *out);
/* Its last name, "" when there is none. Appends. */
void transfer_row_name(const struct transfer_row *row, struct buf *out);

#endif
