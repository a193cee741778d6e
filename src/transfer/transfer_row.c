/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reader for each form, which the first byte tells apart; each gives
 * texts to row_add(), where everything is checked. A row is a bearer secret:
 * messages have its number, never its bytes, and memory is wiped.
 */
#include "transfer/transfer_row.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#define ROWS_MAX 10000000
#define DEPTH_MAX 4 /* of arrays and answers around rows */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN LETTERS "0123456789!#$%&'*+-.^_`|~"

struct reader {
	struct transfer_rows *rows;
	struct buf *why;
	bool answer; /* one of Databend's HTTP API was among it */
};

void transfer_row_clear(struct transfer_row *row)
{
	free(row->method);
	wipe_free(row->url);
	wipe_free(row->headers);
	*row = (struct transfer_row){ 0 };
}

void transfer_row_clear_all(struct transfer_rows *rows)
{
	for (unsigned i = 0; i < rows->n; i++)
		transfer_row_clear(&rows->at[i]);
	free(rows->at);
	*rows = (struct transfer_rows){ 0 };
}

static int row_refuse(struct reader *r, const char *why)
{
	return buf_fail(r->why, -EINVAL, "row %u: %s", r->rows->n + 1, why);
}

/* ---- what a row may be ---- */

/* http or https, and nothing in it that would end a request line. */
static bool row_url_valid(const char *s)
{
	if (strncasecmp(s, "http://", 7) && strncasecmp(s, "https://", 8))
		return false;
	return strlen(s) <= BUF_URL && !text_has_control(s) && !strchr(s, ' ');
}

static bool row_method_valid(const char *s)
{
	return *s && strlen(s) < 32 && !s[strspn(s, LETTERS)];
}

static bool row_is_ours_to_write(const char *name)
{
	return !strcasecmp(name, "host") || !strcasecmp(name, "content-length");
}

/* NULL, or what is wrong with it. */
static const char *row_add_header(struct buf *out, const char *name,
				  const json_t *value)
{
	if (!*name || name[strspn(name, TOKEN)])
		return "a header's name is none";
	if (row_is_ours_to_write(name))
		return NULL;
	if (json_is_integer(value)) {
		buf_addf(out, "%s: %lld\n", name,
			 (long long)json_integer_value(value));
		return NULL;
	}
	if (!json_is_string(value))
		return "a header's value is no text";
	if (text_has_control(json_string_value(value)))
		return "a control byte in a header";
	buf_addf(out, "%s: %s\n", name, json_string_value(value));
	return NULL;
}

/* headers: an object, JSON text, or none at all. */
static int row_read_headers(struct reader *r, const json_t *headers,
			    struct buf *out)
{
	const char *why = NULL, *name;
	json_t *parsed = NULL, *value;
	int rc = 0;

	if (json_is_string(headers) && json_string_length(headers)) {
		parsed = json_loads(json_string_value(headers),
				    JSON_REJECT_DUPLICATES, NULL);
		if (!parsed)
			return row_refuse(r, "the headers are no JSON");
		headers = parsed;
	}
	if (json_is_object(headers)) {
		json_object_foreach((json_t *)headers, name, value)
		{
			if (!why)
				why = row_add_header(out, name, value);
		}
	} else if (headers && !json_is_null(headers) &&
		   !json_is_string(headers)) {
		why = "the headers are no object";
	}
	if (!why && buf_err(out))
		why = "the headers are too long";
	if (why)
		rc = row_refuse(r, why);
	json_decref(parsed);
	return rc;
}

static int row_keep(struct reader *r, const char *method, const char *url,
		    struct buf *headers)
{
	struct transfer_rows *rows = r->rows;
	struct transfer_row row;

	if (ARRAY_RESERVE(rows->at, rows->cap, rows->n + 1))
		return -ENOMEM;
	row.method = strdup(method);
	row.url = strdup(url);
	row.headers = headers->len ? buf_detach(headers) : strdup("");
	rows->at[rows->n++] = row;
	return row.method && row.url && row.headers ? 0 : -ENOMEM;
}

static int row_add(struct reader *r, const char *method, const json_t *headers,
		   const char *url)
{
	BUF_SECRET lines = BUF_INIT(BUF_URL);
	int rc;

	if (!method || !row_method_valid(method))
		return row_refuse(r, "the method is missing or none");
	if (!url || !row_url_valid(url))
		return row_refuse(r, "the URL is missing or none");
	if (r->rows->n == ROWS_MAX)
		return row_refuse(r, "too many rows");
	rc = row_read_headers(r, headers, &lines);
	return rc ? rc : row_keep(r, method, url, &lines);
}

/* ---- JSON ---- */

static int row_add_json(struct reader *r, const json_t *v, unsigned depth);

/* What Databend says in place of rows. */
static int row_refuse_answer(struct reader *r, const json_t *error)
{
	const char *message =
		json_string_value(json_object_get(error, "message"));
	const json_t *code = json_object_get(error, "code");
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

	buf_adds(&why, "the answer is an error");
	if (json_is_integer(code))
		buf_addf(&why, ", %lld", (long long)json_integer_value(code));
	else if (json_is_string(code))
		buf_addf(&why, ", %.40s", json_string_value(code));
	if (message)
		buf_addf(&why, ": %.400s", message);
	return row_refuse(r, buf_str(&why));
}

static int row_add_each(struct reader *r, const json_t *array, unsigned depth)
{
	const json_t *v;
	size_t i;
	int rc = 0;

	if (depth == DEPTH_MAX)
		return row_refuse(r, "arrays in arrays");
	json_array_foreach(array, i, v)
	{
		if (!rc)
			rc = row_add_json(r, v, depth + 1);
	}
	return rc;
}

/* An object, or an answer that has rows in its `data`; an array of three
 * texts, or one of rows. */
static int row_add_json(struct reader *r, const json_t *v, unsigned depth)
{
	const json_t *data = json_object_get(v, "data");
	const json_t *error = json_object_get(v, "error");

	if (json_is_object(error))
		return row_refuse_answer(r, error);
	if (json_is_array(data)) {
		r->answer = true;
		return row_add_each(r, data, depth);
	}
	if (json_is_object(v))
		return row_add(r,
			       json_string_value(json_object_get(v, "method")),
			       json_object_get(v, "headers"),
			       json_string_value(json_object_get(v, "url")));
	if (json_is_array(v) && json_is_string(json_array_get(v, 0)))
		return row_add(r, json_string_value(json_array_get(v, 0)),
			       json_array_get(v, 1),
			       json_string_value(json_array_get(v, 2)));
	if (json_is_array(v))
		return row_add_each(r, v, depth);
	return row_refuse(r, "neither an object nor an array");
}

static size_t row_skip_blanks(const char *text, size_t n, size_t at)
{
	while (at < n && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	return at;
}

/* One JSON text after the other. */
static int row_read_json(struct reader *r, const char *text, size_t n)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK;
	json_error_t where;
	json_t *v;
	int rc = 0;

	for (size_t at = 0; at < n && !rc;) {
		v = json_loadb(text + at, n - at, flags, &where);
		if (!v)
			return row_refuse(r, "no JSON");
		rc = row_add_json(r, v, 0);
		json_decref(v);
		at = row_skip_blanks(text, n, at + where.position);
	}
	if (!rc && r->answer && !r->rows->n)
		rc = row_refuse(r, "there is none");
	return rc;
}

/* ---- TSV, CSV and bare URLs ---- */

#define CELLS_MAX 16
enum column { METHOD, HEADERS, URL, COLUMNS };
static const char *const column_names[COLUMNS] = { "method", "headers", "url" };

/* Takes the escapes back in place. */
static void row_unescape(char *s)
{
	static const char letters[] = "tnr\\", bytes[] = "\t\n\r\\";
	char *to = s;

	for (; *s; s++) {
		const char *l =
			s[0] == '\\' && s[1] ? strchr(letters, s[1]) : NULL;

		*to++ = l ? bytes[l - letters] : *s;
		s += l != NULL;
	}
	*to = '\0';
}

/* A cell of CSV, its quotes taken off in place. *next: what follows its comma,
 * NULL after the last. */
static char *row_csv_cell(char *s, char **next)
{
	char *from = s, *to = s;
	bool quoted = *from == '"';

	for (from += quoted; *from && (quoted || *from != ','); from++) {
		if (quoted && *from == '"') {
			quoted = from[1] == '"';
			if (!quoted)
				continue;
			from++;
		}
		*to++ = *from;
	}
	*next = *from ? from + 1 : NULL;
	*to = '\0';
	return s;
}

static bool row_is_csv(const char *line)
{
	return !strchr(line, '\t') && strchr(line, ',') &&
	       strncasecmp(line, "http", 4);
}

static unsigned row_split(char *line, char *cells[CELLS_MAX])
{
	unsigned n = 0;
	char *cell;

	if (row_is_csv(line)) {
		while (n < CELLS_MAX && line)
			cells[n++] = row_csv_cell(line, &line);
		return n;
	}
	while (n < CELLS_MAX && (cell = strsep(&line, "\t"))) {
		row_unescape(cell);
		cells[n++] = cell;
	}
	return n;
}

/* True when the line names the columns; where[] tells their places then. */
static bool row_is_header(char **cells, unsigned n, int where[COLUMNS])
{
	int at[COLUMNS] = { -1, -1, -1 };

	for (unsigned i = 0; i < n; i++)
		for (int c = 0; c < COLUMNS; c++)
			if (!strcasecmp(cells[i], column_names[c]))
				at[c] = i;
	if (at[METHOD] < 0 || at[URL] < 0)
		return false;
	memcpy(where, at, sizeof(at));
	return true;
}

static int row_add_cells(struct reader *r, char **cells, unsigned n,
			 const int where[COLUMNS])
{
	const char *value[COLUMNS] = { 0 };
	json_t *headers;
	int rc;

	for (int c = 0; c < COLUMNS; c++)
		if (where[c] >= 0 && where[c] < (int)n)
			value[c] = cells[where[c]];
	headers = value[HEADERS] ? json_string(value[HEADERS]) : NULL;
	if (value[HEADERS] && !headers)
		return row_refuse(r, "the headers are no UTF-8");
	rc = row_add(r, value[METHOD], headers, value[URL]);
	json_decref(headers);
	return rc;
}

static int row_read_lines(struct reader *r, char *text, const char *method)
{
	int where[COLUMNS] = { METHOD, HEADERS, URL };
	char *cells[CELLS_MAX], *line;
	bool first = true;
	int rc = 0;

	while (!rc && (line = strsep(&text, "\n"))) {
		size_t len = strlen(line);
		unsigned n;

		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (!len)
			continue;
		n = row_split(line, cells);
		if (n == 1)
			rc = row_add(r, method, NULL, cells[0]);
		else if (!first || !row_is_header(cells, n, where))
			rc = row_add_cells(r, cells, n, where);
		first = false;
	}
	return rc;
}

int transfer_row_parse_all(const char *text, size_t n, const char *method,
			   struct transfer_rows *out, struct buf *why)
{
	struct reader r = { .rows = out, .why = why };
	size_t at = row_skip_blanks(text, n, 0);
	char *copy;
	int rc;

	*out = (struct transfer_rows){ 0 };
	if (memchr(text, '\0', n))
		return row_refuse(&r, "a NUL byte");
	if (at < n && (text[at] == '{' || text[at] == '['))
		return row_read_json(&r, text + at, n - at);
	copy = strndup(text + at, n - at);
	if (!copy)
		return -ENOMEM;
	rc = row_read_lines(&r, copy, method);
	wipe(copy, n - at);
	free(copy);
	if (!rc && !out->n)
		rc = row_refuse(&r, "there is none");
	return rc;
}

/* ---- names ---- */

void transfer_row_key(const struct transfer_row *row, struct buf *out)
{
	const char *path = strstr(row->url, "://") + 3;
	BUF_LOCAL key = BUF_INIT(BUF_URL);

	path += strcspn(path, "/?#");
	path += *path == '/';
	if (text_percent_decode(&key, path, strcspn(path, "?#")))
		buf_reset(&key);
	buf_adds(out, buf_str(&key));
}

void transfer_row_name(const struct transfer_row *row, struct buf *out)
{
	BUF_LOCAL key = BUF_INIT(BUF_URL);
	const char *slash;

	transfer_row_key(row, &key);
	slash = strrchr(buf_str(&key), '/');
	buf_adds(out, slash ? slash + 1 : buf_str(&key));
}
