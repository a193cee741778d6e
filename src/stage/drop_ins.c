/*
 * Reading. A file that is wrong is given with its fault, so that it costs its
 * own stage and none of the others.
 */
#include "stage/drop_ins.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/ini.h"
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

/* ---- one file ---- */

struct reader {
	struct drop_in *to;
	bool section; /* [stage NAME] was there */
	uint64_t seen; /* rows that were given */
};

static int check_section(struct reader *r, const char *section, struct buf *err)
{
	if (text_starts_with(section, "stage ") &&
	    !strcmp(section + 6, r->to->name)) {
		r->section = true;
		return 0;
	}
	buf_addf(err, "this file is for the section [stage %s] alone",
		 r->to->name);
	return -EINVAL;
}

static int refuse_key(const char *name, struct buf *err)
{
	const char *near = option_suggest(conn_options, name);

	buf_adds(err, "unknown key ");
	text_printable(err, name);
	if (near)
		buf_addf(err, "; did you mean %s?", near);
	return -EINVAL;
}

static int take_setting(void *arg, const char *section, const char *name,
			const char *value, const struct ini_place *place,
			struct buf *err)
{
	struct reader *r = arg;
	int rc = check_section(r, section, err);
	const struct option *row;
	uint64_t bit;

	if (rc)
		return rc;
	if (place->continued) {
		buf_adds(err, "a value is one line; this one is indented");
		return -EINVAL;
	}
	row = option_find(conn_options, name);
	if (!row)
		return refuse_key(name, err);
	bit = UINT64_C(1) << option_index(conn_options, row);
	if (r->seen & bit) {
		buf_addf(err, "%s is given a second time", row->name);
		return -EINVAL;
	}
	r->seen |= bit;
	return ini_set(row, &r->to->conn, name, value, place, err);
}

static bool gave(const struct reader *r, const char *name)
{
	const struct option *row = option_find(conn_options, name);

	return r->seen >> option_index(conn_options, row) & 1;
}

static int complete(struct reader *r, bool written, const char *path,
		    struct buf *err)
{
	struct conn *c = &r->to->conn;
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (!r->section) {
		buf_addf(&why, "there is no [stage %s] with a url in it",
			 r->to->name);
		rc = -EINVAL;
	}
	if (!rc && !gave(r, "credentials")) {
		rc = conn_set(c, "credentials", conn_sql_credentials(c));
	}
	if (!rc && !written)
		rc = conn_env_complete(c);
	if (!rc && !written)
		rc = conn_check(c, &why);
	if (rc) {
		text_printable(err, path);
		buf_addf(err, ": %s", why.len ? buf_str(&why) : strerror(-rc));
	}
	buf_clear(&why);
	return rc;
}

/* written: as it is written, nothing added and nothing judged. */
static int read_one(const char *dir, const char *file, bool written,
		    struct drop_in *out, struct buf *err)
{
	struct reader r = { .to = out };
	struct buf path = BUF_INIT(8192);
	int rc;

	buf_addf(&path, "%s/%s", dir, file);
	rc = buf_err(&path);
	if (!rc)
		rc = option_defaults(conn_options, &out->conn);
	if (!rc && !stage_name_valid(out->name)) {
		text_printable(err, buf_str(&path));
		buf_adds(err, ": no stage can have that name");
		rc = -EINVAL;
	}
	if (!rc)
		rc = ini_read(buf_str(&path), take_setting, &r, err);
	if (!rc)
		rc = complete(&r, written, buf_str(&path), err);
	if (rc) {
		option_clear(conn_options, &out->conn);
		out->conn = (struct conn){ 0 };
	}
	buf_clear(&path);
	return rc;
}

int drop_ins_check(const char *dir, const char *file, const char *name,
		   struct buf *err)
{
	struct drop_in one = { .name = (char *)name };
	int rc = read_one(dir, file, false, &one, err);

	option_clear(conn_options, &one.conn);
	return rc;
}

int drop_ins_get(const char *dir, const char *name, struct conn *out,
		 struct buf *err)
{
	struct buf file = BUF_INIT(NAME_BYTES_MAX + sizeof(SUFFIX));
	struct drop_in one = { .name = (char *)name };
	int rc;

	buf_addf(&file, "%s" SUFFIX, name);
	rc = buf_err(&file);
	if (!rc)
		rc = read_one(dir, buf_str(&file), true, &one, err);
	*out = one.conn;
	buf_clear(&file);
	return rc;
}

/* ---- the folder ---- */

static int is_drop_in(const struct dirent *e)
{
	return e->d_name[0] != '.' && text_ends_with(e->d_name, SUFFIX) &&
	       strcmp(e->d_name, SUFFIX);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Dropped since the folder was read. A reference in it may be ENOENT too. */
static bool is_gone(const char *dir, const char *file)
{
	struct buf path = BUF_INIT(8192);
	struct stat st;
	bool gone;

	buf_addf(&path, "%s/%s", dir, file);
	gone = stat(buf_str(&path), &st) && errno == ENOENT;
	buf_clear(&path);
	return gone;
}

/* 0 with a stage or its fault; -ENOENT it is gone; -ENOMEM. */
static int read_file(const char *dir, const char *file, struct drop_in *out)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc = -ENOMEM;

	*out = (struct drop_in){ .name = strndup(
					 file, strlen(file) - strlen(SUFFIX)) };
	if (out->name)
		rc = read_one(dir, file, false, out, &why);
	if (rc && rc != -ENOMEM && !(rc == -ENOENT && is_gone(dir, file))) {
		out->fault = strdup(why.len ? buf_str(&why) : strerror(-rc));
		rc = out->fault ? 0 : -ENOMEM;
	}
	if (rc)
		free(out->name);
	buf_clear(&why);
	return rc;
}

static int read_all(const char *dir, struct dirent **files, unsigned n,
		    struct drop_ins *out)
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
		rc = read_file(dir, files[i]->d_name, &out->list[out->n]);
		out->n += !rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

int drop_ins_read(const char *dir, struct drop_ins *out, struct buf *err)
{
	struct dirent **files = NULL;
	int n = scandir(dir, &files, is_drop_in, by_bytes), rc;

	*out = (struct drop_ins){ 0 };
	/* A folder that we may not enter has another user's stages. */
	if (n < 0 && (errno == ENOENT || errno == EACCES))
		return 0;
	rc = n < 0 ? -errno : read_all(dir, files, n, out);
	if (rc) {
		text_printable(err, dir);
		buf_addf(err, ": %s", strerror(-rc));
	}
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return rc;
}

bool drop_ins_room(const char *dir, const char *name)
{
	struct buf path = BUF_INIT(8192);
	struct dirent **files = NULL;
	int n = scandir(dir, &files, is_drop_in, by_bytes);
	bool room;

	buf_addf(&path, "%s/%s" SUFFIX, dir, name);
	room = n < DROP_INS_MAX || !access(buf_str(&path), F_OK);
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	buf_clear(&path);
	return room;
}

void drop_ins_clear(struct drop_ins *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		free(d->list[i].name);
		free(d->list[i].fault);
		option_clear(conn_options, &d->list[i].conn);
	}
	free(d->list);
	*d = (struct drop_ins){ 0 };
}
