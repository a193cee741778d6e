/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program for all suites of a room. A test file says
 *
 *	SUITE(inode)
 *	{
 *		const struct CMUnitTest tests[] = { ... };
 *
 *		return cmocka_run_group_tests(tests, NULL, NULL);
 *	}
 *
 * and the program runs each suite in a process of its own and joins what they
 * say to one stream of TAP. TEST_SUITES in the environment, a list of names
 * with spaces between them, chooses some of them.
 */
#ifndef SUITE_H
#define SUITE_H

struct suite {
	const char *name;
	int (*run)(void); /* the number of tests that failed */
	struct suite *next;
};

void suite_register(struct suite *s);

#define SUITE(name_) \
	static int suite_run_##name_(void); \
	static struct suite suite_##name_ = { #name_, suite_run_##name_, \
					      NULL }; \
	__attribute__((constructor)) static void suite_add_##name_(void) \
	{ \
		suite_register(&suite_##name_); \
	} \
	static int suite_run_##name_(void)

#endif
