/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_dir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static int64_t seen_bytes;
static unsigned seen_files;

void disk_dir_make(struct disk_dir *d)
{
	snprintf(d->path, sizeof(d->path), "/tmp/stagefs-disk-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

static int disk_dir_remove_one(const char *path, const struct stat *st,
			       int type, struct FTW *at)
{
	return remove(path);
}

void disk_dir_remove(struct disk_dir *d)
{
	close(d->fd);
	assert_int_equal(
		nftw(d->path, disk_dir_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int disk_dir_see(const char *path, const struct stat *st, int type,
			struct FTW *at)
{
	if (type == FTW_F && at->level == 2) {
		seen_bytes += (int64_t)st->st_blocks * 512;
		seen_files++;
	}
	return 0;
}

/* Files that are removed under way are passed over. */
static void disk_dir_walk(struct disk_dir *d)
{
	seen_bytes = seen_files = 0;
	nftw(d->path, disk_dir_see, 8, FTW_PHYS);
}

int64_t disk_dir_bytes(struct disk_dir *d)
{
	disk_dir_walk(d);
	return seen_bytes;
}

unsigned disk_dir_files(struct disk_dir *d)
{
	disk_dir_walk(d);
	return seen_files;
}
