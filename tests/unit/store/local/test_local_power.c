/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes: a file system of our own is shut down amid writes
 * (power_disk.h), mounted again, and must have every object that was answered,
 * whole, in that version or the one that was under way; and what was moved and
 * removed before its folder was flushed (store_sync()) is moved and removed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "local_rig.h"
#include "store/local/local.h"
#include "power_disk.h"
#include "unit.h"

#define KEYS 8
#define ROUNDS 6
#define NEW_MAX 4096

/* What the writer was answered, as its parent sees it. */
struct answers {
	volatile int version[KEYS]; /* of the key, 0: none */
	volatile int begun[KEYS];
	volatile int fresh; /* keys `new/N/x` below it are there */
	volatile int moved; /* `m/to/N` below it are there, `m/N` not */
	volatile int removed; /* `r/N` below it are not there */
};

static struct answers *answers;

static struct store *open_store(void)
{
	char root[256];
	const struct local_settings set = { .name = "power",
					    .root = root,
					    .url_name = "storage" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store *s;

	snprintf(root, sizeof(root), "%s/root", power_disk_path());
	if (local_new(&set, &s, &why))
		fail_msg("%s", buf_str(&why));
	buf_clear(&why);
	return s;
}

/* ---- the writer ---- */

/* A version tells its size, and each of its lines the version. */
static size_t compose(int version, char *out, size_t size)
{
	size_t lines = version % 97 * (version % 3 ? 3 : 1000), n = 0;

	for (size_t i = 0; i <= lines && n + 16 < size; i++)
		n += snprintf(out + n, size - n, "%08d\n", version);
	return n;
}

static void part_done(struct store_part *part, int rc)
{
	part->state = rc ? part : NULL;
}

static int put_by_parts(struct store *s, const char *key, const char *bytes,
			size_t n)
{
	struct store_part_done done = { .number = 1 };
	struct store_part part = {
		.number = 1,
		.body = { .data = bytes, .fd = -1, .len = n },
		.done = part_done
	};
	int rc = store_upload_open(s, key, NULL, &part.upload);

	if (rc)
		return rc;
	store_part(&part);
	memcpy(done.etag, part.etag, sizeof(done.etag));
	rc = part.state
		     ? -EIO
		     : store_upload_complete(part.upload, &done, 1, NULL, NULL);
	store_upload_free(part.upload);
	return rc;
}

static int put(struct store *s, const char *key, const char *bytes, size_t n)
{
	const struct store_body body = { .data = bytes, .fd = -1, .len = n };

	return store_put(s, key, &body, NULL, NULL, NULL);
}

static int latest(void)
{
	int version = 0;

	for (int k = 0; k < KEYS; k++)
		if (answers->begun[k] > version)
			version = answers->begun[k];
	return version;
}

/* As a data base does with its journal. */
static int change_names(struct store *s)
{
	const int m = answers->moved, r = answers->removed;
	char key[64], to[64];
	int rc;

	snprintf(key, sizeof(key), "m/%d", m);
	snprintf(to, sizeof(to), "m/to/%d", m);
	rc = put(s, key, "moved", 5);
	if (!rc)
		rc = store_rename(s, key, to, false);
	if (!rc)
		rc = store_sync(s, "m/to/");
	if (!rc)
		rc = store_sync(s, "m/");
	snprintf(key, sizeof(key), "r/%d", r);
	if (!rc)
		rc = put(s, key, "journal", 7);
	if (!rc)
		rc = store_remove(s, key);
	return rc ? rc : store_sync(s, "r/");
}

static void assert_names(struct store *s)
{
	struct object_details d;
	char key[64];

	for (int i = 0; i < answers->moved; i++) {
		snprintf(key, sizeof(key), "m/to/%d", i);
		row_number(key, store_head(s, key, &d), 0);
		snprintf(key, sizeof(key), "m/%d", i);
		row_number(key, store_head(s, key, &d), -ENOENT);
	}
	for (int i = 0; i < answers->removed; i++) {
		snprintf(key, sizeof(key), "r/%d", i);
		row_number(key, store_head(s, key, &d), -ENOENT);
	}
}

static void write_until_the_end(int first)
{
	static char bytes[1 << 20];
	struct store *s = open_store();
	const int probe = power_disk_open_probe();

	for (int version = first;; version++) {
		const int k = version % KEYS;
		const size_t n = compose(version, bytes, sizeof(bytes));
		char key[64];

		snprintf(key, sizeof(key), "k/%d", k);
		answers->begun[k] = version;
		if ((version % 5 ? put(s, key, bytes, n)
				 : put_by_parts(s, key, bytes, n)) ||
		    power_disk_is_cut(probe))
			_exit(0);
		answers->version[k] = version;
		snprintf(key, sizeof(key), "new/%d/x", answers->fresh);
		if (put(s, key, "fresh", 5) || power_disk_is_cut(probe))
			_exit(0);
		if (change_names(s) || power_disk_is_cut(probe))
			_exit(0);
		answers->moved++;
		answers->removed++;
		if (answers->fresh < NEW_MAX)
			answers->fresh++;
	}
}

/* ---- what is there afterwards ---- */

static void assert_version(struct store *s, int k)
{
	static char have[1 << 20], want[1 << 20];
	struct object_details d;
	char key[64];
	size_t n = 0;
	int rc, version;

	snprintf(key, sizeof(key), "k/%d", k);
	rc = store_get_sync(s, key, NULL, 0, have, sizeof(have), &n, NULL);
	if (rc == -ENOENT) {
		row_number(key, answers->version[k], 0);
		return;
	}
	row_number(key, rc, 0);
	version = atoi(have);
	row_check(key, version == answers->version[k] ||
			       version == answers->begun[k]);
	row_number(key, n, compose(version, want, sizeof(want)));
	row_check(key, !memcmp(have, want, n));
	/* its note came with it */
	row_number(key, store_head(s, key, &d), 0);
	row_check(key, !strncmp(d.info.etag, "\"s-", 3));
	/* What was under way and is there will be there after the next cut. */
	answers->version[k] = version;
}

static void assert_all(void)
{
	struct store *s = open_store();
	char text[4096], key[64], *names;

	for (int k = 0; k < KEYS; k++)
		assert_version(s, k);
	for (int i = 0; i < answers->fresh; i++) {
		snprintf(key, sizeof(key), "new/%d/x", i);
		row_number(key, local_rig_get(s, key, text), 0);
		row_equal(key, text, "fresh");
	}
	assert_names(s);
	names = local_rig_list(s, "k/", 0);
	assert_int_equal(strspn(names, "k/01234567 "), strlen(names));
	free(names);
	store_unref(s);
}

static void rounds(void **state)
{
	if (!power_disk_make(*state))
		skip();
	memset(answers, 0, sizeof(*answers));
	for (int i = 0; i < ROUNDS; i++) {
		const struct timespec a_while = { 0, 150000000 + 31000000 * i };
		pid_t pid = fork();

		if (!pid)
			write_until_the_end(1 + latest());
		nanosleep(&a_while, NULL);
		if (!power_disk_cut(pid, NULL))
			skip();
		assert_true(power_disk_mount());
		assert_all();
	}
	assert_true(answers->fresh > 0);
	assert_true(power_disk_unmount());
}

SUITE(local_power)
{
	return power_disk_suite("local_power", "has what was answered", rounds,
				(void **)&answers, sizeof(*answers));
}
