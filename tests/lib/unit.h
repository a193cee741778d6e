/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka, and a check that names its row.
 *
 * A test walks a table of cases; each row begins with a sentence, and
 * row_check() prints it beside the condition that failed.
 */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define row_check(sentence, condition) \
	do { \
		if (!(condition)) \
			fail_msg("%s: %s", (sentence), #condition); \
	} while (0)

/* Two strings; prints both. */
#define row_equal(sentence, got, wanted) \
	do { \
		const char *got_ = (got), *wanted_ = (wanted); \
		if (strcmp(got_, wanted_)) \
			fail_msg("%s: got \"%s\", wanted \"%s\"", (sentence), \
				 got_, wanted_); \
	} while (0)

/* Two whole numbers; prints both. */
#define row_number(sentence, got, wanted) \
	do { \
		long long got_ = (long long)(got); \
		long long wanted_ = (long long)(wanted); \
		if (got_ != wanted_) \
			fail_msg("%s: %s is %lld, wanted %lld", (sentence), \
				 #got, got_, wanted_); \
	} while (0)

#endif
