/* SPDX-License-Identifier: Apache-2.0 */
/* Names that look as if they were of one sort.
 *
 * Covers: fs/names/likeness.c
 */
#include "unit.h"

#include "fs/names/likeness.h"

static void names(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool alike;
	} rows[] = {
		{ "one extension", "f0001.jpg", "cat.jpg", true },
		{ "another", "f0001.jpg", "f0001.txt", false },
		{ "a case is another", "f0001.jpg", "f0001.JPG", false },
		{ "none and one", "f0001", "f0001.jpg", false },
		{ "only the last counts", "a.tar.gz", "b.gz", true },
		{ "a number behind the dot", "log.7", "log.12", true },
		{ "... with a text", "x.part7", "y.part12", true },
		{ "... and without", "x.part7", "y.part", false },
		{ "a date", "a.2024-01-31", "b.2025-2-1", true },
		{ "words and numbers", "f2222", "part00001", true },
		{ "a word alone", "f2222", "none", false },
		{ "words of any length", "alice", "bob", true },
		{ "a word that is not ASCII", "\303\244pfel", "bob", true },
		{ "what is between them", "a-1", "b_1", true },
		{ "... and is longer", "aa-1", "b_1", false },
		{ "as many bytes", "9a3f", "c04d", true },
		{ "... but only one has numbers", "9a3f", "none", false },
		{ "one more", "9a3f0", "c04d", false },
		{ "a dot at the beginning", ".git", "data", false },
		{ "two of such", ".git", ".hg", true },
		{ "a dot at the end is none", "a.", "bcd", false },
		{ "the same", "x", "x", true },
	};

	for (size_t k = 0; k < COUNT(rows); k++) {
		row_number(rows[k].name,
			   likeness_of_names(rows[k].a, rows[k].b),
			   rows[k].alike);
		row_number(rows[k].name,
			   likeness_of_names(rows[k].b, rows[k].a),
			   rows[k].alike);
	}
}

SUITE(likeness)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
