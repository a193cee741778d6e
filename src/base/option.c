/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that differs from type to type stands in option_type.c; here
 * nothing looks further than the row.
 */
#include "base/option.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/option_type.h"
#include "base/text.h"

#define SHOWN_MAX 64 /* bytes of a bad value in a message */

static void *option_field(const struct option *row, void *target)
{
	return (char *)target + row->offset;
}

static const void *option_const_field(const struct option *row,
				      const void *target)
{
	return (const char *)target + row->offset;
}

int option_defaults(const struct option *table, void *target)
{
	int rc = 0;

	for (const struct option *row = table; row && row->name && !rc; row++) {
		if (row->def && !row->alias_of)
			rc = option_ops[row->type].set(
				row, option_field(row, target), row->def);
	}
	return rc;
}

char **option_reference(const struct option *row, const void *target)
{
	if (!row->reference)
		return NULL;
	return (char **)((char *)target + row->reference);
}

static void option_forget_reference(const struct option *row, void *target)
{
	char **reference = option_reference(row, target);

	if (reference)
		option_type_free(row, reference);
}

static const struct option *option_find_row(const struct option *table,
					    const char *name)
{
	for (const struct option *row = table; row && row->name; row++) {
		if (!strcasecmp(row->name, name))
			return row;
	}
	return NULL;
}

const struct option *option_find(const struct option *table, const char *name)
{
	const struct option *row = option_find_row(table, name);

	return row && row->alias_of ? option_find_row(table, row->alias_of)
				    : row;
}

unsigned option_index(const struct option *table, const struct option *row)
{
	return (unsigned)(row - table);
}

static void option_add_value(const struct option *row, const char *value,
			     struct buf *out)
{
	char shown[SHOWN_MAX + 1] = "";

	if (row->flags & OPTION_SECRET) {
		buf_adds(out, "***");
		return;
	}
	strncat(shown, value, SHOWN_MAX);
	text_one_line(out, shown);
	if (strlen(value) > SHOWN_MAX)
		buf_adds(out, "...");
}

int option_set(const struct option *row, void *target, const char *value,
	       struct buf *why)
{
	int result = option_ops[row->type].set(row, option_field(row, target),
					       value);

	if (!result) {
		option_forget_reference(row, target);
		return 0;
	}
	buf_addf(why, "%s = ", row->name);
	option_add_value(row, value, why);
	buf_adds(why, ": ");
	if (result == -ENOMEM) {
		buf_adds(why, "no memory");
		return result;
	}
	buf_adds(why, option_ops[row->type].what);
	if (option_ops[row->type].want)
		option_ops[row->type].want(row, why);
	return -EINVAL;
}

void option_show(const struct option *row, const void *target, struct buf *out)
{
	option_ops[row->type].show(row, option_const_field(row, target), out);
}

void option_clear(const struct option *table, void *target)
{
	for (const struct option *row = table; row && row->name; row++) {
		if (row->type == OPTION_STRING && !row->alias_of)
			option_type_free(row, option_field(row, target));
		option_forget_reference(row, target);
	}
}

/* ---- what a person reads: help, and "did you mean" ---- */

#define NAME_MAX_BYTES 63 /* of what can be mistyped for one of ours */
#define HELP_COLUMN 30
#define HELP_WIDTH 79
#define CHOICES_MAX 24 /* more are named in the text */

/*
 * How many letters one must add, drop, change or swap with their neighbour to
 * make b of a. Three rows of the matrix are enough: the swap looks back two.
 */
static size_t option_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_BYTES + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3], *last = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			char x = text_lower(a[i - 1]), y = text_lower(b[j - 1]);

			row[j] = number_min(last[j], row[j - 1]) + 1;
			row[j] = number_min(row[j], last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == text_lower(b[j - 2]) &&
			    y == text_lower(a[i - 2]))
				row[j] = number_min(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

/* `endpoint` of `endpoint_url`, but not `ro` of `role_arn`. */
static bool option_begins(const char *row, const char *name, size_t n)
{
	return n >= 4 && !strncasecmp(row, name, n) &&
	       (row[n] == '_' || row[n] == '-');
}

const char *option_suggest(const struct option *table, const char *name)
{
	size_t n = strlen(name), best = n / 3 + 1;
	const char *nearest = NULL, *longer = NULL;

	if (n > NAME_MAX_BYTES || n < 2)
		return NULL;
	if (best > 4)
		best = 4;
	for (const struct option *row = table; row && row->name; row++) {
		size_t d;

		if (strlen(row->name) > NAME_MAX_BYTES)
			continue;
		d = option_distance(name, row->name);
		if (d < best) {
			best = d;
			nearest = row->name;
		}
		if (!longer && option_begins(row->name, name, n))
			longer = row->name;
	}
	return nearest ? nearest : longer;
}

void option_unknown(const struct option *table, const char *name,
		    struct buf *why)
{
	const char *near = option_suggest(table, name);

	buf_adds(why, "unknown key ");
	text_printable(why, name);
	if (near)
		buf_addf(why, "; did you mean %s?", near);
}

static bool option_has_short_choices(const struct option *row)
{
	return row->choices && strlen(row->choices) <= CHOICES_MAX;
}

static const char *option_value_word(const struct option *row)
{
	static const char *const words[] = {
		[OPTION_STRING] = "TEXT", [OPTION_BOOL] = "yes|no",
		[OPTION_UINT] = "N",      [OPTION_SIZE] = "SIZE",
		[OPTION_OCTAL] = "MODE",  [OPTION_DURATION] = "TIME",
		[OPTION_CHOICE] = "WORD", [OPTION_USER] = "USER",
		[OPTION_GROUP] = "GROUP",
	};

	if (row->word)
		return row->word;
	if (row->type == OPTION_CHOICE && option_has_short_choices(row))
		return row->choices;
	if (row->flags & OPTION_SECRET)
		return "SECRET";
	return words[row->type];
}

/* ` (a, b, c)`: what there is to say beyond the help, or nothing. */
static void option_add_remark(struct buf *out, const char *fmt,
			      const char *what)
	__attribute__((format(printf, 2, 0)));
static void option_add_remark(struct buf *out, const char *fmt,
			      const char *what)
{
	buf_adds(out, out->len ? "; " : "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(out, fmt, what);
#pragma GCC diagnostic pop
}

/* A flag of a command line, as against a key of a file. */
static bool option_is_flag(const struct option *row)
{
	return row->name[0] == '-';
}

static bool option_is_letter(const struct option *row)
{
	return option_is_flag(row) && row->name[1] && !row->name[2];
}

static bool option_is_alias(const struct option *r, const struct option *of)
{
	return r->alias_of && !strcasecmp(r->alias_of, of->name);
}

static void option_add_remarks(struct buf *out, const struct option *table,
			       const struct option *row)
{
	if (row->type == OPTION_CHOICE && !option_has_short_choices(row))
		option_add_remark(out, "one of %s", row->choices);
	if (row->def && !(option_is_flag(row) && row->type == OPTION_BOOL))
		option_add_remark(out, "default %s", row->def);
	if (row->flags & OPTION_NO_COMMAND && !option_is_flag(row))
		option_add_remark(out, "%s", "only in the file");
	for (const struct option *r = table; r->name; r++) {
		if (option_is_alias(r, row) && !option_is_letter(r))
			option_add_remark(out, "also %s", r->name);
	}
}

/* Bytes to the next place for a line's end. What stands in brackets has none,
 * if a line has room for it. */
static size_t option_help_word(const char *text, size_t room)
{
	size_t n;
	int open = 0;

	for (n = 0; text[n] && (text[n] != ' ' || open > 0); n++)
		open += (text[n] == '[') - (text[n] == ']');
	return n <= room ? n : strcspn(text, " ");
}

void option_help_wrap(const char *text, size_t column, FILE *out)
{
	size_t at = column;

	while (*text) {
		size_t n = option_help_word(text, HELP_WIDTH - column);

		if (at > column && at + 1 + n > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fwrite(text, 1, n, out);
		at += n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void option_describe(const struct option *table, const struct option *row,
		     struct buf *form, struct buf *text)
{
	BUF_LOCAL remarks = BUF_INIT(BUF_MESSAGE);

	for (const struct option *r = table; r->name; r++)
		if (option_is_alias(r, row) && option_is_letter(r))
			buf_addf(form, "%s, ", r->name);
	buf_adds(form, row->name);
	if (!option_is_flag(row) || row->type != OPTION_BOOL)
		buf_addf(form, "=%s", option_value_word(row));
	option_add_remarks(&remarks, table, row);
	buf_adds(text, row->help ? row->help : "");
	if (remarks.len)
		buf_addf(text, "%s(%s)", text->len ? " " : "",
			 buf_str(&remarks));
}

void option_help_entry(const char *form, const char *text, FILE *out)
{
	bool beside = strlen(form) + 4 <= HELP_COLUMN;

	fputs("  ", out);
	if (!*text || !beside)
		option_help_wrap(form, 2, out);
	if (!*text)
		return;
	fprintf(out, "%-*s", beside ? HELP_COLUMN - 2 : HELP_COLUMN,
		beside ? form : "");
	option_help_wrap(text, HELP_COLUMN, out);
}

static void option_print_row(const struct option *table,
			     const struct option *row, FILE *out)
{
	BUF_LOCAL form = BUF_INIT(BUF_MESSAGE), text = BUF_INIT(BUF_MESSAGE);

	option_describe(table, row, &form, &text);
	option_help_entry(buf_str(&form), buf_str(&text), out);
}

void option_help(const struct option *table, FILE *out)
{
	for (const struct option *row = table; row && row->name; row++) {
		if (!row->alias_of)
			option_print_row(table, row, out);
	}
}
