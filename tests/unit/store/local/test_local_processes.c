/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes on one root: conditions hold between them, readers see one
 * version or the other, and one that is killed leaves nothing to be seen.
 *
 * Covers: store/local/local_error.c store/local/local_presign.c
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "local_rig.h"
#include "store/local/local_lock.h"
#include "store/local/local_pending.h"
#include "store/local/local_root.h"
#include "unit.h"

#define WRITERS 2
#define ROUNDS 150

static struct local_rig rig;

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

/* Runs in a process of its own, with a store of its own; 0 is success. */
static pid_t spawn(int (*run)(struct store *s, int i, void *arg), int i,
		   void *arg)
{
	pid_t pid = fork();
	struct store *s;
	int rc;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	/* Lost conditions are not worth a line each. */
	log_open("stderr", LOG_LEVEL_ERROR);
	alarm(120);
	s = local_rig_again(&rig);
	rc = run(s, i, arg);
	store_unref(s);
	_exit(rc);
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int put_if(struct store *s, const char *key, const char *text,
		  const struct store_cond *cond)
{
	const struct store_body body = { .data = text,
					 .fd = -1,
					 .len = strlen(text) };

	return store_put(s, key, &body, NULL, cond, NULL);
}

/* ---- If-Match: a counter of which no process's step is lost ---- */

static int count_up(struct store *s, int i, void *arg)
{
	for (int done = 0; done < ROUNDS;) {
		char text[32] = "", next[32];
		struct object_info info;
		struct store_cond cond = { .if_match = info.etag };
		size_t n;
		int rc = store_get_sync(s, "counter", NULL, 0, text,
					sizeof(text) - 1, &n, &info);

		if (rc)
			return 1;
		snprintf(next, sizeof(next), "%d", atoi(text) + 1);
		rc = put_if(s, "counter", next, &cond);
		if (rc && rc != -ESTALE)
			return 2;
		done += !rc;
	}
	return 0;
}

static void if_match(void **state)
{
	pid_t pids[WRITERS];
	char text[4096];

	local_rig_put(rig.s, "counter", "0");
	for (int i = 0; i < WRITERS; i++)
		pids[i] = spawn(count_up, i, NULL);
	for (int i = 0; i < WRITERS; i++)
		reap(pids[i]);
	assert_int_equal(local_rig_get(rig.s, "counter", text), 0);
	assert_int_equal(atoi(text), WRITERS * ROUNDS);
}

/* ---- If-None-Match: one makes it ---- */

static int make_all(struct store *s, int i, void *arg)
{
	const struct store_cond absent = { .if_absent = true };
	char(*won)[ROUNDS] = arg;
	char key[64], text[16];

	snprintf(text, sizeof(text), "%d", i);
	for (int k = 0; k < ROUNDS; k++) {
		int rc;

		/* in folders that come and go, too */
		snprintf(key, sizeof(key), k % 2 ? "race/%d/x" : "race%d", k);
		rc = put_if(s, key, text, &absent);
		if (rc && rc != -EEXIST)
			return 1;
		won[i][k] = !rc;
	}
	return 0;
}

static void if_none_match(void **state)
{
	char(*won)[ROUNDS] =
		mmap(NULL, WRITERS * ROUNDS, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WRITERS];
	char key[64], text[4096];

	assert_true(won != MAP_FAILED);
	for (int i = 0; i < WRITERS; i++)
		pids[i] = spawn(make_all, i, won);
	for (int i = 0; i < WRITERS; i++)
		reap(pids[i]);
	for (int k = 0; k < ROUNDS; k++) {
		snprintf(key, sizeof(key), k % 2 ? "race/%d/x" : "race%d", k);
		row_number(key, won[0][k] + won[1][k], 1);
		row_number(key, local_rig_get(rig.s, key, text), 0);
		row_number(key, atoi(text), won[1][k]);
	}
	munmap(won, WRITERS * ROUNDS);
}

/* ---- a folder that one makes while another's removal takes it away ---- */

static int come_and_go(struct store *s, int i, void *arg)
{
	char key[64];

	snprintf(key, sizeof(key), "go/a/b/%d", i);
	for (int k = 0; k < ROUNDS; k++)
		if (put_if(s, key, "x", NULL) || store_remove(s, key))
			return 1;
	return 0;
}

static int mark(struct store *s, int i, void *arg)
{
	struct object_details d;

	for (int k = 0; k < ROUNDS; k++)
		if (put_if(s, "go/a/", "", NULL) ||
		    store_head(s, "go/a/", &d) ||
		    (store_remove(s, "go/a/") && store_head(s, "go/a/", &d)))
			return 1;
	return 0;
}

static void folders_come_and_go(void **state)
{
	pid_t a = spawn(come_and_go, 0, NULL), b = spawn(come_and_go, 1, NULL);

	reap(a);
	reap(b);
	assert_int_equal(access(local_rig_path(&rig, "go"), F_OK), -1);
	/* a marker that was put is there until it is removed */
	a = spawn(come_and_go, 0, NULL);
	b = spawn(mark, 1, NULL);
	reap(a);
	reap(b);
}

/* ---- kill -9 ---- */

#define BIG (256u << 10)

static int write_for_ever(struct store *s, int i, void *arg)
{
	static char bytes[2 * BIG];
	struct store_body body = { .data = bytes, .fd = -1 };

	for (unsigned k = 0;; k++) {
		/* Each version is of one letter, which tells its size. */
		memset(bytes, 'a' + k % 26, sizeof(bytes));
		body.len = BIG + 1000 * (k % 26);
		if (store_put(s, "k/big", &body, NULL, NULL, NULL))
			return 1;
	}
}

static void part_done(struct store_part *part, int rc)
{
	part->state = rc ? part : NULL;
}

static int upload_for_ever(struct store *s, int i, void *arg)
{
	static char bytes[2 * BIG];

	for (unsigned k = 0;; k++) {
		const size_t len = BIG + 1000 * (k % 26), half = len / 2;
		struct store_part_done done[2] = { { .number = 1 },
						   { .number = 2 } };
		struct store_upload *u;

		memset(bytes, 'a' + k % 26, sizeof(bytes));
		if (store_upload_open(s, "k/big", NULL, &u))
			return 1;
		for (int n = 0; n < 2; n++) {
			struct store_part part = {
				.upload = u,
				.number = n + 1,
				.offset = n ? half : 0,
				.body = { .data = bytes,
					  .fd = -1,
					  .len = n ? len - half : half },
				.done = part_done,
			};

			store_part(&part);
			if (part.state)
				return 2;
			memcpy(done[n].etag, part.etag, sizeof(part.etag));
		}
		if (store_upload_complete(u, done, 2, NULL, NULL))
			return 3;
		store_upload_free(u);
	}
}

/* One whole version of some letter, or nothing yet. */
static void assert_whole(void)
{
	static char bytes[2 * BIG];
	size_t n = 0;
	int rc = store_get_sync(rig.s, "k/big", NULL, 0, bytes, sizeof(bytes),
				&n, NULL);

	if (rc == -ENOENT)
		return;
	assert_int_equal(rc, 0);
	assert_int_equal(n, BIG + 1000 * (bytes[0] - 'a'));
	for (size_t i = 1; i < n; i++)
		assert_int_equal(bytes[i], bytes[0]);
}

/* Uploads that can be gone on with. */
static unsigned count_uploads(void)
{
	char all[PATH_MAX];
	unsigned n;
	glob_t g;

	snprintf(all, sizeof(all), "%s/*/data",
		 local_rig_path(&rig, ".stagefs/uploads"));
	n = glob(all, 0, NULL, &g) ? 0 : g.gl_pathc;
	globfree(&g);
	return n;
}

static void kill_amid(int (*run)(struct store *s, int i, void *arg),
		      unsigned *left)
{
	for (int i = 0; i < 25; i++) {
		const struct timespec a_while = { 0, 5000000 + i * 1700000L };
		pid_t pid = spawn(run, 0, NULL);
		const char *rest;
		char *names;
		int status;

		nanosleep(&a_while, NULL);
		assert_whole(); /* while it writes, too */
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_whole();
		names = local_rig_list(rig.s, "k/", 0);
		/* A folder that was made and not yet marked as implied by a
		 * key stays, as a marker. */
		rest = strncmp(names, "k/ ", 3) ? names : names + 3;
		assert_true(!*rest || !strcmp(rest, "k/big "));
		free(names);
		/* The next one's start sweeps it. */
		*left += count_uploads();
	}
}

static void killed_amid_put(void **state)
{
	unsigned left = 0;

	kill_amid(write_for_ever, &left);
	assert_int_equal(left, 0);
	/* names in tmp are swept once they are old */
	local_pending_sweep(local_of(rig.s), 0);
	assert_int_equal(rmdir(local_rig_path(&rig, ".stagefs/tmp")), 0);
	assert_int_equal(mkdir(local_rig_path(&rig, ".stagefs/tmp"), 0700), 0);
}

static void killed_amid_upload(void **state)
{
	unsigned left = 0;
	struct store_upload *u;
	struct store *s;

	kill_amid(upload_for_ever, &left);
	assert_true(left > 0);
	/* A start drops those of dead processes; one at work keeps its own. */
	assert_int_equal(store_upload_open(rig.s, "k/big", NULL, &u), 0);
	s = local_rig_again(&rig);
	assert_int_equal(count_uploads(), 1);
	store_unref(s);
	assert_int_equal(store_upload_abort(u), 0);
	store_upload_free(u);
	local_pending_sweep(local_of(rig.s), 0);
	assert_int_equal(rmdir(local_rig_path(&rig, ".stagefs/uploads")), 0);
	assert_int_equal(mkdir(local_rig_path(&rig, ".stagefs/uploads"), 0700),
			 0);
}

/* ---- a process that holds a lock and stops ---- */

static int hold(struct store *s, int i, void *arg)
{
	int *held = arg;
	int fd = local_lock_keys(local_of(s), "held", NULL);

	*held = fd >= 0;
	while (fd >= 0)
		pause();
	return 1;
}

static void lock_ends_with_its_process(void **state)
{
	int *held = mmap(NULL, sizeof(*held), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct timespec a_while = { 0, 1000000 };
	pid_t pid;

	assert_true(held != MAP_FAILED);
	*held = 0;
	pid = spawn(hold, 0, held);
	for (int i = 0; i < 10000 && !*(volatile int *)held; i++)
		nanosleep(&a_while, NULL);
	assert_int_equal(*held, 1);
	/* others go on, also in the same folder */
	local_rig_put(rig.s, "free", "x");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	local_rig_put(rig.s, "held", "x");
	munmap(held, sizeof(*held));
}

SUITE(local_processes)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_match),
		cmocka_unit_test(if_none_match),
		cmocka_unit_test(folders_come_and_go),
		cmocka_unit_test(killed_amid_put),
		cmocka_unit_test(killed_amid_upload),
		cmocka_unit_test(lock_ends_with_its_process),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_processes", tests, start,
					   stop);
}
