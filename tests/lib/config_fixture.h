/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the configuration: a directory of their own, and an
 * environment in which nothing else is read.
 */
#ifndef TESTS_LIB_CONFIG_FIXTURE_H
#define TESTS_LIB_CONFIG_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SETTINGS_MAX 5
#define S "[storage]\nurl = s3://b/\n"

static char dir[] = "/tmp/test_config.XXXXXX";

static inline const char *in_dir(const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline void clear_environment(void)
{
	static const char *const names[] = {
		"STAGEFS_CONFIG",      "XDG_CONFIG_HOME",
		"XDG_CACHE_HOME",      "AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_S3", "AWS_REGION",
		"AWS_DEFAULT_REGION",  "AWS_PROFILE",
		"AWS_ACCESS_KEY_ID",   "AWS_SECRET_ACCESS_KEY",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
	setenv("HOME", dir, 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
}

static inline unsigned count(const char *const *settings)
{
	unsigned n = 0;

	while (n < SETTINGS_MAX && settings[n])
		n++;
	return n;
}

static inline int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

#endif
