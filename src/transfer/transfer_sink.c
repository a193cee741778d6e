/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of things. The state is written before the part is made, so a part
 * without one is another program's and is not touched. A lock on the part keeps
 * a second run of the same out. The state goes last: what a crash leaves
 * between the two is a state without a part, which means nothing.
 *
 * A pipe or a device has no name to take: an unlinked file holds the bytes of
 * the ranges under way, and note() hands on what is complete.
 */
#include "transfer/transfer_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "stage/location.h"
#include "transfer/transfer_file.h"

#define SUFFIX ".part"
#define STATE_SUFFIX ".state"
/* Of a name, so that both suffixes fit behind it. */
#define NAME_ROOM (NAME_BYTES_MAX - sizeof(SUFFIX STATE_SUFFIX) + 1)
#define HASH_CHARS 16

static int sink_say(struct buf *why, const char *what, int rc)
{
	return buf_fail(why, rc, "%s: %s", what, strerror(-rc));
}

/* NAME.part beside the target; a long name is cut, and known by its hash. */
static int sink_name_part(struct transfer_sink *s)
{
	const char *slash = strrchr(s->target, '/');
	const char *name = slash ? slash + 1 : s->target;
	struct buf part = BUF_INIT(2 * BUF_LINE);
	char hex[SHA256_HEX_SIZE];
	size_t n = strlen(name);

	buf_add(&part, s->target, name - s->target);
	if (n <= NAME_ROOM) {
		buf_adds(&part, name);
	} else {
		sha256_hex(name, n, hex);
		buf_addf(&part, "%.*s~%.*s", (int)(NAME_ROOM - HASH_CHARS - 1),
			 name, HASH_CHARS, hex);
	}
	buf_adds(&part, SUFFIX);
	if (asprintf(&s->state, "%s" STATE_SUFFIX, buf_str(&part)) < 0)
		s->state = NULL;
	s->part = buf_detach(&part);
	return s->part && s->state ? 0 : -ENOMEM;
}

static bool sink_read_state(struct transfer_sink *s)
{
	char text[TRANSFER_STATE_MAX];
	FD_LOCAL fd = open(s->state, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : io_pread(fd, text, sizeof(text), 0);

	return n > 0 && transfer_state_read(text, n, &s->saved);
}

static int sink_write_state(const struct transfer_sink *s,
			    const struct transfer_state *now)
{
	BUF_LOCAL text = BUF_INIT(TRANSFER_STATE_MAX);
	FD_LOCAL fd = open(s->state,
			   O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -errno : 0;

	transfer_state_write(now, &text);
	if (!rc)
		rc = io_pwrite(fd, text.data, text.len, 0);
	if (!rc && ftruncate(fd, text.len))
		rc = -errno;
	return rc;
}

static int sink_open_part(struct transfer_sink *s, struct buf *why)
{
	const struct transfer_state fresh = { .size = TRANSFER_UNKNOWN };
	bool known = sink_read_state(s);
	struct stat st;
	int rc;

	if (!known && !lstat(s->part, &st))
		return buf_fail(why, -EBUSY,
				"%s is in the way, and not of our making",
				s->part);
	rc = known ? 0 : sink_write_state(s, &fresh);
	if (rc)
		return sink_say(why, s->state, rc);
	s->fd = open(s->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (s->fd < 0 || fstat(s->fd, &st))
		return sink_say(why, s->part, -errno);
	if (flock(s->fd, LOCK_EX | LOCK_NB)) {
		buf_addf(why, "%s is being written by another get", s->part);
		close(s->fd);
		s->fd = -1;
		return -EBUSY;
	}
	s->part_bytes = st.st_size;
	return 0;
}

static int sink_open_stream(struct transfer_sink *s, const char *path,
			    struct buf *why)
{
	if (path) {
		s->out_fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		s->close_out = true;
	} else {
		s->out_fd = STDOUT_FILENO;
	}
	if (s->out_fd < 0)
		return sink_say(why, path, -errno);
	s->fd = transfer_file_temporary();
	return s->fd < 0 ? sink_say(why, "temporary file", s->fd) : 0;
}

/* What is at the target: follows symlinks, so that the file is replaced and
 * not the link. */
static int sink_look(struct transfer_sink *s, const char *target,
		     bool no_clobber, bool *stream, struct buf *why)
{
	struct stat st;

	*stream = false;
	if (stat(target, &st)) {
		s->target = strdup(target);
		return s->target ? 0 : -ENOMEM;
	}
	if (no_clobber)
		return -EEXIST;
	if (S_ISDIR(st.st_mode))
		return sink_say(why, target, -EISDIR);
	*stream = !S_ISREG(st.st_mode);
	s->replaces = true;
	s->mode = st.st_mode & 0777;
	s->target = realpath(target, NULL);
	return s->target ? 0 : sink_say(why, target, -errno);
}

int transfer_sink_open(const char *target, bool no_clobber,
		       struct transfer_sink *out, struct buf *why)
{
	bool stream;
	int rc;

	*out = (struct transfer_sink){ .fd = -1, .out_fd = -1 };
	if (!strcmp(target, "-"))
		return sink_open_stream(out, NULL, why);
	rc = sink_look(out, target, no_clobber, &stream, why);
	if (rc)
		return rc;
	if (stream)
		return sink_open_stream(out, target, why);
	rc = sink_name_part(out);
	return rc ? rc : sink_open_part(out, why);
}

static int sink_write_out(void *to, const void *bytes, size_t n)
{
	return io_write(*(const int *)to, bytes, n);
}

int transfer_sink_note(struct transfer_sink *s, const struct object_info *info,
		       uint64_t done, struct buf *why)
{
	struct transfer_state now = { .size = info->size, .done = done };
	int rc;

	if (s->out_fd < 0) {
		memcpy(now.etag, info->etag, sizeof(now.etag));
		rc = sink_write_state(s, &now);
		return rc ? sink_say(why, s->state, rc) : 0;
	}
	rc = io_each(s->fd, 0, done - s->base, sink_write_out, &s->out_fd);
	if (!rc && ftruncate(s->fd, 0))
		rc = -errno;
	s->base = done;
	return rc ? sink_say(why, s->target ? s->target : "standard output", rc)
		  : 0;
}

static int sink_take_name(struct transfer_sink *s, bool no_clobber)
{
	/* A file that was there before must not be lost to a crash. */
	if (s->replaces && (fchmod(s->fd, s->mode) || fsync(s->fd)))
		return -errno;
	if (!no_clobber)
		return rename(s->part, s->target) ? -errno : 0;
	if (!renameat2(AT_FDCWD, s->part, AT_FDCWD, s->target,
		       RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* a file system that cannot: a link does not replace either */
	if (link(s->part, s->target))
		return -errno;
	unlink(s->part);
	return 0;
}

int transfer_sink_finish(struct transfer_sink *s, bool no_clobber,
			 struct buf *why)
{
	int rc;

	if (s->out_fd >= 0)
		return 0;
	rc = sink_take_name(s, no_clobber);
	if (rc && rc != -EEXIST)
		return sink_say(why, s->target, rc);
	if (!rc) {
		unlink(s->state);
		free(s->part);
		s->part = NULL;
	}
	return rc;
}

void transfer_sink_close(struct transfer_sink *s, bool keep)
{
	if (s->fd >= 0 && s->part && !keep) {
		unlink(s->part);
		unlink(s->state);
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->close_out && s->out_fd >= 0)
		close(s->out_fd);
	free(s->target);
	free(s->part);
	free(s->state);
	*s = (struct transfer_sink){ .fd = -1, .out_fd = -1 };
}
