/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the local store asks the disk, and what it does when the disk
 * says no. The calls below stand before the C library's.
 *
 * Covers: store/local/local_commit.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "local_rig.h"
#include "unit.h"

static struct local_rig rig;

/* ---- the calls: each leaves a word ---- */

static struct buf heard = BUF_INIT(1 << 20);
static bool listening;
static const char *failing; /* the word of a call that fails, or NULL */
static int failing_errno;

/* The word goes down; true: this call fails. */
static bool hear(const char *word)
{
	if (!listening)
		return false;
	buf_addf(&heard, "%s ", word);
	if (!failing || strcmp(failing, word))
		return false;
	errno = failing_errno;
	return true;
}

static bool is_dir(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

int fsync(int fd)
{
	return hear(is_dir(fd) ? "flush-folder" : "flush-file")
		       ? -1
		       : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return hear("flush-data") ? -1 : (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return hear("write") ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t n,
			unsigned flags)
{
	return hear("copy") ? -1
			    : syscall(SYS_copy_file_range, in, in_at, out,
				      out_at, n, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to,
	   int flags)
{
	return hear("link") ? -1
			    : (int)syscall(SYS_linkat, from_dir, from, to_dir,
					   to, flags);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned flags)
{
	return hear("rename") ? -1
			      : (int)syscall(SYS_renameat2, from_dir, from,
					     to_dir, to, flags);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	return hear("mkdir") ? -1 : (int)syscall(SYS_mkdirat, dir, name, mode);
}

int fsetxattr(int fd, const char *name, const void *value, size_t n, int flags)
{
	return hear("note")
		       ? -1
		       : (int)syscall(SYS_fsetxattr, fd, name, value, n, flags);
}

static void listen_from_here(const char *fails, int rc)
{
	buf_reset(&heard);
	failing = fails;
	failing_errno = rc;
	listening = true;
}

static void assert_heard(const char *sentence, const char *want)
{
	listening = false;
	row_equal(sentence, buf_str(&heard), want);
}

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	buf_clear(&heard);
	return 0;
}

/* ---- the order ---- */

static int put_bytes(const char *key, size_t n)
{
	char *bytes = calloc(1, n + 1);
	const struct store_body body = { .data = bytes, .fd = -1, .len = n };
	int rc;

	assert_non_null(bytes);
	rc = store_put(rig.s, key, &body, NULL, NULL, NULL);
	free(bytes);
	return rc;
}

static void order_of_a_put(void **state)
{
	listen_from_here(NULL, 0);
	assert_int_equal(put_bytes("new", 5), 0);
	assert_heard("a new object",
		     "write note flush-file link flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(put_bytes("new", 5), 0);
	assert_heard("one that replaces",
		     "write note flush-file link rename flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(put_bytes("new", 3 << 20), 0);
	assert_heard("a large one is flushed before the lock is taken",
		     "write flush-data note flush-file link rename "
		     "flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(put_bytes("a/b/c", 5), 0);
	assert_heard("one that needs folders",
		     "write mkdir note flush-folder mkdir note flush-folder "
		     "note flush-file link flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(put_bytes("marker/", 0), 0);
	assert_heard("a folder", "mkdir note flush-folder flush-folder ");
}

static void part_done(struct store_part *part, int rc)
{
	part->state = (void *)(intptr_t)rc;
}

static int send_part(struct store_upload *u, struct store_part_done *done)
{
	struct store_part part = {
		.upload = u,
		.number = 1,
		.body = { .data = "part", .fd = -1, .len = 4 },
		.done = part_done
	};

	store_part(&part);
	done->number = 1;
	memcpy(done->etag, part.etag, sizeof(done->etag));
	return (int)(intptr_t)part.state;
}

static void order_of_an_upload(void **state)
{
	struct store_part_done done;
	struct store_upload *u;

	assert_int_equal(store_upload_open(rig.s, "parts", NULL, &u), 0);
	listen_from_here(NULL, 0);
	assert_int_equal(send_part(u, &done), 0);
	assert_heard("a part", "write ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	assert_heard("completion", "note flush-file rename flush-folder ");
	store_upload_free(u);
}

static void copies_in_the_kernel(void **state)
{
	struct store_body body = { .offset = 2, .len = 3 };
	char text[4096];
	FILE *f = tmpfile();

	assert_int_equal(put_bytes("from", 1000), 0);
	listen_from_here(NULL, 0);
	assert_int_equal(store_copy(rig.s, "from", NULL, "to", NULL, NULL), 0);
	assert_heard("a copy", "copy note flush-file link flush-folder ");
	assert_non_null(f);
	fputs("0123456", f);
	fflush(f);
	body.fd = fileno(f);
	listen_from_here(NULL, 0);
	assert_int_equal(store_put(rig.s, "file", &body, NULL, NULL, NULL), 0);
	assert_heard("a file", "copy note flush-file link flush-folder ");
	/* where the kernel cannot */
	listen_from_here("copy", EXDEV);
	assert_int_equal(store_put(rig.s, "file2", &body, NULL, NULL, NULL), 0);
	assert_heard("a file of another disk",
		     "copy write note flush-file link flush-folder ");
	fclose(f);
	assert_int_equal(local_rig_get(rig.s, "file", text), 0);
	assert_string_equal(text, "234");
	assert_int_equal(local_rig_get(rig.s, "file2", text), 0);
	assert_string_equal(text, "234");
}

static void adopts(void **state)
{
	struct store_body body = { .len = 5, .adopt = true };
	char text[4096];

	assert_int_equal(store_scratch(rig.s, "adopted/x", &body.fd), 0);
	assert_int_equal(write(body.fd, "bytes", 5), 5);
	assert_int_equal(put_bytes("adopted/", 0), 0);
	listen_from_here(NULL, 0);
	assert_int_equal(store_put(rig.s, "adopted/x", &body, NULL, NULL, NULL),
			 0);
	assert_heard("no byte is copied", "note flush-file link flush-folder ");
	assert_int_equal(local_rig_get(rig.s, "adopted/x", text), 0);
	assert_string_equal(text, "bytes");
	/* it has a name now, so no caller may give it one */
	assert_int_equal(store_put(rig.s, "adopted/y", &body, NULL, NULL, NULL),
			 -EINVAL);
	close(body.fd);
}

static void order_of_names(void **state)
{
	assert_int_equal(put_bytes("names/from", 5), 0);
	listen_from_here(NULL, 0);
	assert_int_equal(store_rename(rig.s, "names/from", "names/to", false),
			 0);
	assert_heard("a move of what was flushed", "rename ");
	local_rig_write(&rig, "names/theirs", "bytes");
	listen_from_here(NULL, 0);
	assert_int_equal(store_rename(rig.s, "names/theirs", "names/to", false),
			 0);
	assert_heard("a move of what another program wrote",
		     "flush-data note rename ");
	local_rig_write(&rig, "names/theirs", "bytes");
	listen_from_here("flush-data", EIO);
	assert_int_equal(store_rename(rig.s, "names/theirs", "names/to", false),
			 -EIO);
	assert_heard("whose bytes do not reach the disk", "flush-data ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_sync(rig.s, "names/"), 0);
	assert_heard("fsync of a folder", "flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_sync(rig.s, ""), 0);
	assert_heard("of the root", "flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_sync(rig.s, "names/to"), 0);
	assert_heard("of a file", "flush-file flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_sync(rig.s, "names/gone"), 0);
	assert_heard("of one that has gone", "flush-folder ");
	listen_from_here(NULL, 0);
	assert_int_equal(store_sync(rig.s, "names/gone/too/"), 0);
	assert_heard("of a folder that has gone", "flush-folder ");
	listen_from_here("flush-folder", EIO);
	assert_int_equal(store_sync(rig.s, "names/"), -EIO);
	assert_heard("of one that does not reach the disk", "flush-folder ");
	assert_int_equal(store_sync(rig.s, "../x"), -EINVAL);
	assert_int_equal(store_sync(rig.s, ".stagefs/"), -EPERM);
}

/* An adopted file that was refused may be offered again. */
static void adopts_again(void **state)
{
	const struct store_cond absent = { .if_absent = true };
	struct store_body body = { .len = 5, .adopt = true };
	char text[4096];

	local_rig_put(rig.s, "there", "old");
	assert_int_equal(store_scratch(rig.s, "there", &body.fd), 0);
	assert_int_equal(write(body.fd, "bytes", 5), 5);
	assert_int_equal(store_put(rig.s, "there", &body, NULL, &absent, NULL),
			 -EEXIST);
	assert_int_equal(store_put(rig.s, "there", &body, NULL, NULL, NULL), 0);
	close(body.fd);
	assert_int_equal(local_rig_get(rig.s, "there", text), 0);
	assert_string_equal(text, "bytes");
}

/* ---- a disk that says no ---- */

static const struct {
	const char *sentence;
	const char *call;
	int rc;
	int result;
} faults[] = {
	{ "the disk is full amid the bytes", "write", ENOSPC, -ENOSPC },
	{ "the quota is used up", "write", EDQUOT, -EDQUOT },
	{ "the disk is full at the note", "note", ENOSPC, -ENOSPC },
	{ "the bytes do not reach the disk", "flush-file", EIO, -EIO },
	{ "no name can be made", "link", ENOSPC, -ENOSPC },
	{ "no name can be replaced", "rename", EIO, -EIO },
};

static void assert_tidy(const char *sentence)
{
	const char *tmp = local_rig_path(&rig, ".stagefs/tmp");

	row_number(sentence, rmdir(tmp), 0);
	row_number(sentence, mkdir(tmp, 0700), 0);
}

static void faults_leave_the_old(void **state)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *row = faults[i].sentence;
		struct object_info old = local_rig_put(rig.s, "fault", "old");
		struct object_details d;
		char text[4096];

		listen_from_here(faults[i].call, faults[i].rc);
		row_number(row, put_bytes("fault", 9), faults[i].result);
		listening = false;
		row_number(row, local_rig_get(rig.s, "fault", text), 0);
		row_equal(row, text, "old");
		row_number(row, store_head(rig.s, "fault", &d), 0);
		row_equal(row, d.info.etag, old.etag);
		assert_tidy(row);
		if (!strcmp(faults[i].call, "rename"))
			continue; /* nothing is replaced below */
		/* a new one is not there, nor the folders for it */
		listen_from_here(faults[i].call, faults[i].rc);
		row_number(row, put_bytes("fresh/a/b", 9), faults[i].result);
		listening = false;
		row_number(row, store_head(rig.s, "fresh/a/b", &d), -ENOENT);
		row_number(row, access(local_rig_path(&rig, "fresh"), F_OK),
			   -1);
		if (!strcmp(faults[i].call, "note")) {
			listen_from_here(faults[i].call, faults[i].rc);
			row_number(row, put_bytes("fresh/a/", 0),
				   faults[i].result);
			listening = false;
			row_number(row,
				   access(local_rig_path(&rig, "fresh"), F_OK),
				   -1);
		}
		assert_tidy(row);
	}
}

static void an_upload_may_be_completed_again(void **state)
{
	static const char *const calls[] = { "note", "flush-file", "rename" };
	struct store_part_done done;
	struct store_upload *u;
	char text[4096];

	local_rig_put(rig.s, "again", "old");
	assert_int_equal(store_upload_open(rig.s, "again", NULL, &u), 0);
	listen_from_here("write", ENOSPC);
	assert_int_equal(send_part(u, &done), -ENOSPC);
	listening = false;
	assert_int_equal(send_part(u, &done), 0);
	for (size_t i = 0; i < COUNT(calls); i++) {
		listen_from_here(calls[i], EIO);
		row_number(calls[i],
			   store_upload_complete(u, &done, 1, NULL, NULL),
			   -EIO);
		listening = false;
		row_number(calls[i], local_rig_get(rig.s, "again", text), 0);
		row_equal(calls[i], text, "old");
	}
	assert_int_equal(store_upload_complete(u, &done, 1, NULL, NULL), 0);
	store_upload_free(u);
	assert_int_equal(local_rig_get(rig.s, "again", text), 0);
	assert_string_equal(text, "part");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_a_put),
		cmocka_unit_test(order_of_an_upload),
		cmocka_unit_test(copies_in_the_kernel),
		cmocka_unit_test(adopts),
		cmocka_unit_test(adopts_again),
		cmocka_unit_test(order_of_names),
		cmocka_unit_test(faults_leave_the_old),
		cmocka_unit_test(an_upload_may_be_completed_again),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_calls", tests, start, stop);
}
