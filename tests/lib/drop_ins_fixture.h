/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of drop-ins for a test: made, filled and emptied. For one test
 * program each.
 */
#ifndef TESTS_LIB_DROP_INS_FIXTURE_H
#define TESTS_LIB_DROP_INS_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "stage/drop_ins.h"

static char top[] = "/tmp/test_drop_ins.XXXXXX";
static char dir[64];

static inline int make_top(void **state)
{
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_ENDPOINT_URL_S3");
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/stages.d", top);
	return 0;
}

static inline int remove_top(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", top);
	return system(command);
}

static inline int empty_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static inline void put_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *f;

	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A conn with the defaults and these. */
static inline void make_conn(struct conn *c, const char *const *pairs)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	*c = (struct conn){ 0 };
	assert_int_equal(option_defaults(conn_options, c), 0);
	for (; *pairs; pairs += 2)
		row_number(pairs[0],
			   option_set(option_find(conn_options, pairs[0]), c,
				      pairs[1], &why),
			   0);
	if (!strcmp(c->creds.credentials, "auto"))
		assert_int_equal(
			conn_set(c, "credentials", conn_sql_credentials(c)), 0);
	buf_clear(&why);
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline int write_stage(const char *name, const char *const *pairs,
			      struct buf *why)
{
	struct conn c;
	int lock, rc = drop_ins_lock(dir, &lock, why);

	assert_int_equal(rc, 0);
	make_conn(&c, pairs);
	rc = drop_ins_put(dir, name, &c, why);
	drop_ins_unlock(lock);
	option_clear(conn_options, &c);
	return rc;
}

#endif
