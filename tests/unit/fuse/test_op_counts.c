/* SPDX-License-Identifier: Apache-2.0 */
/* How requests are counted, by what they end with: by table. */
#include "fuse/op_counts.h"
#include "unit.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/buf.h"

static uint64_t unique;

static void begin(uint32_t opcode)
{
	struct fuse_in_header h = { .opcode = opcode, .unique = ++unique };

	op_counts_begin(&h, sizeof(h));
}

/* node: of an entry behind the answer's header. */
static void end(uint64_t of, int rc, uint64_t node)
{
	struct fuse_out_header h = { .unique = of, .error = rc };
	struct fuse_entry_out entry = { .nodeid = node };
	const struct iovec answer[] = { { &h, sizeof(h) },
					{ &entry, sizeof(entry) } };

	op_counts_end(answer, rc ? 1 : 2);
}

/* The number of a line with that name and these labels; 0: there is none. */
static long counted(const char *name, const char *labels)
{
	BUF_LOCAL text = BUF_INIT(1 << 20);
	BUF_LOCAL line = BUF_INIT(BUF_LINE);
	const char *at;

	op_counts_write(&text);
	buf_addf(&line, "%s{%s} ", name, labels);
	at = strstr(buf_str(&text), buf_str(&line));
	return at ? strtol(at + line.len, NULL, 10) : 0;
}

static const struct {
	const char *sentence;
	uint32_t opcode;
	int rc;
	uint64_t node;
	const char *labels;
} rows[] = {
	{ "a name that is there", FUSE_LOOKUP, 0, 7,
	  "op=\"lookup\",result=\"ok\"" },
	{ "a name that is known to be absent", FUSE_LOOKUP, 0, 0,
	  "op=\"lookup\",result=\"absent\"" },
	{ "another operation's answer begins with zeros", FUSE_GETATTR, 0, 0,
	  "op=\"getattr\",result=\"ok\"" },
	{ "an absent name", FUSE_UNLINK, -ENOENT, 0,
	  "op=\"unlink\",result=\"absent\"" },
	{ "an absent attribute", FUSE_GETXATTR, -ENODATA, 0,
	  "op=\"getxattr\",result=\"absent\"" },
	{ "one that was broken off", FUSE_READ, -EINTR, 0,
	  "op=\"read\",result=\"interrupted\"" },
	{ "one that failed", FUSE_WRITE, -EIO, 0,
	  "op=\"write\",result=\"error\"" },
	{ "an operation that has no name here", 63, -ENOSYS, 0,
	  "op=\"other\",result=\"error\"" },
	{ "one beyond the table", 100000, -ENOSYS, 0,
	  "op=\"other\",result=\"error\"" },
};

static void test_ends(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		long before = counted("fuse_answers_total", rows[i].labels);

		begin(rows[i].opcode);
		end(unique, rows[i].rc, rows[i].node);
		row_number(rows[i].sentence,
			   counted("fuse_answers_total", rows[i].labels),
			   before + 1);
	}
}

/* What the kernel is told unasked, another's answer, one that came already. */
static void test_other_answers(void **state)
{
	const char *labels = "op=\"statfs\",result=\"ok\"";

	begin(FUSE_STATFS);
	end(0, 0, 0);
	end(unique + 1, 0, 0);
	assert_int_equal(counted("fuse_answers_total", labels), 0);
	end(unique, 0, 0);
	end(unique, 0, 0);
	assert_int_equal(counted("fuse_answers_total", labels), 1);
}

/* forget has no answer. */
static void test_begun(void **state)
{
	struct fuse_in_header h = { .opcode = FUSE_FORGET, .unique = 1 };
	long before = counted("fuse_requests_total", "op=\"forget\"");

	begin(FUSE_FORGET);
	op_counts_begin(&h, sizeof(h) - 1);
	assert_int_equal(counted("fuse_requests_total", "op=\"forget\""),
			 before + 1);
}

SUITE(op_counts)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_begun),
	};

	return cmocka_run_group_tests_name("op_counts", tests, NULL, NULL);
}
