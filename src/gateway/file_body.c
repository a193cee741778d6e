/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body that is a range of a file, of one version: another program may write
 * into that very file while it is sent. What it was, size and time, is known
 * from when its ETag was told, and is looked at after each piece that is read;
 * when it is another the connection ends in the middle, and the client sees a
 * body that is too short instead of one that no program ever wrote.
 *
 * Pieces are copied, though the kernel could send them from the file itself
 * (sendfile): what waits in a socket, the client's too on one machine, would be
 * the pages of the file then, and change with it after any look.
 *
 * What remains: a write that leaves the size, within the same tick of the
 * disk's clock as the one before the ETag was told; and pages of a mapping,
 * whose time the kernel sets when it comes to write them back.
 */
#include "gateway/file_body.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIVEN (256u << 10) /* bytes for the library at once */

bool file_body_same(const struct file_body *f)
{
	struct stat st;

	return !fstat(f->fd, &st) && (uint64_t)st.st_size == f->size &&
	       st.st_mtim.tv_sec == f->mtime.tv_sec &&
	       st.st_mtim.tv_nsec == f->mtime.tv_nsec;
}

static ssize_t file_body_read(void *arg, uint64_t at, char *room, size_t n)
{
	const struct file_body *f = arg;
	ssize_t got;

	if (n > f->len - at)
		n = f->len - at;
	got = pread(f->fd, room, n, (off_t)(f->offset + at));
	if (got <= 0 || !file_body_same(f))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return got;
}

static void file_body_free(void *arg)
{
	struct file_body *f = arg;

	close(f->fd);
	free(f);
}

struct MHD_Response *file_body_response(const struct file_body *f)
{
	struct file_body *own = malloc(sizeof(*own));
	struct MHD_Response *r;

	if (!own)
		return NULL;
	*own = *f;
	r = MHD_create_response_from_callback(f->len, GIVEN, file_body_read,
					      own, file_body_free);
	if (!r)
		free(own);
	return r;
}
