/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount over a store of files (store/local.h) without a kernel: what another
 * program does in the folder between two calls, and what the mount does there.
 *
 * Covers: fs/fs_setattr.c
 */
#include "disk.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Another program puts another file in its place. */
static void replace(struct disk *d, const char *name, const char *text)
{
	local_rig_write(&d->rig, "aside", text);
	assert_int_equal(rename(disk_path(d, "aside"), disk_path(d, name)), 0);
}

static void test_attributes(void **state)
{
	struct stat want = { .st_mode = 0610, .st_mtim = { 1000, 5 } }, out, st;
	struct inode *i, *root;
	struct disk d;
	double timeout;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "text"), 0);
	assert_int_equal(stat(disk_path(&d, "f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(fs_setattr(d.m.fs, i, NULL, &want,
				    FS_SET_MODE | FS_SET_MTIME, &out, &timeout),
			 0);
	assert_int_equal(stat(disk_path(&d, "f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0610);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	assert_int_equal(out.st_mtim.tv_nsec, 5);
	mount_forget(&d.m, i);

	/* the root of the stage is the folder */
	root = fs_root(d.m.fs);
	assert_int_equal(chmod(disk_path(&d, "."), 0710), 0);
	assert_int_equal(fs_getattr(d.m.fs, root, NULL, &out, &timeout), 0);
	assert_int_equal(out.st_mode & 07777, 0710);
	want.st_mode = 0755;
	assert_int_equal(fs_setattr(d.m.fs, root, NULL, &want, FS_SET_MODE,
				    &out, &timeout),
			 0);
	assert_int_equal(stat(disk_path(&d, "."), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	disk_down(&d);
}

static void same_ctime(struct disk *d, const char *name)
{
	struct stat shown, st;

	assert_int_equal(mount_stat(&d->m, name, &shown), 0);
	assert_int_equal(stat(disk_path(d, name), &st), 0);
	row_number(name, shown.st_ctim.tv_sec, st.st_ctim.tv_sec);
	row_number(name, shown.st_ctim.tv_nsec, st.st_ctim.tv_nsec);
}

/* The disk's, right after a change: one of our own would jump a moment later,
 * and tar, say, takes that for a change while it reads. */
static void test_ctime(void **state)
{
	struct stat want = { .st_mode = 0610 }, out;
	struct inode *i;
	struct disk d;
	double timeout;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "text"), 0);
	same_ctime(&d, "f");
	assert_int_equal(mount_write(&d.m, "f", "other"), 0);
	same_ctime(&d, "f");
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(fs_setattr(d.m.fs, i, NULL, &want, FS_SET_MODE, &out,
				    &timeout),
			 0);
	assert_true(timeout == 0);
	same_ctime(&d, "f");
	mount_forget(&d.m, i);
	assert_int_equal(mount_rename(&d.m, "f", "g", 0), 0);
	same_ctime(&d, "g");
	assert_int_equal(mount_mkdir(&d.m, "d"), 0);
	assert_int_equal(mount_rename(&d.m, "d", "e", 0), 0);
	same_ctime(&d, "e");
	disk_down(&d);
}

/* A kernel that knows another size must look again before it reads. */
static void test_size_of_another(void **state)
{
	struct handle *h, *old;
	struct inode *i, *now;
	struct disk d;
	char text[64];
	bool keep;

	disk_up(&d, 0);
	local_rig_write(&d.rig, "f", "short");
	i = mount_find(&d.m, "f", NULL);
	replace(&d, "f", "much longer");
	assert_int_equal(fs_file_open(d.m.fs, i, O_RDONLY, &h, &keep), -ESTALE);
	/* ... also when another caller has asked meanwhile */
	assert_int_equal(fs_file_open(d.m.fs, i, O_RDONLY, &h, &keep), -ESTALE);
	now = mount_find(&d.m, "f", NULL);
	assert_int_equal(fs_file_open(d.m.fs, now, O_RDONLY, &old, &keep), 0);

	/* an open handle reads that one to its end */
	replace(&d, "f", "third");
	assert_int_equal(mount_cat(&d.m, "f", text, sizeof(text)), 5);
	assert_int_equal(mount_read(&d.m, old, text, sizeof(text)), 11);
	assert_string_equal(text, "much longer");
	fs_release(d.m.fs, old);
	mount_forget(&d.m, i);
	mount_forget(&d.m, now);
	disk_down(&d);
}

static void test_in_place(void **state)
{
	struct handle *h;
	struct disk d;
	char text[64];
	int fd;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "before"), 0);
	assert_int_equal(mount_open(&d.m, "f", O_RDONLY, &h), 0);
	fd = open(disk_path(&d, "f"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, " after", 6), 6);
	close(fd);
	assert_int_equal(mount_read(&d.m, h, text, sizeof(text)), -ESTALE);
	fs_release(d.m.fs, h);
	assert_int_equal(mount_cat(&d.m, "f", text, sizeof(text)), 12);
	assert_string_equal(text, "before after");
	disk_down(&d);
}

/* `tail -f`: what has been read to its end grows on the disk. */
static void test_grows(void **state)
{
	struct handle *h;
	struct inode *i;
	struct fs_data data;
	struct stat st;
	struct disk d;
	double timeout;
	int fd;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "before"), 0);
	assert_int_equal(mount_open(&d.m, "f", O_RDONLY, &h), 0);
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(fs_getattr(d.m.fs, i, h, &st, &timeout), 0);
	assert_int_equal(fs_file_read(d.m.fs, h, 6, 10, &data), 0);
	assert_int_equal(data.len, 0);
	fd = open(disk_path(&d, "f"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, " after", 6), 6);
	close(fd);
	assert_int_equal(fs_getattr(d.m.fs, i, h, &st, &timeout), -ESTALE);
	assert_int_equal(fs_getattr(d.m.fs, i, NULL, &st, &timeout), -ESTALE);
	assert_int_equal(fs_file_read(d.m.fs, h, 6, 10, &data), -ESTALE);
	assert_int_equal(mount_stat(&d.m, "f", &st), 0);
	assert_int_equal(st.st_size, 12);
	fs_release(d.m.fs, h);
	mount_forget(&d.m, i);
	disk_down(&d);
}

static uint64_t number(struct disk *d, const char *name)
{
	struct stat st;

	assert_int_equal(mount_stat(&d->m, name, &st), 0);
	return st.st_ino;
}

static uint64_t disk_number(struct disk *d, const char *name)
{
	struct stat st;

	assert_int_equal(stat(disk_path(d, name), &st), 0);
	return st.st_ino;
}

/* st_ino is the disk's. A file that is open keeps it, though each publication
 * is another file there, and no other file gets it meanwhile. */
static void test_numbers(void **state)
{
	struct handle *h;
	struct disk d;
	uint64_t first;

	disk_up(&d, 0);
	local_rig_write(&d.rig, "theirs", "text");
	assert_int_equal(number(&d, "theirs"), disk_number(&d, "theirs"));
	assert_int_equal(mount_mkdir(&d.m, "dir"), 0);
	assert_int_equal(number(&d, "dir"), disk_number(&d, "dir"));

	assert_int_equal(mount_create(&d.m, "f", &h), 0);
	first = number(&d, "f");
	assert_int_equal(fs_file_write(d.m.fs, h, 0, "one", 3), 0);
	assert_int_equal(fs_file_sync(d.m.fs, h), 0);
	assert_int_equal(disk_number(&d, "f"), first);
	assert_int_equal(number(&d, "f"), first);
	for (unsigned k = 0; k < 20; k++) {
		char name[] = { 'a' + k, '\0' };

		assert_int_equal(fs_file_write(d.m.fs, h, 3, "more", 4), 0);
		assert_int_equal(fs_file_sync(d.m.fs, h), 0);
		assert_int_equal(number(&d, "f"), first);
		if (name[0] == 'f')
			continue;
		assert_int_equal(mount_write(&d.m, name, "x"), 0);
		assert_true(number(&d, name) != first);
	}
	fs_release(d.m.fs, h);
	assert_int_equal(number(&d, "f"), disk_number(&d, "f"));
	first = number(&d, "f");
	assert_int_equal(mount_rename(&d.m, "f", "dir/g", 0), 0);
	assert_int_equal(number(&d, "dir/g"), first);
	assert_int_equal(mount_write(&d.m, "f", "new"), 0);
	assert_true(number(&d, "f") != first);
	replace(&d, "f", "theirs");
	assert_int_equal(number(&d, "f"), disk_number(&d, "f"));
	disk_down(&d);
}

/* Zeros that are copied behind the end can be copied on. */
static void test_copied_zeros(void **state)
{
	struct handle *h;
	struct disk d;
	char text[400], none[400] = "";

	disk_up(&d, 60);
	assert_int_equal(mount_create(&d.m, "f", &h), 0);
	assert_int_equal(fs_range_allocate(d.m.fs, h, 0, 8, 195), 0);
	assert_int_equal(fs_range_copy(d.m.fs, h, 22, h, 203, 72), 72);
	assert_int_equal(fs_range_copy(d.m.fs, h, 250, h, 300, 20), 20);
	assert_int_equal(mount_read(&d.m, h, text, sizeof(text)), 320);
	assert_memory_equal(text, none, 320);
	fs_release(d.m.fs, h);
	disk_down(&d);
}

/* The number that the kernel was told goes with the last descriptor: the next
 * open of the file is shown one number, the new one. */
static void test_number_told(void **state)
{
	struct handle *held, *h;
	struct inode *i;
	struct disk d;
	uint64_t first;
	double timeout;
	struct stat st;
	bool keep;

	disk_up(&d, 60);
	assert_int_equal(mount_create(&d.m, "f", &held), 0);
	assert_int_equal(fs_file_write(d.m.fs, held, 0, "one", 3), 0);
	assert_int_equal(fs_file_sync(d.m.fs, held), 0);
	assert_int_equal(fs_file_write(d.m.fs, held, 0, "two", 3), 0);
	assert_int_equal(fs_file_sync(d.m.fs, held), 0);
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(fs_getattr(d.m.fs, i, NULL, &st, &timeout), 0);
	first = st.st_ino;
	fs_release(d.m.fs, held);
	assert_true(disk_number(&d, "f") != first);
	/* the kernel cannot be told yet: so it is to look again */
	assert_int_equal(fs_file_open(d.m.fs, i, O_RDONLY, &h, &keep), -ESTALE);
	assert_int_equal(fs_getattr(d.m.fs, i, NULL, &st, &timeout), 0);
	assert_int_equal(st.st_ino, disk_number(&d, "f"));
	assert_int_equal(fs_file_open(d.m.fs, i, O_RDONLY, &h, &keep), 0);
	fs_release(d.m.fs, h);
	mount_forget(&d.m, i);
	disk_down(&d);
}

/* The kernel looked a name up, and it is replaced before it opens it. */
static void test_stays_open(void **state)
{
	struct handle *h;
	struct inode *i;
	struct disk d;
	char text[64];
	bool keep;

	disk_up(&d, 60);
	assert_int_equal(mount_write(&d.m, "f", "old"), 0);
	assert_int_equal(mount_write(&d.m, "g", "new one"), 0);
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(mount_rename(&d.m, "g", "f", 0), 0);
	assert_int_equal(fs_file_open(d.m.fs, i, O_RDONLY, &h, &keep), 0);
	assert_int_equal(mount_read(&d.m, h, text, sizeof(text)), 3);
	assert_string_equal(text, "old");
	fs_release(d.m.fs, h);
	assert_int_equal(mount_cat(&d.m, "f", text, sizeof(text)), 7);
	mount_forget(&d.m, i);

	/* one that the kernel never forgets goes with the mount */
	assert_int_equal(mount_write(&d.m, "g", "newer"), 0);
	i = mount_find(&d.m, "f", NULL);
	assert_int_equal(mount_rename(&d.m, "g", "f", 0), 0);
	disk_down(&d);
}

/* What is written is not there before the flush, and goes on from there. */
static void test_publish(void **state)
{
	struct handle *h;
	struct disk d;
	struct stat st;
	char text[4096];

	disk_up(&d, 60);
	assert_int_equal(mount_create(&d.m, "f", &h), 0);
	assert_int_equal(fs_file_write(d.m.fs, h, 0, "one", 3), 0);
	assert_int_equal(stat(disk_path(&d, "f"), &st), -1);
	assert_int_equal(fs_file_flush(d.m.fs, h), 0);
	assert_int_equal(stat(disk_path(&d, "f"), &st), 0);
	assert_int_equal(st.st_size, 3);
	/* beyond what is published, with the old bytes below */
	assert_int_equal(fs_file_write(d.m.fs, h, 5, "two", 3), 0);
	assert_int_equal(stat(disk_path(&d, "f"), &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(fs_file_flush(d.m.fs, h), 0);
	fs_release(d.m.fs, h);
	assert_int_equal(local_rig_get(d.rig.s, "f", text), 0);
	assert_string_equal(text, "one");
	assert_int_equal(mount_open(&d.m, "f", O_RDONLY, &h), 0);
	assert_int_equal(mount_read(&d.m, h, text, sizeof(text)), 8);
	assert_memory_equal(text, "one\0\0two", 8);
	fs_release(d.m.fs, h);
	assert_int_equal(stat(disk_path(&d, "f"), &st), 0);
	assert_int_equal(st.st_size, 8);
	disk_down(&d);
}

#define TURNS 300

struct race {
	struct disk d;
	atomic_bool over;
	atomic_uint opened;
	atomic_int wrong; /* what a call answered; 0: nothing was */
};

static void note(struct race *r, bool right, int n)
{
	if (!right)
		atomic_store(&r->wrong, n ? n : 1);
}

static void *opener(void *arg)
{
	struct race *r = arg;
	char text[64], list[256];
	struct stat st;
	int n;

	while (!atomic_load(&r->over)) {
		n = mount_cat(&r->d.m, "d/f", text, sizeof(text));
		/* a name is always there; the kernel tries again at -ESTALE */
		note(r, n == 11 || n == -ESTALE, n);
		if (n == 11)
			atomic_fetch_add(&r->opened, 1);
		n = mount_stat(&r->d.m, "d/aside", &st);
		note(r, !n || n == -ENOENT || n == -ESTALE, n);
		n = mount_ls(&r->d.m, "d", list, sizeof(list));
		note(r, !n && strstr(list, "f "), n);
	}
	return NULL;
}

/* Renames over a name that others look up, list and open: it never goes, and
 * what was renamed is what is there. */
static void test_rename_race(void **state)
{
	pthread_t openers[3];
	struct race r = { 0 };
	char text[64], got[64];

	disk_up(&r.d, 0);
	assert_int_equal(mount_mkdir(&r.d.m, "d"), 0);
	assert_int_equal(mount_write(&r.d.m, "d/f", "number 0000"), 0);
	for (unsigned k = 0; k < 3; k++)
		pthread_create(&openers[k], NULL, opener, &r);
	for (unsigned k = 1; k <= TURNS; k++) {
		snprintf(text, sizeof(text), "number %04u", k);
		assert_int_equal(mount_write(&r.d.m, "d/aside", text), 0);
		assert_int_equal(mount_rename(&r.d.m, "d/aside", "d/f", 0), 0);
		assert_int_equal(mount_cat(&r.d.m, "d/f", got, sizeof(got)),
				 11);
		assert_string_equal(got, text);
	}
	while (!atomic_load(&r.opened) && !atomic_load(&r.wrong))
		usleep(1000);
	atomic_store(&r.over, true);
	for (unsigned k = 0; k < 3; k++)
		pthread_join(openers[k], NULL);
	assert_int_equal(atomic_load(&r.wrong), 0);
	disk_down(&r.d);
}

/* ---- fsync ---- */

static unsigned flushed_folders, flushed_files;

/* Stands before the C library's. */
int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	if (S_ISDIR(st.st_mode))
		flushed_folders++;
	else
		flushed_files++;
	return syscall(SYS_fsync, fd);
}

static void assert_flushed(const char *sentence, unsigned folders,
			   unsigned files)
{
	row_number(sentence, flushed_folders, folders);
	row_number(sentence, flushed_files, files);
	flushed_folders = flushed_files = 0;
}

static int sync_dir(struct disk *d, const char *name)
{
	struct inode *i = mount_find(&d->m, name, NULL);
	struct dir_handle *h;
	int rc;

	assert_int_equal(fs_dir_open(d->m.fs, i, &h), 0);
	rc = fs_dir_sync(d->m.fs, h);
	fs_dir_close(d->m.fs, h);
	mount_forget(&d->m, i);
	return rc;
}

static void test_fsync(void **state)
{
	struct handle *h;
	struct disk d;

	disk_up(&d, 60);
	assert_int_equal(mount_mkdir(&d.m, "dir"), 0);
	assert_int_equal(mount_write(&d.m, "dir/f", "text"), 0);
	assert_int_equal(mount_rename(&d.m, "dir/f", "dir/g", 0), 0);
	flushed_folders = flushed_files = 0;
	assert_int_equal(sync_dir(&d, "dir"), 0);
	assert_flushed("a directory", 1, 0);
	assert_int_equal(sync_dir(&d, ""), 0);
	assert_flushed("the root", 1, 0);
	assert_int_equal(mount_open(&d.m, "dir/g", O_RDWR, &h), 0);
	assert_int_equal(fs_file_sync(d.m.fs, h), 0);
	assert_flushed("a file that was moved", 1, 1);
	assert_int_equal(fs_file_write(d.m.fs, h, 0, "TEXT", 4), 0);
	assert_int_equal(fs_file_sync(d.m.fs, h), 0);
	assert_flushed("one that was written", 1, 1);
	assert_int_equal(mount_unlink(&d.m, "dir/g"), 0);
	assert_int_equal(fs_file_sync(d.m.fs, h), 0);
	assert_flushed("one without a name", 0, 0);
	fs_release(d.m.fs, h);
	disk_down(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_ctime),
		cmocka_unit_test(test_size_of_another),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_copied_zeros),
		cmocka_unit_test(test_number_told),
		cmocka_unit_test(test_stays_open),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_rename_race),
		cmocka_unit_test(test_fsync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
