/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell is written to a buffer in its format's quoting, a row leaves by one
 * fwrite(). A table keeps HELD rows of cells until it knows how wide its
 * columns are; longer cells that come later push their row out of line.
 *
 * A table is for a terminal, so control bytes are escaped there; TSV escapes
 * what would break a row, CSV quotes it, JSON is JSON.
 */
#include "client/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define HELD 200
#define CELL_MAX (64 << 10)

struct table {
	FILE *out;
	enum table_format format;
	unsigned n;
	struct table_column columns[TABLE_COLUMNS_MAX];
	uint64_t rows;
	int rc; /* the first failure */
	struct buf line;

	/* TABLE_TABLE: cells that wait, header first, and widths. */
	char **held;
	unsigned char *marks; /* of those; NULL without colours */
	unsigned n_held; /* rows; 0 once the widths are fixed */
	bool fixed, colours;
	size_t width[TABLE_COLUMNS_MAX];
};

/* ---- cells ---- */

static void table_add_rfc3339(struct buf *out, struct timespec t)
{
	char text[TIME_RFC3339_SIZE];

	clock_rfc3339(t.tv_sec, text);
	buf_addc(out, '"');
	if (t.tv_nsec)
		buf_addf(out, "%.*s.%03ldZ", (int)strlen(text) - 1, text,
			 t.tv_nsec / 1000000);
	else
		buf_adds(out, text);
	buf_addc(out, '"');
}

/* 2023-06-28 04:13:15.178 +0000; what is no such time stays as it is. */
static void table_add_time_text(struct buf *out, const char *s)
{
	static const char shape[] = "0000-00-00 00:00:00.000 +0000";
	size_t n = 0;

	while (shape[n] &&
	       (shape[n] == '0' ? text_is_digit(s[n]) : s[n] == shape[n]))
		n++;
	if (!shape[n] && !s[n])
		buf_addf(out, "\"%.10sT%.12sZ\"", s, s + 11);
	else
		text_json_string(out, s);
}

static void table_add_json(struct buf *out, const struct table_column *c,
			   const struct table_value *v)
{
	text_json_string(out, c->name);
	buf_addc(out, ':');
	if (v->none)
		buf_adds(out, "null");
	else if (c->type == TABLE_NUMBER)
		buf_addf(out, "%llu", (unsigned long long)v->number);
	else if (c->type == TABLE_BOOL)
		buf_adds(out, v->number ? "true" : "false");
	else if (c->type == TABLE_TIME)
		table_add_rfc3339(out, v->time);
	else if (!v->text)
		buf_adds(out, "null");
	else if (c->type == TABLE_TIME_TEXT)
		table_add_time_text(out, v->text);
	else
		text_json_string(out, v->text);
}

/* The value as plain text; NULL is empty. */
static void table_add_plain(struct buf *out, const struct table_column *c,
			    const struct table_value *v)
{
	char time[TIME_LIST_SIZE];

	if (v->none) {
		return;
	} else if (c->type == TABLE_NUMBER) {
		buf_addf(out, "%llu", (unsigned long long)v->number);
	} else if (c->type == TABLE_BOOL) {
		buf_adds(out, v->number ? "true" : "false");
	} else if (c->type == TABLE_TIME) {
		clock_list(v->time, time);
		buf_adds(out, time);
	} else if (v->text) {
		buf_adds(out, v->text);
	}
}

static void table_add_tsv(struct buf *out, const char *s)
{
	static const char special[] = "\t\n\r\\", letters[] = "tnr\\";

	for (; *s; s++) {
		const char *at = strchr(special, *s);

		if (at) {
			buf_addc(out, '\\');
			buf_addc(out, letters[at - special]);
		} else {
			buf_addc(out, *s);
		}
	}
}

static void table_add_csv(struct buf *out, const char *s)
{
	if (!s[strcspn(s, ",\"\r\n")]) {
		buf_adds(out, s);
		return;
	}
	buf_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"')
			buf_addc(out, '"');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

/* ---- lines ---- */

static int table_put_line(struct table *t)
{
	if (!t->rc)
		t->rc = buf_err(&t->line);
	if (!t->rc &&
	    fwrite(t->line.data, 1, t->line.len, t->out) != t->line.len)
		t->rc = errno ? -errno : -EIO;
	buf_reset(&t->line);
	return t->rc;
}

static int table_put_json_row(struct table *t, const struct table_value *values)
{
	if (t->format == TABLE_JSON)
		buf_adds(&t->line, t->rows ? ",\n " : "[");
	buf_addc(&t->line, '{');
	for (unsigned i = 0; i < t->n; i++) {
		if (i)
			buf_addc(&t->line, ',');
		table_add_json(&t->line, &t->columns[i], &values[i]);
	}
	buf_addc(&t->line, '}');
	if (t->format == TABLE_NDJSON)
		buf_addc(&t->line, '\n');
	return table_put_line(t);
}

static int table_put_separated(struct table *t, const char *const *cells)
{
	bool tsv = t->format == TABLE_TSV;

	for (unsigned i = 0; i < t->n; i++) {
		if (i)
			buf_addc(&t->line, tsv ? '\t' : ',');
		(tsv ? table_add_tsv : table_add_csv)(&t->line, cells[i]);
	}
	buf_adds(&t->line, tsv ? "\n" : "\r\n");
	return table_put_line(t);
}

static void table_pad(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

static void table_put_cell(struct table *t, const char *cell,
			   enum table_mark mark)
{
	static const char *const colours[] = { "", "\033[32m", "\033[31m" };

	buf_adds(&t->line, colours[mark]);
	buf_adds(&t->line, cell);
	buf_adds(&t->line, mark ? "\033[0m" : "");
}

static int table_put_aligned(struct table *t, const char *const *cells,
			     const unsigned char *marks)
{
	for (unsigned i = 0; i < t->n; i++) {
		size_t have = text_width(cells[i]);
		size_t space = have < t->width[i] ? t->width[i] - have : 0;
		bool right = t->columns[i].type == TABLE_NUMBER ||
			     t->columns[i].type == TABLE_COUNT;

		if (i)
			buf_adds(&t->line, "  ");
		if (right)
			table_pad(&t->line, space);
		table_put_cell(t, cells[i], marks ? marks[i] : TABLE_USUAL);
		if (!right && i + 1 < t->n)
			table_pad(&t->line, space);
	}
	while (t->line.len && t->line.data[t->line.len - 1] == ' ')
		buf_truncate(&t->line, t->line.len - 1);
	buf_addc(&t->line, '\n');
	return table_put_line(t);
}

/* ---- a table's first rows ---- */

static void table_release(struct table *t)
{
	for (unsigned i = 0; i < t->n_held * t->n; i++)
		free(t->held[i]);
	free(t->held);
	free(t->marks);
	t->held = NULL;
	t->marks = NULL;
	t->n_held = 0;
	t->fixed = true;
}

static int table_put_held(struct table *t)
{
	for (unsigned r = 0; r < t->n_held; r++)
		table_put_aligned(t, (const char *const *)t->held + r * t->n,
				  t->marks ? t->marks + r * t->n : NULL);
	table_release(t);
	return t->rc;
}

static int table_hold(struct table *t, const char *const *cells,
		      const unsigned char *marks)
{
	char **row = t->held + (size_t)t->n_held * t->n;

	if (t->marks && marks)
		memcpy(t->marks + (size_t)t->n_held * t->n, marks, t->n);

	t->n_held++;
	for (unsigned i = 0; i < t->n; i++) {
		size_t w = text_width(cells[i]);

		row[i] = strdup(cells[i]);
		if (!row[i])
			return t->rc = -ENOMEM;
		if (w > t->width[i])
			t->width[i] = w;
	}
	return t->n_held == HELD ? table_put_held(t) : 0;
}

/* ---- rows ---- */

static int table_put_cells(struct table *t, const char *const *cells,
			   const unsigned char *marks)
{
	if (t->format != TABLE_TABLE)
		return table_put_separated(t, cells);
	return t->fixed ? table_put_aligned(t, cells, marks)
			: table_hold(t, cells, marks);
}

static int table_put_plain_row(struct table *t,
			       const struct table_value *values)
{
	struct buf plain[TABLE_COLUMNS_MAX], shown[TABLE_COLUMNS_MAX];
	unsigned char marks[TABLE_COLUMNS_MAX] = { 0 };
	const char *cells[TABLE_COLUMNS_MAX];

	for (unsigned i = 0; i < t->n; i++) {
		if (t->colours)
			marks[i] = (unsigned char)values[i].mark;
		buf_init(&plain[i], CELL_MAX);
		buf_init(&shown[i], CELL_MAX);
		table_add_plain(&plain[i], &t->columns[i], &values[i]);
		if (t->format == TABLE_TABLE && values[i].none)
			buf_addc(&shown[i], '-');
		else if (t->format == TABLE_TABLE)
			text_one_line(&shown[i], buf_str(&plain[i]));
		cells[i] = buf_str(t->format == TABLE_TABLE ? &shown[i]
							    : &plain[i]);
		if (buf_err(&plain[i]) || buf_err(&shown[i]))
			t->rc = -EMSGSIZE;
	}
	if (!t->rc)
		table_put_cells(t, cells, marks);
	for (unsigned i = 0; i < t->n; i++) {
		buf_clear(&plain[i]);
		buf_clear(&shown[i]);
	}
	return t->rc;
}

int table_row(struct table *t, const struct table_value *values)
{
	int rc;

	if (t->rc)
		return t->rc;
	if (t->format == TABLE_JSON || t->format == TABLE_NDJSON)
		rc = table_put_json_row(t, values);
	else
		rc = table_put_plain_row(t, values);
	t->rows++;
	return rc;
}

static void table_put_header(struct table *t)
{
	const char *cells[TABLE_COLUMNS_MAX];

	for (unsigned i = 0; i < t->n; i++)
		cells[i] = t->columns[i].name;
	table_put_cells(t, cells, NULL);
}

bool output_is_for_person(int format)
{
	return format == TABLE_AUTO && isatty(STDOUT_FILENO);
}

bool output_is_table(int format)
{
	return format == TABLE_TABLE || output_is_for_person(format);
}

size_t output_width(void)
{
	struct winsize size;

	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col
		       ? size.ws_col
		       : 80;
}

bool output_has_colours(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) &&
	       !(term && !strcmp(term, "dumb"));
}

struct table *table_new(FILE *out, enum table_format format, bool header,
			const struct table_column *columns, unsigned n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (format == TABLE_AUTO)
		format = isatty(fileno(out)) ? TABLE_TABLE : TABLE_TSV;
	t->held = calloc((size_t)HELD * n, sizeof(*t->held));
	if (!t->held) {
		free(t);
		return NULL;
	}
	t->colours = format == TABLE_TABLE && output_has_colours(out);
	if (t->colours)
		t->marks = calloc((size_t)HELD, n);
	t->out = out;
	t->format = format;
	t->n = n;
	memcpy(t->columns, columns, n * sizeof(*columns));
	buf_init(&t->line, 8 * CELL_MAX);
	if (format == TABLE_TABLE ||
	    (header && (format == TABLE_TSV || format == TABLE_CSV)))
		table_put_header(t);
	return t;
}

struct table *table_open(const struct output *o,
			 const struct table_column *columns, unsigned n)
{
	int format = o->format > TABLE_AUTO ? TABLE_AUTO : o->format;

	return table_new(stdout, format, o->header, columns, n);
}

int table_end(struct table *t)
{
	int rc;

	if (t->format == TABLE_JSON && !t->rc) {
		buf_adds(&t->line, t->rows ? "]\n" : "[]\n");
		table_put_line(t);
	}
	table_put_held(t);
	if (fflush(t->out) && !t->rc)
		t->rc = errno ? -errno : -EIO;
	rc = t->rc;
	buf_clear(&t->line);
	free(t);
	return rc;
}
