/*
 * A file of one part is one PUT. Standard input, pipes and devices have no
 * size yet and are spooled first. A file that changes while it is sent is an
 * error: what arrived is a mixture that nobody wrote.
 */
#include "transfer/transfer_put.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/http_engine.h"
#include "stage/stage.h"
#include "store/parts.h"
#include "store/store.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_local.h"
#include "transfer/transfer_send.h"

struct upload {
	struct transfer *t;
	struct transfer_job *job;
	int fd; /* -1: no bytes at all */
	uint64_t size;
	struct stat before; /* of a regular file */
	bool regular;
};

/* ---- the file ---- */

/* Files of /proc say that they are empty, and are not. */
static bool is_whole(int fd, const struct stat *st)
{
	char byte;

	return S_ISREG(st->st_mode) &&
	       (st->st_size || pread(fd, &byte, 1, 0) <= 0);
}

static int open_local(struct upload *u, struct buf *why)
{
	bool standard = !strcmp(u->job->local, "-");
	int fd = standard
			 ? STDIN_FILENO
			 : open(u->job->local, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0 || fstat(fd, &u->before)) {
		rc = -errno;
	} else if (!standard && is_whole(fd, &u->before)) {
		u->regular = true;
		u->fd = fd;
		u->size = u->before.st_size;
		return 0;
	} else if (S_ISDIR(u->before.st_mode)) {
		rc = -EISDIR;
	} else {
		rc = transfer_file_spool(fd, &u->fd, &u->size);
	}
	if (fd >= 0 && !standard)
		close(fd);
	if (rc)
		buf_adds(why, strerror(-rc));
	return rc;
}

static int check_unchanged(const struct upload *u, struct buf *why)
{
	const struct stat *a = &u->before;
	struct stat b;

	if (!u->regular)
		return 0;
	if (fstat(u->fd, &b))
		return -errno;
	if (a->st_size == b.st_size && a->st_mtim.tv_sec == b.st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b.st_mtim.tv_nsec)
		return 0;
	buf_adds(why, "the file changed while it was sent: send it again");
	return -EBUSY;
}

/* ---- one PUT ---- */

/* again: what the answer says is learnt, and another try is worth it. */
static int put_once(struct upload *u, bool *again, struct buf *why)
{
	const struct transfer_remote *r = &u->job->remote;
	struct transfer_row row;
	struct transfer_send call;
	struct http_reply reply;
	char checksum[TRANSFER_CHECKSUM_SIZE];
	bool md5 = transfer_call_wants_md5(r);
	int rc = md5 ? transfer_file_checksum(u->fd, 0, u->size, checksum) : 0;

	*again = false;
	row = (struct transfer_row){ 0 };
	if (!rc)
		rc = transfer_call_sign(r, PRESIGN_UPLOAD,
					md5 ? checksum : NULL, &row, why);
	if (!rc)
		rc = transfer_send_init(&call, &row, u->fd, 0, u->size, why);
	if (!rc) {
		rc = http_perform(r->lane, &call.http, &reply);
		*again =
			!rc && (transfer_call_relocated(r, &reply) ||
				(!md5 && transfer_call_demands_md5(r, &reply)));
		rc = transfer_call_outcome(rc, &reply, why);
		http_reply_clear(&reply);
	}
	transfer_row_clear(&row);
	return rc;
}

static int put_whole(struct upload *u, struct buf *why)
{
	bool again;
	int rc = put_once(u, &again, why);

	/* for the region, and for the checksum */
	for (int i = 0; i < 2 && rc && again; i++) {
		buf_reset(why);
		rc = put_once(u, &again, why);
	}
	if (!rc)
		transfer_moved(u->t, (int64_t)u->size);
	return rc;
}

static int send_all(struct upload *u, struct buf *why)
{
	const struct transfer_remote *r = &u->job->remote;

	if (transfer_local_is(r))
		return transfer_local_put(u->t, r, u->fd, u->size,
					  u->regular ? &u->before : NULL, why);
	if (!r->stage || parts_count(r->part_size, u->size) == 1)
		return put_whole(u, why);
	return transfer_parts(u->t, r, u->fd, u->size, why);
}

/* ---- what is there already ---- */

/* 1: the object has these bytes; 0: not, or nobody can tell; -errno. */
static int is_there(struct upload *u)
{
	const struct transfer_remote *r = &u->job->remote;
	struct buf key = BUF_INIT(STORE_KEY_MAX);
	struct name_info there = { 0 };
	bool equal = false;
	int rc;

	if (!r->stage)
		return 0;
	if (transfer_local_is(r)) {
		rc = transfer_local_equal(r, u->fd, u->size, &equal);
		return rc ? rc : equal;
	}
	buf_adds(&key, r->stage->prefix);
	buf_adds(&key, r->path);
	rc = buf_err(&key) ? buf_err(&key)
			   : store_stat(r->stage->store, buf_str(&key), &there);
	if (!rc && there.is_object)
		rc = transfer_file_equal(u->fd, u->size, r->part_size,
					 &there.info, &equal);
	buf_clear(&key);
	return rc ? rc : equal;
}

int transfer_put(struct transfer *t, struct transfer_job *job, struct buf *why)
{
	struct upload u = { .t = t, .job = job, .fd = -1 };
	int rc = job->directory ? 0 : open_local(&u, why);

	if (!rc && transfer_settings(t)->skip_existing && !job->directory) {
		rc = is_there(&u);
		rc = rc > 0 ? -EEXIST : rc;
	}
	if (!rc)
		rc = send_all(&u, why);
	if (!rc)
		rc = check_unchanged(&u, why);
	if (u.fd >= 0)
		close(u.fd);
	return rc;
}
