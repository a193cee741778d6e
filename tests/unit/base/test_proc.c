/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of other processes: this one, its children, and texts. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"

static const struct {
	const char *sentence, *text;
	bool is;
} texts[] = {
	{ "open for writing",
	  "pos:\t5\nflags:\t0100001\nmnt_id:\t31\nino:\t77\n", true },
	{ "for both", "pos:\t5\nflags:\t0100002\nmnt_id:\t31\nino:\t77\n",
	  true },
	{ "for reading", "pos:\t5\nflags:\t0100000\nmnt_id:\t31\nino:\t77\n",
	  false },
	{ "another inode", "pos:\t5\nflags:\t01\nmnt_id:\t31\nino:\t770\n",
	  false },
	{ "what is watched is not open",
	  "pos:\t0\nflags:\t01\nmnt_id:\t31\nino:\t5\ninotify wd:1\nino:\t77\n",
	  false },
	{ "a kernel that says no number", "pos:\t5\nflags:\t01\nmnt_id:\t31\n",
	  false },
	{ "nothing", "", false },
};

static void test_texts(void **state)
{
	for (size_t k = 0; k < COUNT(texts); k++) {
		int mount = 0;

		row_number(texts[k].sentence,
			   proc_fdinfo(texts[k].text, 77, &mount), texts[k].is);
		if (texts[k].is)
			assert_int_equal(mount, 31);
	}
}

static char dir[] = "/tmp/test_proc.XXXXXX";

/* A file of one's own, its number and its mount. */
static int make(uint64_t *ino, struct proc_mount *m)
{
	char path[64], text[512];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/f", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*ino = st.st_ino;
	m->device = "none";
	snprintf(text, sizeof(text), "fdinfo/%d", fd);
	assert_true(proc_read(getpid(), text, text, sizeof(text)) > 0);
	assert_true(proc_fdinfo(text, st.st_ino, &m->id));
	return fd;
}

/* The device of a mount, as mountinfo has it. */
static void device_of(int id, char *device)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	int number = -1;

	assert_non_null(f);
	while (number != id && fgets(line, sizeof(line), f))
		assert_int_equal(sscanf(line, "%d %*d %31s", &number, device),
				 2);
	fclose(f);
	assert_int_equal(number, id);
}

static void test_descriptors(void **state)
{
	struct proc_mount m, other = { "none", -1 };
	char device[32], path[64];
	uint64_t ino;
	int fd = make(&ino, &m), more[2], to[2], n;
	pid_t child;
	char c;

	assert_int_equal(proc_writers(getpid(), ino, &m), 1);
	more[0] = dup(fd);
	snprintf(path, sizeof(path), "%s/f", dir);
	more[1] = open(path, O_RDONLY);
	assert_int_equal(proc_writers(getpid(), ino, &m), 2);
	/* another mount, and another mount of the same device */
	assert_int_equal(proc_writers(getpid(), ino, &other), 0);
	device_of(m.id, device);
	other.device = device;
	assert_int_equal(proc_writers(getpid(), ino, &other), 2);

	/* a child that has closed one of two and waits for us */
	assert_int_equal(pipe(to), 0);
	child = fork();
	if (!child) {
		close(to[1]);
		n = close(more[0]) || read(to[0], &c, 1);
		_exit(n);
	}
	for (int k = 0; k < 1000 && proc_writers(child, ino, &m) != 1; k++)
		usleep(10000);
	assert_int_equal(proc_writers(child, ino, &m), 1);
	assert_int_equal(proc_process(child), child);
	assert_int_equal(proc_descends(child, getpid()), 1);
	assert_int_equal(proc_descends(getpid(), child), 0);
	assert_false(proc_ending(child));
	assert_true(proc_program(child) &&
		    proc_program(child) == proc_program(getpid()));
	close(to[1]);
	assert_int_equal(waitpid(child, &n, 0), child);
	assert_int_equal(proc_writers(child, ino, &m), 0);
	assert_int_equal(proc_process(child), 0);
	assert_int_equal(proc_descends(getpid(), child), -ESRCH);
	assert_true(proc_descends(child, getpid()) < 0);
	assert_true(proc_ending(child));
	close(to[0]);
	close(more[0]);
	close(more[1]);
	close(fd);
	assert_int_equal(proc_writers(getpid(), ino, &m), 0);
	assert_true(proc_writers(0, ino, &m) < 0);
	unlink(path);
}

/* One that has very many is not asked for ever. */
static void test_many(void **state)
{
	static int fds[PROC_DESCRIPTORS_MAX];
	struct proc_mount m;
	char path[64];
	uint64_t ino;
	int fd = make(&ino, &m), n = 0;

	while (n < PROC_DESCRIPTORS_MAX && (fds[n] = dup(fd)) >= 0)
		n++;
	if (n == PROC_DESCRIPTORS_MAX)
		assert_int_equal(proc_writers(getpid(), ino, &m), -E2BIG);
	while (n)
		close(fds[--n]);
	close(fd);
	snprintf(path, sizeof(path), "%s/f", dir);
	unlink(path);
}

/* A process that begins another program runs another one. */
static void test_program(void **state)
{
	uint64_t own = proc_program(getpid()), now = own;
	int to[2], status;
	pid_t child;

	assert_true(own);
	assert_int_equal(proc_program(0), 0);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		dup2(to[0], STDIN_FILENO);
		execl("/bin/cat", "cat", NULL);
		_exit(1);
	}
	for (int k = 0; k < 1000 && now == own; k++) {
		usleep(10000);
		now = proc_program(child);
	}
	assert_true(now && now != own);
	close(to[1]);
	close(to[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void *thread(void *arg)
{
	*(pid_t *)arg = proc_process(gettid());
	return NULL;
}

static void test_process(void **state)
{
	pthread_t t;
	pid_t found = 0;

	assert_true(proc_shows_us());
	assert_int_equal(pthread_create(&t, NULL, thread, &found), 0);
	pthread_join(t, NULL);
	assert_int_equal(found, getpid());
	assert_int_equal(proc_process(0), 0);
}

SUITE(proc)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_process),
	};
	int rc;

	if (!mkdtemp(dir))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
