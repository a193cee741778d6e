/*
 * Writing: a temporary file in the same folder, flushed, read back, renamed,
 * and the folder flushed. It is read back twice. For its values, because a
 * line of a file cannot hold each of them; and by the reader of the folder,
 * which must find nothing wrong with it. What fails either is refused before
 * it replaces anything.
 */
#include "base/io.h"
#include "stage/drop_ins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/text.h"
#include "base/ini.h"

static int fail(struct buf *err, const char *path, int rc)
{
	text_printable(err, path);
	buf_addf(err, ": %s", strerror(-rc));
	return rc;
}

/* ---- the lock ---- */

int drop_ins_lock(const char *dir, int *lock, struct buf *err)
{
	int rc = dirs_make(dir, 0700, 0700);

	if (rc)
		return fail(err, dir, rc);
	*lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return fail(err, dir, -errno);
	while (flock(*lock, LOCK_EX)) {
		rc = -errno;
		if (rc == -EINTR)
			continue;
		close(*lock);
		return fail(err, dir, rc);
	}
	return 0;
}

void drop_ins_unlock(int lock)
{
	close(lock);
}

/* ---- the text ---- */

/* As the file has it: a `${` is no reference. */
static void add_value(struct buf *out, const char *value)
{
	const char *at;

	while ((at = strstr(value, "${"))) {
		buf_add(out, value, at - value);
		buf_adds(out, "$${");
		value = at + 2;
	}
	buf_adds(out, value);
}

static void add_row(const struct option *row, const struct conn *c,
		    const struct conn *defaults, struct buf *out)
{
	struct buf value = BUF_INIT(BUF_LINE), usual = BUF_INIT(BUF_LINE);
	char **reference = option_reference(row, c);

	if (reference && *reference) {
		buf_addf(out, "%s = %s\n", row->name, *reference);
	} else if (row->type == OPTION_STRING) {
		const char *s = *(char *const *)((const char *)c + row->offset);

		buf_adds(&value, s ? s : "");
	} else {
		option_show(row, c, &value);
		option_show(row, defaults, &usual);
	}
	if (strcmp(buf_str(&value), buf_str(&usual))) {
		buf_addf(out, "%s = ", row->name);
		add_value(out, buf_str(&value));
		buf_addc(out, '\n');
	}
	buf_wipe(&value);
	buf_clear(&usual);
}

/* `credentials` stands there only when it was asked for. */
static bool is_implied(const struct option *row, const struct conn *c)
{
	return !strcmp(row->name, "credentials") && c->creds.credentials &&
	       !strcmp(c->creds.credentials, conn_sql_credentials(c));
}

static int write_text(const char *name, const struct conn *c, struct buf *out)
{
	struct conn defaults = { 0 };
	int rc = option_defaults(conn_options, &defaults);

	buf_addf(out,
		 "; Made by CREATE STAGE; ALTER STAGE writes it anew.\n"
		 "[stage %s]\n",
		 name);
	for (const struct option *row = conn_options; row->name && !rc; row++)
		if (!row->alias_of && !is_implied(row, c))
			add_row(row, c, &defaults, out);
	option_clear(conn_options, &defaults);
	return rc ? rc : buf_err(out);
}

/* ---- the file ---- */

static int write_fd(int fd, const struct buf *text)
{
	int rc = io_write(fd, text->data, text->len);

	return !rc && fsync(fd) ? -errno : rc;
}

static int read_back(void *arg, const char *section, const char *name,
		     const char *value, const struct ini_place *place,
		     struct buf *err)
{
	const struct option *row = option_find(conn_options, name);

	return row ? ini_set(row, arg, name, value, place, err) : -EINVAL;
}

/* What came back different; a secret's row shows no difference. */
static const char *lost(const struct conn *c, const struct conn *got)
{
	const char *name = NULL;

	for (const struct option *row = conn_options; row->name && !name;
	     row++) {
		struct buf a = BUF_INIT(BUF_LINE), b = BUF_INIT(BUF_LINE);

		option_show(row, c, &a);
		option_show(row, got, &b);
		if (strcmp(buf_str(&a), buf_str(&b)))
			name = row->name;
		buf_clear(&a);
		buf_clear(&b);
	}
	return name ? name : "one of the values";
}

static int check_file(const char *path, const struct conn *c, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct conn got = { 0 };
	int rc = option_defaults(conn_options, &got);

	if (!rc && c->creds.credentials)
		rc = conn_set(&got, "credentials", c->creds.credentials);
	if (!rc)
		rc = ini_read(path, read_back, &got, &why);
	if (rc != -ENOMEM && (rc || !conn_equal(c, &got))) {
		rc = -EINVAL;
		buf_addf(err,
			 "%s cannot be kept in a file: a blank at an end, a ; "
			 "behind a blank, or a control byte",
			 lost(c, &got));
	}
	option_clear(conn_options, &got);
	buf_clear(&why);
	return rc;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		rc = -errno;
	close(fd);
	return rc;
}

/* Makes the temporary file; its name is in temp. */
static int write_temp(struct buf *temp, const struct buf *text)
{
	int fd = mkostemp(temp->data, O_CLOEXEC), rc; /* 0600 */

	if (fd < 0)
		return -errno;
	rc = fchmod(fd, 0600) ? -errno : write_fd(fd, text);
	if (close(fd) && !rc)
		rc = -errno;
	if (rc)
		unlink(temp->data);
	return rc;
}

int drop_ins_put(const char *dir, const char *name, const struct conn *conn,
		 struct buf *err)
{
	struct buf text = BUF_INIT(1 << 20), temp = BUF_INIT(8192);
	struct buf path = BUF_INIT(8192);
	int rc = write_text(name, conn, &text);

	buf_addf(&path, "%s/%s.conf", dir, name);
	buf_addf(&temp, "%s/.%s.XXXXXX", dir, name);
	if (!rc)
		rc = buf_err(&path) ? buf_err(&path) : buf_err(&temp);
	if (!rc && !drop_ins_room(dir, name))
		rc = -ENOSPC;
	if (!rc)
		rc = write_temp(&temp, &text);
	if (rc) {
		fail(err, buf_str(&path), rc);
		goto out;
	}
	rc = check_file(temp.data, conn, err);
	if (!rc)
		rc = drop_ins_check(dir, temp.data + strlen(dir) + 1, name,
				    err);
	if (!rc && rename(temp.data, path.data))
		rc = fail(err, path.data, -errno);
	if (rc) {
		unlink(temp.data);
		goto out;
	}
	rc = sync_dir(dir);
	if (rc)
		fail(err, dir, rc);
out:
	buf_wipe(&text);
	buf_clear(&temp);
	buf_clear(&path);
	return rc;
}

int drop_ins_remove(const char *dir, const char *name, struct buf *err)
{
	struct buf path = BUF_INIT(8192);
	int rc;

	buf_addf(&path, "%s/%s.conf", dir, name);
	rc = buf_err(&path);
	if (!rc && unlink(path.data))
		rc = -errno;
	if (!rc)
		rc = sync_dir(dir);
	if (rc)
		fail(err, buf_str(&path), rc);
	buf_clear(&path);
	return rc;
}
