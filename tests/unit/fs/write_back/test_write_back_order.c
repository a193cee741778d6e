/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes amid changes of all kinds that are accepted and not sent, as
 * in test_write_back_power.c. Then the names are as they were after a part of
 * the sequence from its beginning on, with no change missing amid it: at the
 * least all that was answered before what was flushed last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs_fixture.h"
#include "power_disk.h"
#include "unit.h"

#define ROUNDS 5 /* of each kind; POWER_CUTS in the environment: as many */
#define LARGE (70 << 10) /* is not in the journal itself */

/* ---- a sequence, again and again ---- */

enum place { A, B, ASIDE, D, D_A, D_F, E, E_A, E_F, N_PLACES };

static const char *const paths[] = { "a",   "b", "x",   "d",  "d/a",
				     "d/f", "e", "e/a", "e/f" };

enum op {
	WRITE,
	WRITE_LARGE,
	CUT, /* to three bytes, by its path */
	CHMOD,
	MKDIR,
	MOVE,
	MOVE_DIR,
	EXCHANGE, /* the first of three moves, which are one call */
	UNLINK,
	RMDIR,
	SYNC_DIR, /* fsync of the directory that all is in */
	SYNC_FILE, /* of one that is not changed */
};

/* At its end nothing is left. */
static const struct step {
	enum op op;
	enum place at, to;
} steps[] = {
	{ WRITE, A },           { CHMOD, A },     { WRITE_LARGE, B },
	{ EXCHANGE, A, ASIDE }, { MOVE, B, A },   { MOVE, ASIDE, B },
	{ MKDIR, D },           { CHMOD, D },     { SYNC_DIR },
	{ WRITE, D_F },         { MOVE, A, D_A }, { SYNC_FILE, D_A },
	{ MOVE_DIR, D, E },     { CUT, E_F },     { MOVE, B, E_A },
	{ SYNC_DIR },           { WRITE, E_F },   { CHMOD, E_F },
	{ UNLINK, E_F },        { MOVE, E_A, A }, { RMDIR, E },
	{ UNLINK, A },          { SYNC_DIR },
};

#define N_STEPS ((int)COUNT(steps))

/* What stands at each place, as a line of it says. */
struct names {
	struct {
		bool is, is_dir, chmod;
		size_t size;
		char text[16]; /* how it begins */
	} at[N_PLACES];
};

static void step_text(int n, char text[16])
{
	snprintf(text, 16, "version %06d", n % 1000000);
}

static void model_move_dir(struct names *x)
{
	x->at[E] = x->at[D];
	x->at[E_A] = x->at[D_A];
	x->at[E_F] = x->at[D_F];
	x->at[D].is = x->at[D_A].is = x->at[D_F].is = false;
}

static void model_step(struct names *x, int n)
{
	const struct step *s = &steps[n % N_STEPS];
	bool was_chmod = x->at[s->at].is && x->at[s->at].chmod;

	switch (s->op) {
	case WRITE:
	case WRITE_LARGE:
		x->at[s->at].is = true;
		x->at[s->at].is_dir = false;
		x->at[s->at].chmod = was_chmod;
		step_text(n, x->at[s->at].text);
		x->at[s->at].size = s->op == WRITE ? 14 : LARGE;
		break;
	case CUT:
		x->at[s->at].size = 3;
		x->at[s->at].text[3] = '\0';
		break;
	case CHMOD:
		x->at[s->at].chmod = true;
		break;
	case MKDIR:
		x->at[s->at].is = x->at[s->at].is_dir = true;
		x->at[s->at].chmod = false;
		break;
	case EXCHANGE:
	case MOVE:
		x->at[s->to] = x->at[s->at];
		x->at[s->at].is = false;
		break;
	case MOVE_DIR:
		model_move_dir(x);
		break;
	case UNLINK:
	case RMDIR:
		x->at[s->at].is = false;
		break;
	case SYNC_DIR:
	case SYNC_FILE:
		break;
	}
}

static void model(struct names *x, int n)
{
	memset(x, 0, sizeof(*x));
	for (int k = n - n % N_STEPS; k < n; k++)
		model_step(x, k);
}

static void names_say(const struct names *x, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (int k = 0; k < N_PLACES && n < size; k++) {
		if (!x->at[k].is)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s%s=%s %zu;",
				      paths[k], x->at[k].is_dir ? "/" : "",
				      x->at[k].chmod ? "!" : "",
				      x->at[k].is_dir ? "" : x->at[k].text,
				      x->at[k].is_dir ? 0 : x->at[k].size);
	}
}

/* ---- the mount on it ---- */

/* What the writer was answered, as its parent sees it. */
static struct answers {
	volatile int begun, flushed; /* so many steps */
} * answers;

static void up(struct mount *m)
{
	struct store *store = memstore_new("s");
	struct fs_settings s = mount_settings;
	char spill[256];

	assert_non_null(store);
	snprintf(spill, sizeof(spill), "%s/spill", power_disk_path());
	s.spill_dir = spill;
	s.mount_name = "order";
	s.write_back_size = 1 << 30;
	s.write_back_delay_ms = 86400000;
	store->attributes = true;
	mount_on(m, store, "", false, &s);
	m->store->write_back = STORE_WRITE_BACK;
	memstore_fail(m->store, "put", 0, -EIO);
	mount_restore(m);
}

static int do_write(struct mount *m, const char *path, int n, size_t size)
{
	static char text[LARGE + 1];

	memset(text, '.', size);
	text[size] = '\0';
	step_text(n, text);
	text[14] = size > 14 ? '.' : '\0';
	return mount_write(m, path, text);
}

static int do_cut(struct mount *m, const char *path)
{
	const struct stat st = { .st_size = 3 };
	struct inode *i = mount_find(m, path, NULL);
	struct stat got;
	double timeout;
	int rc = fs_setattr(m->fs, i, NULL, &st, FS_SET_SIZE, &got, &timeout);

	mount_forget(m, i);
	return rc;
}

static int do_sync_file(struct mount *m, const char *path)
{
	struct handle *h;
	int rc = mount_open(m, path, O_RDONLY, &h);

	if (rc)
		return rc;
	rc = fs_file_sync(m->fs, h);
	fs_release(m->fs, h);
	return rc;
}

static int do_step(struct mount *m, int n)
{
	const struct step *s = &steps[n % N_STEPS];
	const char *path = paths[s->at], *to = paths[s->to];

	switch (s->op) {
	case WRITE:
		return do_write(m, path, n, 14);
	case WRITE_LARGE:
		return do_write(m, path, n, LARGE);
	case CUT:
		return do_cut(m, path);
	case CHMOD:
		return mount_chmod(m, path, s->at == D ? 0700 : 0600);
	case MKDIR:
		return mount_mkdir(m, path);
	case MOVE:
	case MOVE_DIR:
		return mount_rename(m, path, to, 0);
	case EXCHANGE:
		return mount_rename(m, path, paths[B], RENAME_EXCHANGE);
	case UNLINK:
		return mount_unlink(m, path);
	case RMDIR:
		return mount_rmdir(m, path);
	case SYNC_DIR:
		return mount_sync_dir(m, "");
	case SYNC_FILE:
		return do_sync_file(m, path);
	}
	return -EINVAL;
}

static bool step_flushes(int n)
{
	enum op op = steps[n % N_STEPS].op;

	return op == WRITE || op == WRITE_LARGE || op == CUT ||
	       op == SYNC_DIR || op == SYNC_FILE;
}

/* How many steps that call does. */
static int step_width(int n)
{
	return steps[n % N_STEPS].op == EXCHANGE ? 3 : 1;
}

/* Anything but the end of the disk is told by an exit status. */
static void go_on_until_the_end(int first)
{
	struct mount m;
	int probe;

	up(&m);
	probe = power_disk_open_probe();
	for (int n = first;; n += step_width(n)) {
		int rc;

		answers->begun = n + step_width(n);
		rc = do_step(&m, n);
		if (power_disk_is_cut(probe))
			_exit(0);
		if (rc)
			_exit(1 + n % N_STEPS);
		if (step_flushes(n))
			answers->flushed = n + step_width(n);
	}
}

/* ---- what is there afterwards ---- */

/* The third name of an exchange, or "". */
static void find_aside(struct mount *m, char name[64])
{
	char all[1000], *at;

	assert_int_equal(mount_ls(m, "", all, sizeof(all)), 0);
	at = strstr(all, ".exchange-");
	snprintf(name, 64, "%.*s", at ? (int)strcspn(at, " ") : 0,
		 at ? at : "");
}

static void look_at(struct mount *m, struct names *x, enum place p,
		    const char *path)
{
	static char text[LARGE + 2];
	struct stat st;

	if (!*path || mount_stat(m, path, &st))
		return;
	x->at[p].is = true;
	x->at[p].is_dir = S_ISDIR(st.st_mode);
	x->at[p].chmod = !(st.st_mode & 077);
	if (x->at[p].is_dir)
		return;
	row_number(path, mount_cat(m, path, text, sizeof(text)), st.st_size);
	x->at[p].size = (size_t)st.st_size;
	snprintf(x->at[p].text, sizeof(x->at[p].text), "%.14s", text);
}

static void look(struct names *x)
{
	struct mount m;
	char aside[64];

	memset(x, 0, sizeof(*x));
	up(&m);
	find_aside(&m, aside);
	for (int p = 0; p < N_PLACES; p++)
		look_at(&m, x, p, p == ASIDE ? aside : paths[p]);
	mount_down(&m);
}

/* A directory whose move was cut: each name is at one of its places. */
static void names_merge(struct names *x)
{
	static const enum place from[] = { D, D_A, D_F },
				to[] = { E, E_A, E_F };

	for (size_t k = 0; k < COUNT(from); k++) {
		if (x->at[from[k]].is && (k == 0 || !x->at[to[k]].is))
			x->at[to[k]] = x->at[from[k]];
		x->at[from[k]].is = false;
	}
	x->at[E].chmod = true; /* one that is implied has no mode */
}

/* The step after which it was so, at this one or before; -1: none. */
static int step_of(const struct names *is, bool merged)
{
	char have[1000], want[1000];
	struct names x;

	for (int n = answers->begun; n >= answers->flushed; n--) {
		if (merged && (!n || steps[(n - 1) % N_STEPS].op != MOVE_DIR))
			continue;
		model(&x, n);
		names_say(&x, want, sizeof(want));
		names_say(is, have, sizeof(have));
		if (!strcmp(have, want))
			return n;
	}
	return -1;
}

/* All is as after some step; the next round goes on behind that. */
static void assert_in_order(void)
{
	char have[1000], want[1000];
	struct names is, was;
	int n;

	look(&is);
	was = is;
	n = step_of(&is, false);
	if (n < 0) {
		names_merge(&is);
		n = step_of(&is, true);
		if (n >= 0)
			n = -2;
	}
	if (n == -1) {
		model(&is, answers->flushed);
		names_say(&was, have, sizeof(have));
		names_say(&is, want, sizeof(want));
		row_equal("all is there that was flushed", have, want);
	}
	answers->begun = answers->flushed = n;
}

/* What a cut call has left is not gone on with. */
static int begin_anew(void)
{
	char command[300];
	int n = answers->flushed;
	struct names x;

	if (n >= 0) {
		model(&x, n);
		if (!x.at[ASIDE].is)
			return n;
	}
	snprintf(command, sizeof(command), "rm -rf %s/spill",
		 power_disk_path());
	assert_int_equal(system(command), 0);
	answers->begun = answers->flushed = 0;
	return 0;
}

/* So many steps more, however slow the machine is, and a little time. *over:
 * how it has ended meanwhile, which it does not. */
static void await_steps(pid_t pid, int enough, int round, int *over)
{
	const struct timespec a_while = { 0, 300000 * (round % 11) };

	for (int k = 0; k < 60000 && answers->begun <= enough; k++) {
		if (waitpid(pid, over, WNOHANG) == pid)
			row_number("the step that has failed, and its number",
				   WEXITSTATUS(*over), 0);
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	nanosleep(&a_while, NULL);
}

/* False: this machine cannot. */
static bool cut_once(int round)
{
	const int first = begin_anew();
	int status;
	pid_t pid = fork();

	if (!pid)
		go_on_until_the_end(first);
	await_steps(pid, first + round % (2 * N_STEPS), round, &status);
	if (!power_disk_cut(pid, &status))
		return false;
	row_number("a step that has failed, and its number",
		   WIFSIGNALED(status) ? 0 : WEXITSTATUS(status), 0);
	assert_true(power_disk_mount());
	assert_in_order();
	return true;
}

static void rounds(void **state)
{
	const char *cuts = getenv("POWER_CUTS");
	int n = cuts ? atoi(cuts) : ROUNDS, steps_done = 0;

	if (!power_disk_make(*state))
		skip();
	memset(answers, 0, sizeof(*answers));
	for (int i = 0; i < n; i++) {
		if (!cut_once(i * 7))
			skip();
		steps_done |= answers->flushed;
	}
	assert_true(steps_done);
	assert_true(power_disk_unmount());
}

SUITE(write_back_order)
{
	return power_disk_suite("write_back_order", "has them in order", rounds,
				(void **)&answers, sizeof(*answers));
}
