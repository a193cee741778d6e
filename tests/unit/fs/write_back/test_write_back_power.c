/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes amid writes that are accepted and not sent: the file system of
 * the journal is shut down without what it has not written yet, as in
 * test_local_power.c, and mounted again. What was answered is there, whole, in
 * that version or the one that was under way, and is sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "fs_fixture.h"
#include "power_disk.h"
#include "unit.h"

#define KEYS 6
#define ROUNDS 5 /* of each kind; POWER_CUTS in the environment: as many */
#define TEXT_MAX (300U << 10)

/* What the writer was answered, as its parent sees it. */
struct answers {
	volatile int version[KEYS]; /* of the key, 0: none */
	volatile int begun[KEYS];
	volatile int fresh; /* new/N below it are there */
};

static struct answers *answers;

/* ---- the mount on it ---- */

static void up(struct mount *m, bool sends)
{
	struct fs_settings s = mount_settings;
	char spill[256];

	snprintf(spill, sizeof(spill), "%s/spill", power_disk_path());
	s.spill_dir = spill;
	s.mount_name = "power";
	s.write_back_size = 1 << 30;
	s.write_back_delay_ms = 86400000;
	mount_with(m, "", false, &s);
	m->store->write_back = STORE_WRITE_BACK;
	if (!sends)
		memstore_fail(m->store, "put", 0, -EIO);
	mount_restore(m);
}

/* A version tells its size, and each of its lines the version. */
static void compose(int version, char *out)
{
	size_t lines = version % 7 ? version % 97 : 20000, n = 0;

	for (size_t i = 0; i <= lines && n + 16 < TEXT_MAX; i++)
		n += (size_t)snprintf(out + n, TEXT_MAX - n, "%08d\n", version);
}

/* As programs save: under another name, which is then this one's. */
static int save(struct mount *m, const char *key, const char *text)
{
	struct dir_handle *h;
	int rc = mount_write(m, "tmp", text);

	if (!rc)
		rc = mount_rename(m, "tmp", key, 0);
	if (!rc)
		rc = fs_dir_open(m->fs, fs_root(m->fs), &h);
	if (!rc) {
		rc = fs_dir_sync(m->fs, h);
		fs_dir_close(m->fs, h);
	}
	return rc;
}

static void write_until_the_end(int first)
{
	static char text[TEXT_MAX];
	struct mount m;
	char key[64];
	int probe;

	up(&m, false);
	probe = power_disk_open_probe();
	for (int version = first;; version++) {
		const int k = version % KEYS;
		int rc;

		compose(version, text);
		snprintf(key, sizeof(key), "k%d", k);
		answers->begun[k] = version;
		rc = version % 3 ? mount_write(&m, key, text)
				 : save(&m, key, text);
		if (rc || power_disk_is_cut(probe))
			_exit(0);
		answers->version[k] = version;
		snprintf(key, sizeof(key), "new%d", answers->fresh);
		if (mount_write(&m, key, "fresh") || power_disk_is_cut(probe))
			_exit(0);
		answers->fresh++;
	}
}

/* ---- what is there afterwards ---- */

static void assert_version(struct mount *m, int k)
{
	static char have[TEXT_MAX], want[TEXT_MAX];
	char key[64];
	int n, version;

	snprintf(key, sizeof(key), "k%d", k);
	n = mount_cat(m, key, have, sizeof(have));
	if (n == -ENOENT) {
		row_number(key, answers->version[k], 0);
		return;
	}
	row_check(key, n > 0);
	version = atoi(have);
	row_check(key, version == answers->version[k] ||
			       version == answers->begun[k]);
	compose(version, want);
	row_check(key, !strcmp(have, want));
	answers->version[k] = version;
}

static void assert_all(void)
{
	struct mount m;
	char key[64];

	up(&m, false);
	for (int k = 0; k < KEYS; k++)
		assert_version(&m, k);
	for (int i = 0; i < answers->fresh; i++) {
		char text[16];

		snprintf(key, sizeof(key), "new%d", i);
		row_number(key, mount_cat(&m, key, text, sizeof(text)), 5);
		row_equal(key, text, "fresh");
	}
	mount_down(&m);
}

/* At last all of it is sent. */
static void assert_sent(void)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct fs_pending p;
	struct mount m;
	char key[64];

	up(&m, true);
	assert_int_equal(fs_flush(m.fs, &why), 0);
	fs_pending(m.fs, &p);
	assert_int_equal(p.names, 0);
	for (int i = 0; i < answers->fresh; i++) {
		snprintf(key, sizeof(key), "new%d", i);
		row_check(key, memstore_calls(m.store, "put") >
				       (unsigned)answers->fresh);
	}
	mount_down(&m);
	buf_clear(&why);
}

static int latest(void)
{
	int version = 0;

	for (int k = 0; k < KEYS; k++)
		if (answers->begun[k] > version)
			version = answers->begun[k];
	return version;
}

/* So many and a little more, however slow the machine is. */
static void await_answers(int enough, int round)
{
	const struct timespec a_while = { 0, 1000000 + 700000 * (round % 9) };

	for (int k = 0; k < 60000 && answers->fresh <= enough; k++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	nanosleep(&a_while, NULL);
}

static void rounds(void **state)
{
	const char *cuts = getenv("POWER_CUTS");
	int n = cuts ? atoi(cuts) : ROUNDS;

	if (!power_disk_make(*state))
		skip();
	memset(answers, 0, sizeof(*answers));
	for (int i = 0; i < n; i++) {
		const int enough = answers->fresh + i % 20;
		pid_t pid = fork();

		if (!pid)
			write_until_the_end(1 + latest());
		await_answers(enough, i);
		if (!power_disk_cut(pid, NULL))
			skip();
		assert_true(power_disk_mount());
		assert_all();
	}
	assert_true(answers->fresh > 0);
	assert_sent();
	assert_true(power_disk_unmount());
}

SUITE(write_back_power)
{
	return power_disk_suite("write_back_power", "has what was answered",
				rounds, (void **)&answers, sizeof(*answers));
}
