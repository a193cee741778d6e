/* SPDX-License-Identifier: Apache-2.0 */
#include "later_rig.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/buf.h"

#define NEVER_MS 86400000

static char top[] = "/tmp/stagefs-later-XXXXXX";

int later_setup(void **state)
{
	return mkdtemp(top) ? 0 : -1;
}

int later_teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

struct fs_settings later_settings(void)
{
	struct fs_settings s = mount_settings;

	s.spill_dir = top;
	s.mount_name = "the mount";
	s.write_back_size = 1 << 30;
	s.write_back_delay_ms = NEVER_MS;
	return s;
}

void later_up(struct mount *m)
{
	struct fs_settings s = later_settings();

	mount_with(m, "p/", false, &s);
	m->store->write_back = STORE_WRITE_BACK;
}

int later_flush(struct mount *m)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = fs_flush(m->fs, &why);

	buf_clear(&why);
	return rc;
}

static void later_die(struct mount *m)
{
	fs_free(m->fs);
	budget_free(m->budget);
}

static void later_come(struct mount *m)
{
	struct fs_settings s = later_settings();

	mount_fs(m, NULL, &s);
	mount_restore(m);
}

/* The daemon dies, and the next one comes. */
void later_crash(struct mount *m)
{
	later_die(m);
	later_come(m);
}

static void later_copy(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "cd %s && rm -rf %s && { [ ! -e %s ] || cp -a %s %s; }", top,
		 to, from, from, to);
	assert_int_equal(system(command), 0);
}

void later_keep(void)
{
	later_copy("write_back", "kept");
}

void later_crash_then(struct mount *m)
{
	later_die(m);
	later_copy("kept", "write_back");
	later_come(m);
}

void later_down(struct mount *m)
{
	assert_int_equal(later_flush(m), 0);
	assert_int_equal(fs_drain(m->fs, true), 0);
	mount_down(m);
}

unsigned later_waiting(struct mount *m)
{
	struct fs_pending p;

	fs_pending(m->fs, &p);
	return p.names;
}

void later_reads(struct mount *m, const char *path, const char *text)
{
	char got[1000];

	row_number(path, mount_cat(m, path, got, sizeof(got)), strlen(text));
	row_equal(path, got, text);
}

/* What the store has, asked of it without this mount. */
void later_stored(struct mount *m, const char *key, const char *text)
{
	char got[1000] = "";
	size_t n = 0;

	row_number(key,
		   store_get_sync(m->store, key, NULL, 0, got, sizeof(got) - 1,
				  &n, NULL),
		   0);
	row_equal(key, got, text);
}
