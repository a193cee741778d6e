/*
 * A body that is a range of a file, of one version: another program may write
 * into that very file while it is sent. What it was, size and time, is known
 * from when its ETag was told, and is looked at between the pieces; when it is
 * another the connection ends in the middle, and the client sees a body that is
 * too short instead of one that nobody ever wrote.
 *
 * Pieces are read, looked at, and given to the library. Of a long range the
 * kernel sends all but the end from the file itself (sendfile), which costs
 * half; the library would do so in one go, without a look. So it is told of no
 * length, the answer says it, and when the library asks for the first bytes it
 * has sent the headers: then all but the last are sent, and those are read,
 * looked at, and given to it. Such an answer ends its connection. Either way no
 * body is ever complete that was not of one version up to the last look.
 *
 * What remains: a write that leaves the size, within the same tick of the
 * disk's clock as the one before the ETag was told; and pages of a mapping,
 * whose time the kernel sets when it comes to write them back.
 */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/exchange_impl.h"

#define GIVEN (256u << 10) /* bytes for the library at once */
#define LONG (4u << 20) /* from here on the kernel sends */
#define PIECE (2u << 20) /* between two looks */
#define POLL_MS 60000 /* the watcher of slow clients is quicker (links.h) */

struct file_body {
	struct exchange_file file;
	uint64_t ahead; /* of its bytes are sent by us */
	int socket;
	bool begun;
};

bool exchange_file_same(const struct exchange_file *f)
{
	struct stat st;

	return !fstat(f->fd, &st) && (uint64_t)st.st_size == f->size &&
	       st.st_mtim.tv_sec == f->mtime.tv_sec &&
	       st.st_mtim.tv_nsec == f->mtime.tv_nsec;
}

static bool may_send(int socket)
{
	struct pollfd p = { .fd = socket, .events = POLLOUT };
	int n = poll(&p, 1, POLL_MS);

	return n > 0 || (n < 0 && errno == EINTR);
}

/* One piece, or less; false: the connection has ended, or the file has. */
static bool send_some(const struct file_body *b, off_t *at, off_t end)
{
	size_t want = end - *at < PIECE ? (size_t)(end - *at) : PIECE;
	ssize_t n = sendfile(b->socket, b->file.fd, at, want);

	if (n > 0)
		return exchange_file_same(&b->file);
	return n &&
	       (errno == EINTR || (errno == EAGAIN && may_send(b->socket)));
}

static bool send_ahead(const struct file_body *b)
{
	off_t at = (off_t)b->file.offset, end = at + (off_t)b->ahead;

	while (at < end)
		if (!send_some(b, &at, end))
			return false;
	return true;
}

/* The library's threads have SIGPIPE blocked. */
static ssize_t give(void *arg, uint64_t at, char *room, size_t n)
{
	struct file_body *b = arg;
	ssize_t got;

	if (!b->begun && !send_ahead(b))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	b->begun = true;
	at += b->ahead;
	if (at == b->file.len)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n > b->file.len - at)
		n = b->file.len - at;
	got = pread(b->file.fd, room, n, (off_t)(b->file.offset + at));
	if (got <= 0 || !exchange_file_same(&b->file))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return got;
}

static void drop(void *arg)
{
	struct file_body *b = arg;

	close(b->file.fd);
	free(b);
}

/* The whole of a long range is announced by us. */
static struct MHD_Response *announce(struct file_body *b)
{
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, GIVEN, give, b, drop);
	char length[24];

	if (!r)
		return NULL;
	snprintf(length, sizeof(length), "%llu",
		 (unsigned long long)b->file.len);
	MHD_set_response_options(r,
				 MHD_RF_INSANITY_HEADER_CONTENT_LENGTH |
					 MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
				 MHD_RO_END);
	MHD_add_response_header(r, "Content-Length", length);
	return r;
}

struct MHD_Response *exchange_file_response(const struct exchange_file *f,
					    int socket)
{
	struct file_body *b = calloc(1, sizeof(*b));
	struct MHD_Response *r;

	if (!b)
		return NULL;
	b->file = *f;
	b->socket = socket;
	if (socket >= 0 && f->len >= LONG)
		b->ahead = f->len - GIVEN;
	r = b->ahead ? announce(b)
		     : MHD_create_response_from_callback(f->len, GIVEN, give, b,
							 drop);
	if (!r)
		free(b);
	return r;
}
