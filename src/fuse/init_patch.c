/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfuse hands its user data to the hooks as the session's, which is taken;
 * a process has one session, so the exchange is remembered here. INIT is the
 * first request and is answered before any other, by one thread.
 */
#define FUSE_USE_VERSION 312
#include "fuse/init_patch.h"

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fuse/killpriv.h"
#include "fuse/op_counts.h"

#define WANTED (FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2)
/* Of the second word of flags; Linux 6.9, whose header Debian 12 lacks. */
#define WANTED_2 (1U << (38 - 32)) /* FUSE_NO_EXPORT_SUPPORT */

enum init_state {
	INIT_WAITED, /* the kernel has not asked */
	INIT_ASKED, /* ... has asked: its reply is to be patched */
	INIT_DONE,
};

static struct {
	enum init_state state;
	uint64_t unique;
	uint32_t offered, offered_2;
	void (*after)(void *arg);
	void *arg;
} init;

static ssize_t init_patch_read(int fd, void *buf, size_t len, void *userdata)
{
	const struct fuse_in_header *h = buf;
	const struct fuse_init_in *in = (const void *)(h + 1);
	ssize_t n = read(fd, buf, len);

	killpriv_note(buf, n > 0 ? (size_t)n : 0);
	op_counts_begin(buf, n > 0 ? (size_t)n : 0);
	if (init.state != INIT_WAITED || n < (ssize_t)(sizeof(*h) + 16))
		return n;
	if (h->opcode == FUSE_INIT) {
		init.unique = h->unique;
		init.offered = in->flags;
		if ((in->flags & FUSE_INIT_EXT) &&
		    n >= (ssize_t)(sizeof(*h) + sizeof(*in)))
			init.offered_2 = in->flags2;
		init.state = INIT_ASKED;
	}
	return n;
}

static void init_patch_reply(const struct iovec *iov, int count)
{
	struct fuse_init_out *out;

	if (count < 2 || iov[1].iov_len < FUSE_COMPAT_22_INIT_OUT_SIZE)
		return;
	out = iov[1].iov_base;
	out->flags |= WANTED & init.offered;
	if (!(WANTED_2 & init.offered_2) || iov[1].iov_len < sizeof(*out))
		return;
	out->flags |= FUSE_INIT_EXT;
	out->flags2 |= WANTED_2 & init.offered_2;
}

static ssize_t init_patch_writev(int fd, struct iovec *iov, int count,
				 void *userdata)
{
	const struct fuse_out_header *h = iov[0].iov_base;
	ssize_t n;

	op_counts_end(iov, count);
	if (init.state != INIT_ASKED || h->unique != init.unique)
		return writev(fd, iov, count);
	/* A version that the kernel must match first is asked for again. */
	if (h->len < sizeof(*h) + FUSE_COMPAT_22_INIT_OUT_SIZE) {
		init.state = INIT_WAITED;
		return writev(fd, iov, count);
	}
	init.state = INIT_DONE;
	init_patch_reply(iov, count);
	n = writev(fd, iov, count);
	if (n >= 0)
		init.after(init.arg);
	return n;
}

int init_patch(struct fuse_session *se, void (*after)(void *arg), void *arg)
{
	static const struct fuse_custom_io io = {
		.read = init_patch_read,
		.writev = init_patch_writev,
	};

	memset(&init, 0, sizeof(init));
	init.after = after;
	init.arg = arg;
	return fuse_session_custom_io(se, &io, fuse_session_fd(se));
}
