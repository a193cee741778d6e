/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite on one stand-in: its rig, how it begins and ends, and its rows, each
 * of which begins with fresh(), a function of the suite's own.
 */
#ifndef TESTS_LIB_S3_SUITE_H
#define TESTS_LIB_S3_SUITE_H

#include "base/digest.h"
#include "s3_rig.h"

static struct s3_rig rig;

static int s3_suite_setup(void **state)
{
	s3_rig_start(&rig, NULL);
	return 0;
}

static int s3_suite_teardown(void **state)
{
	s3_rig_stop(&rig);
	return 0;
}

#define ROW(sentence, f) \
	{ \
		sentence, f, fresh, NULL, NULL \
	}

/* tests: an array. */
#define S3_SUITE_RUN(name, tests) \
	(digest_init() \
		 ? 1 \
		 : cmocka_run_group_tests_name(name, tests, s3_suite_setup, \
					       s3_suite_teardown))

#endif
