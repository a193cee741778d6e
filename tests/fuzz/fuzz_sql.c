/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a script: it ends, errors stand inside the text and say
 * something, and what an error shows is a few lines without control bytes.
 * Built for libFuzzer by `make fuzz`; as a unit test it runs over the corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "stage/location.h"
#include "sql/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int condition)
{
	if (!condition)
		abort();
}

static void check_statement(const struct sql_statement *s, size_t len)
{
	must(s->span.at + s->span.len <= len && s->span.len);
	if (s->location.s) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct location where;

		must(s->location.s[0] == '@');
		if (!location_parse(s->location.s, &where, &why))
			location_clear(&where);
		buf_clear(&why);
	}
	must(s->n_connection <= SQL_PAIRS_MAX);
	for (unsigned i = 0; i < s->n_connection; i++)
		must(s->connection[i].name.s && s->connection[i].value.s);
	if (s->like.s)
		sql_like(s->like.s, "my_stage");
}

static void check_error(const struct sql_error *e, const char *text, size_t len)
{
	struct buf shown = BUF_INIT(BUF_MESSAGE);
	unsigned lines = 0, line, column;

	must(e->code && e->message.len);
	must(e->span.at <= len && e->span.len <= len - e->span.at);
	sql_show_place(text, len, e->span.at, &line, &column);
	must(line && column);
	sql_show(text, len, e->span, &shown);
	must(!buf_err(&shown));
	for (size_t i = 0; i < shown.len; i++) {
		lines += shown.data[i] == '\n';
		must(shown.data[i] == '\n' ||
		     (unsigned char)shown.data[i] >= ' ');
	}
	must(lines == 3);
	buf_clear(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* A copy of its own size, so that a sanitizer sees its end. */
	char *text = malloc(len ? len : 1);
	struct sql_script script = { .text = text, .len = len };
	struct sql_error error = SQL_ERROR_INIT;
	struct sql_statement s;
	size_t before = 0;
	int rc;

	must(text != NULL);
	memcpy(text, data, len);
	while ((rc = sql_next(&script, &s, &error)) > 0) {
		check_statement(&s, len);
		must(script.at > before && script.at <= len);
		before = script.at;
		sql_statement_clear(&s);
	}
	if (rc)
		check_error(&error, text, len);
	buf_clear(&error.message);
	free(text);
	return 0;
}
