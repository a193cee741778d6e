/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left in journals, listed and taken out without a mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "fs/write_back/salvage.h"
#include "fs_fixture.h"
#include "unit.h"

static char top[] = "/tmp/stagefs-salvage-XXXXXX";

static int setup(void **state)
{
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static int list(void *arg, const struct salvage *s)
{
	buf_addf(arg, "%s %s @%s/%s %llu%s;", s->mount_name,
		 s->busy ? "busy" : "left", s->stage, s->path,
		 (unsigned long long)s->size,
		 s->is_dir    ? " dir"
		 : s->in_part ? " part"
			      : "");
	return 0;
}

static void expect(const char *wanted)
{
	struct buf got = BUF_INIT(4096);

	assert_int_equal(salvage_each(top, list, &got), 0);
	assert_string_equal(buf_str(&got), wanted);
	buf_clear(&got);
}

/* The bytes of each, and it is forgotten. */
static int take(void *arg, const struct salvage *s)
{
	struct buf *out = arg;
	char path[200];
	int fd, rc = 0;

	if (!s->is_dir) {
		snprintf(path, sizeof(path), "%s/out", top);
		fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
		rc = salvage_write(s, fd);
		if (!rc)
			rc = io_read_file(path, out);
		close(fd);
	}
	if (!rc)
		salvage_forget(s);
	return rc;
}

static void listed_and_taken(void **state)
{
	struct fs_settings s = mount_settings;
	struct buf got = BUF_INIT(1 << 20);
	char *text = calloc(1, 100001);
	struct mount m;

	expect("");
	memset(text, 'x', 100000);
	s.spill_dir = top;
	s.mount_name = "me";
	s.write_back_size = 1 << 30;
	s.write_back_delay_ms = 86400000;
	mount_with(&m, "p/", false, &s);
	m.store->write_back = STORE_WRITE_BACK;
	assert_int_equal(mount_mkdir(&m, "d"), 0);
	assert_int_equal(mount_write(&m, "d/a", "small"), 0);
	assert_int_equal(mount_write(&m, "b", text), 0);
	assert_int_equal(mount_rename(&m, "d/a", "c", 0), 0);
	expect("me busy @s/d/ 0 dir;me busy @s/c 5;me busy @s/b 100000;");
	mount_down(&m);
	expect("me left @s/d/ 0 dir;me left @s/c 5;me left @s/b 100000;");
	assert_int_equal(salvage_each(top, take, &got), 0);
	assert_int_equal(got.len, 100005);
	assert_memory_equal(got.data, "small", 5);
	assert_memory_equal(got.data + 5, text, 100000);
	expect("");
	buf_clear(&got);
	free(text);
}

SUITE(salvage)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_and_taken),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
