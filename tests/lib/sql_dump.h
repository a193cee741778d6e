/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the grammar: a statement as one line of text.
 */
#ifndef TESTS_LIB_SQL_DUMP_H
#define TESTS_LIB_SQL_DUMP_H

#include "base/buf.h"
#include "sql/sql.h"

static inline void dump_text(const char *name, const struct sql_text *t,
			     struct buf *out)
{
	if (t->s)
		buf_addf(out, " %s=[%s]", name, t->s);
}

static inline void sql_dump(const struct sql_statement *s, struct buf *out)
{
	static const char *const kinds[] = {
		"presign", "list",   "remove", "show",
		"desc",    "create", "alter",  "drop",
	};

	buf_adds(out, kinds[s->kind]);
	if (s->upload)
		buf_adds(out, " upload");
	dump_text("at", &s->location, out);
	if (s->has_expire)
		buf_addf(out, " expire=%llu", (unsigned long long)s->expire);
	dump_text("type", &s->content_type, out);
	dump_text("pattern", &s->pattern, out);
	dump_text("like", &s->like, out);
	if (s->has_limit)
		buf_addf(out, " limit=%llu", (unsigned long long)s->limit);
	if (s->or_replace)
		buf_adds(out, " or_replace");
	if (s->if_exists)
		buf_adds(out, " if_exists");
	if (s->if_not_exists)
		buf_adds(out, " if_not_exists");
	dump_text("name", &s->name, out);
	dump_text("url", &s->url, out);
	for (unsigned i = 0; i < s->n_connection; i++)
		dump_text(s->connection[i].name.s, &s->connection[i].value,
			  out);
	dump_text("file_format", &s->file_format, out);
	dump_text("copy_options", &s->copy_options, out);
	dump_text("comment", &s->comment, out);
	if (s->unset)
		buf_addf(out, " unset=%u", s->unset);
}

#endif
