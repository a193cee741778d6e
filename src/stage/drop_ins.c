/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is wrong is given with its fault, so that it costs its own stage
 * and none of the others.
 *
 * Writing: a temporary file in the same folder, flushed, read back, renamed,
 * and the folder flushed. It is read back twice. For its values, because a
 * line of a file cannot hold each of them; and by the reader of the folder,
 * which must find nothing wrong with it. What fails either is refused before
 * it replaces anything.
 */
#include "stage/drop_ins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dirs.h"
#include "base/ini.h"
#include "base/io.h"
#include "base/text.h"
#include "stage/location.h"
#include "stage/stage.h"

#define SUFFIX ".conf"
/* A folder's time moves in the kernel's ticks, or in whole seconds. */
#define SETTLED_S 2

void drop_ins_stamp(const char *dir, struct drop_ins_stamp *out)
{
	struct stat st;

	*out = (struct drop_ins_stamp){ 0 };
	if (stat(dir, &st))
		return;
	out->device = st.st_dev;
	out->inode = st.st_ino;
	out->changed = st.st_mtim;
	out->unsettled = clock_now_s() - st.st_mtim.tv_sec < SETTLED_S;
}

bool drop_ins_changed(const struct drop_ins_stamp *before,
		      const struct drop_ins_stamp *now)
{
	return before->unsettled || before->device != now->device ||
	       before->inode != now->inode ||
	       before->changed.tv_sec != now->changed.tv_sec ||
	       before->changed.tv_nsec != now->changed.tv_nsec;
}

static int drop_ins_fail(struct buf *why, const char *path, int rc)
{
	text_printable(why, path);
	return buf_fail(why, rc, ": %s", strerror(-rc));
}

/* ---- reading one file ---- */

struct drop_ins_reader {
	struct drop_in *to;
	bool section; /* [stage NAME] was there */
	uint32_t lines[OPTION_TABLE_MAX];
};

static int drop_in_read_check_section(struct drop_ins_reader *r,
				      const char *section, struct buf *why)
{
	if (text_starts_with(section, "stage ") &&
	    !strcmp(section + 6, r->to->name)) {
		r->section = true;
		return 0;
	}
	return buf_fail(why, -EINVAL,
			"this file is for the section [stage %s] alone",
			r->to->name);
}

static int drop_in_read_take(void *arg, const char *section, const char *name,
			     const char *value, const struct ini_place *place,
			     struct buf *why)
{
	struct drop_ins_reader *r = arg;
	const struct ini_section keys = { conn_options, &r->to->conn,
					  r->lines };
	int rc = drop_in_read_check_section(r, section, why);

	return rc ? rc : ini_take(&keys, name, value, place, why);
}

static bool drop_in_read_gave(const struct drop_ins_reader *r, const char *name)
{
	const struct option *row = option_find(conn_options, name);

	return r->lines[option_index(conn_options, row)] != 0;
}

static int drop_in_read_complete(struct drop_ins_reader *r, bool written,
				 const char *path, struct buf *why)
{
	struct conn *c = &r->to->conn;
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (!r->section)
		rc = buf_fail(&detail, -EINVAL,
			      "there is no [stage %s] with a url in it",
			      r->to->name);
	if (!rc && !drop_in_read_gave(r, "credentials"))
		rc = conn_set(c, "credentials", conn_sql_credentials(c));
	if (!rc && !written)
		rc = conn_env_complete(c);
	if (!rc && !written)
		rc = conn_check(c, &detail);
	if (rc) {
		text_printable(why, path);
		buf_addf(why, ": %s",
			 detail.len ? buf_str(&detail) : strerror(-rc));
	}
	return rc;
}

/* written: as it is written, nothing added and nothing judged. */
static int drop_ins_read_one(const char *dir, const char *file, bool written,
			     struct drop_in *out, struct buf *why)
{
	struct drop_ins_reader r = { .to = out };
	BUF_LOCAL path = BUF_INIT(8192);
	int rc;

	buf_addf(&path, "%s/%s", dir, file);
	rc = buf_err(&path);
	if (!rc)
		rc = option_defaults(conn_options, &out->conn);
	if (!rc && !stage_name_valid(out->name)) {
		text_printable(why, buf_str(&path));
		rc = buf_fail(why, -EINVAL, ": no stage can have that name");
	}
	if (!rc)
		rc = ini_read(buf_str(&path), drop_in_read_take, &r, why);
	if (!rc)
		rc = drop_in_read_complete(&r, written, buf_str(&path), why);
	if (rc) {
		conn_clear(&out->conn);
		out->conn = (struct conn){ 0 };
	}
	return rc;
}

/* Would drop_ins_read() take the file `file` in dir as the stage of that name?
 */
static int drop_ins_check(const char *dir, const char *file, const char *name,
			  struct buf *why)
{
	struct drop_in one = { .name = (char *)name };
	int rc = drop_ins_read_one(dir, file, false, &one, why);

	conn_clear(&one.conn);
	return rc;
}

int drop_ins_get(const char *dir, const char *name, struct conn *out,
		 struct buf *why)
{
	BUF_LOCAL file = BUF_INIT(NAME_BYTES_MAX + sizeof(SUFFIX));
	struct drop_in one = { .name = (char *)name };
	int rc;

	buf_addf(&file, "%s" SUFFIX, name);
	rc = buf_err(&file);
	if (!rc)
		rc = drop_ins_read_one(dir, buf_str(&file), true, &one, why);
	*out = one.conn;
	return rc;
}

/* ---- reading the folder ---- */

static int drop_ins_folder_has(const struct dirent *e)
{
	return e->d_name[0] != '.' && text_ends_with(e->d_name, SUFFIX) &&
	       strcmp(e->d_name, SUFFIX);
}

static int drop_ins_folder_by_bytes(const struct dirent **a,
				    const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Dropped since the folder was read. A reference in it may be ENOENT too. */
static bool drop_ins_folder_is_gone(const char *dir, const char *file)
{
	BUF_LOCAL path = BUF_INIT(8192);
	struct stat st;

	buf_addf(&path, "%s/%s", dir, file);
	return stat(buf_str(&path), &st) && errno == ENOENT;
}

/* 0 with a stage or its fault; -ENOENT it is gone; -ENOMEM. */
static int drop_ins_folder_read_file(const char *dir, const char *file,
				     struct drop_in *out)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = -ENOMEM;

	*out = (struct drop_in){ .name = strndup(
					 file, strlen(file) - strlen(SUFFIX)) };
	if (out->name)
		rc = drop_ins_read_one(dir, file, false, out, &why);
	if (rc && rc != -ENOMEM &&
	    !(rc == -ENOENT && drop_ins_folder_is_gone(dir, file))) {
		out->fault = strdup(why.len ? buf_str(&why) : strerror(-rc));
		rc = out->fault ? 0 : -ENOMEM;
	}
	if (rc)
		free(out->name);
	return rc;
}

static int drop_ins_folder_read_all(const char *dir, struct dirent **files,
				    unsigned n, struct drop_ins *out)
{
	int rc = 0;

	out->list = calloc((size_t)n + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	for (unsigned i = 0; i < n && rc != -ENOMEM; i++) {
		if (out->n == DROP_INS_MAX) {
			out->left_out = n - i;
			break;
		}
		rc = drop_ins_folder_read_file(dir, files[i]->d_name,
					       &out->list[out->n]);
		out->n += !rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int drop_ins_read(const char *dir, struct drop_ins *out, struct buf *why)
{
	struct dirent **files = NULL;
	int n = scandir(dir, &files, drop_ins_folder_has,
			drop_ins_folder_by_bytes),
	    rc;

	*out = (struct drop_ins){ 0 };
	/* A folder that we may not enter has another user's stages. */
	if (n < 0 && (errno == ENOENT || errno == EACCES))
		return 0;
	rc = n < 0 ? -errno : drop_ins_folder_read_all(dir, files, n, out);
	if (rc)
		drop_ins_fail(why, dir, rc);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return rc;
}

/* Is there room for the file of one more stage of that name, or is there one
 * already? */
static bool drop_ins_room(const char *dir, const char *name)
{
	BUF_LOCAL path = BUF_INIT(8192);
	struct dirent **files = NULL;
	int n = scandir(dir, &files, drop_ins_folder_has,
			drop_ins_folder_by_bytes);
	bool room;

	buf_addf(&path, "%s/%s" SUFFIX, dir, name);
	room = n < DROP_INS_MAX || !access(buf_str(&path), F_OK);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return room;
}

void drop_ins_clear(struct drop_ins *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		free(d->list[i].name);
		free(d->list[i].fault);
		conn_clear(&d->list[i].conn);
	}
	free(d->list);
	*d = (struct drop_ins){ 0 };
}

/* ---- the lock ---- */

int drop_ins_lock(const char *dir, int *lock, struct buf *why)
{
	int rc = dirs_make(dir, 0700, 0700);

	if (rc)
		return drop_ins_fail(why, dir, rc);
	*lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return drop_ins_fail(why, dir, -errno);
	while (flock(*lock, LOCK_EX)) {
		rc = -errno;
		if (rc == -EINTR)
			continue;
		close(*lock);
		return drop_ins_fail(why, dir, rc);
	}
	return 0;
}

void drop_ins_unlock(int lock)
{
	close(lock);
}

/* ---- writing: the text ---- */

/* As the file has it: a `${` is no reference. */
static void drop_in_text_add_value(struct buf *out, const char *value)
{
	const char *at;

	while ((at = strstr(value, "${"))) {
		buf_add(out, value, at - value);
		buf_adds(out, "$${");
		value = at + 2;
	}
	buf_adds(out, value);
}

static void drop_in_text_add_row(const struct option *row, const struct conn *c,
				 const struct conn *defaults, struct buf *out)
{
	BUF_SECRET value = BUF_INIT(BUF_LINE);
	BUF_LOCAL usual = BUF_INIT(BUF_LINE);
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
		drop_in_text_add_value(out, buf_str(&value));
		buf_addc(out, '\n');
	}
}

/* `credentials` stands there only when it was asked for. */
static bool drop_in_text_is_implied(const struct option *row,
				    const struct conn *c)
{
	return !strcmp(row->name, "credentials") && c->creds.credentials &&
	       !strcmp(c->creds.credentials, conn_sql_credentials(c));
}

static int drop_in_text_write(const char *name, const struct conn *c,
			      struct buf *out)
{
	CONN_LOCAL defaults = { 0 };
	int rc = option_defaults(conn_options, &defaults);

	buf_addf(out,
		 "; Made by CREATE STAGE; ALTER STAGE writes it anew.\n"
		 "[stage %s]\n",
		 name);
	for (const struct option *row = conn_options; row->name && !rc; row++)
		if (!row->alias_of && !drop_in_text_is_implied(row, c))
			drop_in_text_add_row(row, c, &defaults, out);
	return rc ? rc : buf_err(out);
}

/* ---- writing: the file ---- */

static int drop_in_file_write(int fd, const struct buf *text)
{
	int rc = io_write(fd, text->data, text->len);

	return !rc && fsync(fd) ? -errno : rc;
}

static int drop_in_file_take_back(void *arg, const char *section,
				  const char *name, const char *value,
				  const struct ini_place *place,
				  struct buf *why)
{
	const struct option *row = option_find(conn_options, name);

	return row ? ini_set(row, arg, name, value, place, why) : -EINVAL;
}

/* What came back different. */
static const char *drop_ins_lost(const struct conn *c, const struct conn *got)
{
	const struct option *row = conn_difference(c, got);

	return row && !(row->flags & OPTION_SECRET) ? row->name
						    : "one of the values";
}

static int drop_in_file_check(const char *path, const struct conn *c,
			      struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	CONN_LOCAL got = { 0 };
	int rc = option_defaults(conn_options, &got);

	if (!rc && c->creds.credentials)
		rc = conn_set(&got, "credentials", c->creds.credentials);
	if (!rc)
		rc = ini_read(path, drop_in_file_take_back, &got, &detail);
	if (rc != -ENOMEM && (rc || conn_difference(c, &got)))
		rc = buf_fail(
			why, -EINVAL,
			"%s cannot be kept in a file: a blank at an end, a ; "
			"behind a blank, or a control byte",
			drop_ins_lost(c, &got));
	return rc;
}

/* Makes the temporary file; its name is in temp. */
static int drop_in_file_write_temp(struct buf *temp, const struct buf *text)
{
	int fd = mkostemp(temp->data, O_CLOEXEC), rc; /* 0600 */

	if (fd < 0)
		return -errno;
	rc = fchmod(fd, 0600) ? -errno : drop_in_file_write(fd, text);
	if (close(fd) && !rc)
		rc = -errno;
	if (rc)
		unlink(temp->data);
	return rc;
}

int drop_ins_put(const char *dir, const char *name, const struct conn *conn,
		 struct buf *why)
{
	BUF_SECRET text = BUF_INIT(1 << 20);
	BUF_LOCAL temp = BUF_INIT(8192);
	BUF_LOCAL path = BUF_INIT(8192);
	int rc = drop_in_text_write(name, conn, &text);

	buf_addf(&path, "%s/%s.conf", dir, name);
	buf_addf(&temp, "%s/.%s.XXXXXX", dir, name);
	if (!rc)
		rc = buf_err(&path) ? buf_err(&path) : buf_err(&temp);
	if (!rc && !drop_ins_room(dir, name))
		rc = -ENOSPC;
	if (!rc)
		rc = drop_in_file_write_temp(&temp, &text);
	if (rc) {
		drop_ins_fail(why, buf_str(&path), rc);
		return rc;
	}
	rc = drop_in_file_check(temp.data, conn, why);
	if (!rc)
		rc = drop_ins_check(dir, temp.data + strlen(dir) + 1, name,
				    why);
	if (!rc && rename(temp.data, path.data))
		rc = drop_ins_fail(why, path.data, -errno);
	if (rc) {
		unlink(temp.data);
		return rc;
	}
	rc = io_sync_dir(dir);
	if (rc)
		drop_ins_fail(why, dir, rc);
	return rc;
}

int drop_ins_remove(const char *dir, const char *name, struct buf *why)
{
	BUF_LOCAL path = BUF_INIT(8192);
	int rc;

	buf_addf(&path, "%s/%s.conf", dir, name);
	rc = buf_err(&path);
	if (!rc && unlink(path.data))
		rc = -errno;
	if (!rc)
		rc = io_sync_dir(dir);
	if (rc)
		drop_ins_fail(why, buf_str(&path), rc);
	return rc;
}
