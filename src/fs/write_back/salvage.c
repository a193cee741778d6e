/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal is read while its lock is held, so no mount takes it meanwhile; the
 * one of a mount that lives is looked at as it is.
 */
#include "fs/write_back/salvage.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "fs/write_back/journal.h"

#define MOUNT_NAME_MAX 16384

struct salvage_from {
	struct journal *journal;
	const char *mount_name;
	bool busy;
	int (*each)(void *arg, const struct salvage *s);
	void *arg;
};

static int salvage_change(void *arg, const struct record *r)
{
	struct salvage_from *from = arg;
	const struct salvage s = {
		.mount_name = from->mount_name,
		.busy = from->busy,
		.stage = r->stage,
		.path = r->key + r->skip,
		.is_dir = r->kind == RECORD_DIR,
		.size = r->seal.size,
		.in_part = r->seal.has_base && r->seal.base_limit,
		.record = r,
		.from = from,
	};

	return from->each(from->arg, &s);
}

static int salvage_journal(const char *path,
			   int (*each)(void *arg, const struct salvage *s),
			   void *arg)
{
	struct salvage_from from = { .each = each, .arg = arg };
	BUF_LOCAL mount_name = BUF_INIT(MOUNT_NAME_MAX);
	int rc = journal_look(path, &from.journal, &from.busy, &mount_name);

	if (!rc) {
		from.mount_name = buf_str(&mount_name);
		rc = journal_each(from.journal, salvage_change, &from);
		journal_close(from.journal);
	}
	/* A folder that is none, or goes just now. */
	return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
}

int salvage_each(const char *spill_dir,
		 int (*each)(void *arg, const struct salvage *s), void *arg)
{
	BUF_LOCAL path = BUF_INIT(BUF_MESSAGE);
	struct dirent *e;
	size_t len;
	int rc = 0;
	DIR *d;

	buf_addf(&path, "%s/write_back", spill_dir);
	d = opendir(buf_str(&path));
	if (!d)
		rc = errno == ENOENT ? 0 : -errno;
	len = path.len;
	while (!rc && d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		buf_truncate(&path, len);
		buf_addf(&path, "/%s", e->d_name);
		rc = buf_err(&path);
		if (!rc)
			rc = salvage_journal(buf_str(&path), each, arg);
	}
	if (d)
		closedir(d);
	return rc;
}

int salvage_write(const struct salvage *s, int fd)
{
	const struct seal *seal = &s->record->seal;
	int from = -1, rc = 0;

	if (*s->record->data)
		rc = journal_data_open(s->from->journal, s->record->data,
				       &from);
	if (!rc && seal->len)
		rc = io_pwrite(fd, seal->bytes, seal->len, 0);
	for (size_t k = 0; !rc && from >= 0 && k < seal->n; k++)
		rc = io_copy(from, seal->extents[k].start, fd,
			     seal->extents[k].start,
			     seal->extents[k].end - seal->extents[k].start);
	if (!rc && ftruncate(fd, (off_t)seal->size))
		rc = -errno;
	if (!rc && fsync(fd))
		rc = -errno;
	if (from >= 0)
		close(from);
	return rc;
}

void salvage_forget(const struct salvage *s)
{
	journal_gone(s->from->journal, s->record->id);
}
