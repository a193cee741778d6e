/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as the kernel writes them, to a session without a mount: what is
 * answered, and with which error. The file system is one on a store in memory.
 *
 * Covers: fuse/op.c fuse/ops.c fuse/ops_file.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuse/ops.h"

#define ANSWER_MAX 4096

/* The one that is asked, and what it said last. */
static struct {
	struct mount m;
	struct fuse_session *se;
	int fd; /* nothing is read from it */
	uint64_t unique;
	unsigned answers; /* to the last request */
	int rc;
	size_t len;
	char body[ANSWER_MAX];
} kernel;

static ssize_t kernel_read(int fd, void *buf, size_t len, void *userdata)
{
	return -1;
}

static ssize_t kernel_writev(int fd, struct iovec *iov, int count,
			     void *userdata)
{
	const struct fuse_out_header *h = iov[0].iov_base;
	size_t all = iov[0].iov_len;

	kernel.answers++;
	assert_int_equal(h->unique, kernel.unique);
	kernel.rc = h->error;
	kernel.len = 0;
	for (int i = 1; i < count; i++) {
		assert_true(kernel.len + iov[i].iov_len <= ANSWER_MAX);
		memcpy(kernel.body + kernel.len, iov[i].iov_base,
		       iov[i].iov_len);
		kernel.len += iov[i].iov_len;
		all += iov[i].iov_len;
	}
	return (ssize_t)all;
}

/* A request with an argument and names behind it, each with its NUL. Returns
 * the error of its answer: 0 or -errno. */
static int kernel_ask(uint32_t opcode, uint64_t node, const void *arg,
		      size_t len, const char *one, const char *other)
{
	char bytes[1024];
	struct fuse_in_header h = {
		.opcode = opcode,
		.unique = ++kernel.unique,
		.nodeid = node,
		.pid = (uint32_t)getpid(),
	};
	struct fuse_buf b = { .mem = bytes, .size = sizeof(h) };

	memcpy(bytes + b.size, arg, len);
	b.size += len;
	for (int i = 0; i < 2; i++) {
		const char *name = i ? other : one;

		if (!name)
			continue;
		memcpy(bytes + b.size, name, strlen(name) + 1);
		b.size += strlen(name) + 1;
	}
	h.len = (uint32_t)b.size;
	memcpy(bytes, &h, sizeof(h));
	kernel.answers = 0;
	kernel.rc = 1;
	fuse_session_process_buf(kernel.se, &b);
	return kernel.rc;
}

static int kernel_name(uint32_t opcode, const char *name)
{
	return kernel_ask(opcode, FUSE_ROOT_ID, "", 0, name, NULL);
}

static uint64_t kernel_lookup(const char *name)
{
	struct fuse_entry_out entry;

	assert_int_equal(kernel_name(FUSE_LOOKUP, name), 0);
	memcpy(&entry, kernel.body, sizeof(entry));
	return entry.nodeid;
}

static void kernel_forget(uint64_t node)
{
	struct fuse_forget_in in = { .nlookup = 1 };

	kernel_ask(FUSE_FORGET, node, &in, sizeof(in), NULL, NULL);
	assert_int_equal(kernel.answers, 0);
}

static int kernel_up(void **state)
{
	static const struct fuse_custom_io io = { .read = kernel_read,
						  .writev = kernel_writev };
	struct fuse_init_in in = { .major = 7,
				   .minor = 36,
				   .flags = FUSE_DO_READDIRPLUS |
					    FUSE_ATOMIC_O_TRUNC };
	char *argv[] = { (char *)"test", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	mount_up(&kernel.m, "", 60, false);
	store_has(&kernel.m, "file", "text");
	store_has(&kernel.m, "dir/inside", "x");
	kernel.se = fuse_session_new(&args, &ops, sizeof(ops), kernel.m.fs);
	fuse_opt_free_args(&args);
	kernel.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return !kernel.se || kernel.fd < 0 ||
	       fuse_session_custom_io(kernel.se, &io, kernel.fd) ||
	       kernel_ask(FUSE_INIT, 0, &in, sizeof(in), NULL, NULL);
}

static int kernel_down(void **state)
{
	fuse_session_destroy(kernel.se);
	mount_down(&kernel.m);
	return 0;
}

static void test_init(void **state)
{
	struct fuse_init_out out;

	/* The last answer is that of kernel_up(). */
	memcpy(&out, kernel.body, sizeof(out));
	assert_int_equal(out.max_write, 1 << 20);
	assert_int_equal(out.max_background, 128);
	assert_true(out.flags & FUSE_DO_READDIRPLUS);
	assert_false(out.flags & FUSE_WRITEBACK_CACHE);
}

static void test_errors(void **state)
{
	static const struct fuse_mkdir_in mkdir_in = { .mode = 0755 };
	static const struct fuse_rename2_in both = { .newdir = FUSE_ROOT_ID,
						     .flags = 3 };
	static const struct fuse_rename2_in keep = { .newdir = FUSE_ROOT_ID,
						     .flags = 1 };
	static const struct {
		const char *sentence;
		uint32_t opcode;
		const void *arg;
		size_t len;
		const char *one, *other;
		int rc;
	} rows[] = {
		{ "unlink of nothing", FUSE_UNLINK, "", 0, "none", NULL,
		  -ENOENT },
		{ "unlink of a directory", FUSE_UNLINK, "", 0, "dir", NULL,
		  -EISDIR },
		{ "rmdir of a file", FUSE_RMDIR, "", 0, "file", NULL,
		  -ENOTDIR },
		{ "rmdir of what holds something", FUSE_RMDIR, "", 0, "dir",
		  NULL, -ENOTEMPTY },
		{ "mkdir where a file is", FUSE_MKDIR, &mkdir_in,
		  sizeof(mkdir_in), "file", NULL, -EEXIST },
		{ "mkdir where a directory is", FUSE_MKDIR, &mkdir_in,
		  sizeof(mkdir_in), "dir", NULL, -EEXIST },
		{ "a rename of nothing", FUSE_RENAME2, &keep, sizeof(keep),
		  "none", "new", -ENOENT },
		{ "a rename that keeps what is there", FUSE_RENAME2, &keep,
		  sizeof(keep), "file", "dir", -EEXIST },
		{ "a rename with flags that exclude each other", FUSE_RENAME2,
		  &both, sizeof(both), "file", "dir", -EINVAL },
		{ "what we have no operation for", FUSE_BMAP, "", 0, NULL, NULL,
		  -ENOSYS },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		row_number(rows[i].sentence,
			   kernel_ask(rows[i].opcode, FUSE_ROOT_ID, rows[i].arg,
				      rows[i].len, rows[i].one, rows[i].other),
			   rows[i].rc);
		row_number(rows[i].sentence, kernel.answers, 1);
	}
}

/* A name that is absent is an answer with a time, and no error. */
static void test_lookup(void **state)
{
	struct fuse_entry_out entry;
	uint64_t file = kernel_lookup("file");

	memcpy(&entry, kernel.body, sizeof(entry));
	assert_true(file > FUSE_ROOT_ID);
	assert_true(S_ISREG(entry.attr.mode));
	assert_int_equal(entry.attr.size, 4);
	assert_true(entry.entry_valid > 0 && entry.entry_valid <= 60);
	assert_int_equal(kernel_lookup("file"), file);
	kernel_forget(file);
	kernel_forget(file);
	assert_int_equal(kernel_lookup("absent"), 0);
	memcpy(&entry, kernel.body, sizeof(entry));
	assert_true(entry.entry_valid > 0);
}

static void test_read_and_write(void **state)
{
	static const struct fuse_open_in to_read = { .flags = O_RDONLY };
	struct fuse_create_in make = { .flags = O_RDWR, .mode = 0644 };
	struct fuse_read_in r = { .size = 100 };
	struct fuse_write_in w = { .size = 4 };
	struct fuse_flush_in flush = { 0 };
	struct fuse_release_in release = { 0 };
	uint64_t node = kernel_lookup("file");
	struct fuse_open_out opened;
	struct fuse_entry_out entry;
	struct fuse_write_out wrote;
	char text[16] = "";

	assert_int_equal(kernel_ask(FUSE_OPEN, node, &to_read, sizeof(to_read),
				    NULL, NULL),
			 0);
	memcpy(&opened, kernel.body, sizeof(opened));
	r.fh = release.fh = opened.fh;
	assert_int_equal(kernel_ask(FUSE_READ, node, &r, sizeof(r), NULL, NULL),
			 0);
	assert_int_equal(kernel.len, 4);
	assert_memory_equal(kernel.body, "text", 4);
	assert_int_equal(kernel_ask(FUSE_RELEASE, node, &release,
				    sizeof(release), NULL, NULL),
			 0);
	kernel_forget(node);

	assert_int_equal(kernel_ask(FUSE_CREATE, FUSE_ROOT_ID, &make,
				    sizeof(make), "new", NULL),
			 0);
	memcpy(&entry, kernel.body, sizeof(entry));
	memcpy(&opened, kernel.body + sizeof(entry), sizeof(opened));
	w.fh = flush.fh = release.fh = opened.fh;
	/* The bytes, with a NUL behind them that is none of them. */
	assert_int_equal(kernel_ask(FUSE_WRITE, entry.nodeid, &w, sizeof(w),
				    "made", NULL),
			 0);
	memcpy(&wrote, kernel.body, sizeof(wrote));
	assert_int_equal(wrote.size, 4);
	assert_false(store_holds(&kernel.m, "new"));
	assert_int_equal(kernel_ask(FUSE_FLUSH, entry.nodeid, &flush,
				    sizeof(flush), NULL, NULL),
			 0);
	assert_int_equal(kernel_ask(FUSE_RELEASE, entry.nodeid, &release,
				    sizeof(release), NULL, NULL),
			 0);
	kernel_forget(entry.nodeid);
	assert_int_equal(mount_cat(&kernel.m, "new", text, sizeof(text)), 4);
	assert_string_equal(text, "made");
	assert_true(store_holds(&kernel.m, "new"));
}

/* Without room the size is asked for; with too little it is -ERANGE. */
static void test_xattr_sizes(void **state)
{
	static const struct {
		const char *sentence, *name;
		uint32_t size;
		int rc;
	} rows[] = {
		{ "how long it is", "user.stage.etag", 0, 0 },
		{ "its value", "user.stage.etag", 256, 0 },
		{ "too little room", "user.stage.etag", 1, -ERANGE },
		{ "one that there is not", "user.none", 256, -ENODATA },
		{ "one of another kind", "security.selinux", 256, -EOPNOTSUPP },
	};
	uint64_t node = kernel_lookup("file");
	uint32_t size = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fuse_getxattr_in in = { .size = rows[i].size };
		struct fuse_getxattr_out out;

		row_number(rows[i].sentence,
			   kernel_ask(FUSE_GETXATTR, node, &in, sizeof(in),
				      rows[i].name, NULL),
			   rows[i].rc);
		if (rows[i].rc)
			continue;
		if (rows[i].size) {
			row_number(rows[i].sentence, kernel.len, size);
			continue;
		}
		memcpy(&out, kernel.body, sizeof(out));
		size = out.size;
		row_check(rows[i].sentence, size > 0);
	}
	kernel_forget(node);
}

SUITE(ops)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_read_and_write),
		cmocka_unit_test(test_xattr_sizes),
	};

	return cmocka_run_group_tests_name("ops", tests, kernel_up,
					   kernel_down);
}
