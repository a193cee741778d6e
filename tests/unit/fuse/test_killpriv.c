/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests ask that set-id bits go: by table. */
#include "fuse/killpriv.h"
#include "unit.h"

#include <linux/fuse.h>

union body {
	struct fuse_write_in write;
	struct fuse_setattr_in setattr;
	struct fuse_open_in open;
	struct fuse_create_in create;
	struct fuse_mkdir_in mkdir;
};

static const struct {
	const char *sentence;
	uint32_t opcode;
	size_t len; /* of the body */
	union body body;
	bool wanted;
} rows[] = {
	{ "a write that clears them",
	  FUSE_WRITE,
	  sizeof(struct fuse_write_in),
	  { .write = { .write_flags = FUSE_WRITE_KILL_SUIDGID } },
	  true },
	{ "a write with another flag",
	  FUSE_WRITE,
	  sizeof(struct fuse_write_in),
	  { .write = { .write_flags = FUSE_WRITE_LOCKOWNER } },
	  false },
	{ "a change of attributes",
	  FUSE_SETATTR,
	  sizeof(struct fuse_setattr_in),
	  { .setattr = { .valid = FATTR_KILL_SUIDGID | FATTR_UID } },
	  true },
	{ "another change of attributes",
	  FUSE_SETATTR,
	  sizeof(struct fuse_setattr_in),
	  { .setattr = { .valid = FATTR_UID } },
	  false },
	{ "an open that truncates",
	  FUSE_OPEN,
	  sizeof(struct fuse_open_in),
	  { .open = { .open_flags = FUSE_OPEN_KILL_SUIDGID } },
	  true },
	{ "an open with the same bit among the program's flags",
	  FUSE_OPEN,
	  sizeof(struct fuse_open_in),
	  { .open = { .flags = FUSE_OPEN_KILL_SUIDGID } },
	  false },
	{ "a creation",
	  FUSE_CREATE,
	  sizeof(struct fuse_create_in),
	  { .create = { .open_flags = FUSE_OPEN_KILL_SUIDGID } },
	  true },
	{ "an operation that has no such flag",
	  FUSE_MKDIR,
	  sizeof(struct fuse_mkdir_in),
	  { .mkdir = { .mode = ~0U } },
	  false },
	{ "a request that ends before its flags",
	  FUSE_WRITE,
	  offsetof(struct fuse_write_in, write_flags),
	  { .write = { .write_flags = FUSE_WRITE_KILL_SUIDGID } },
	  false },
};

static void test_requests(void **state)
{
	struct {
		struct fuse_in_header h;
		union body body;
	} request;

	for (size_t i = 0; i < COUNT(rows); i++) {
		request.h = (struct fuse_in_header){ .opcode = rows[i].opcode };
		request.body = rows[i].body;
		killpriv_note(&request, sizeof(request.h) + rows[i].len);
		row_number(rows[i].sentence, killpriv_wanted(), rows[i].wanted);
	}
}

/* What one request has asked for is not the next one's. */
static void test_forgets(void **state)
{
	struct {
		struct fuse_in_header h;
		union body body;
	} request = { .h = { .opcode = FUSE_WRITE } };

	request.body.write.write_flags = FUSE_WRITE_KILL_SUIDGID;
	killpriv_note(&request, sizeof(request));
	assert_true(killpriv_wanted());
	killpriv_note(&request, sizeof(request.h) - 1);
	assert_false(killpriv_wanted());
}

SUITE(killpriv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_forgets),
	};

	return cmocka_run_group_tests_name("killpriv", tests, NULL, NULL);
}
