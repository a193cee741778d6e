/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel takes the lock of a directory to forget a name in it, and waits
 * for pages that are being read to forget them: both may be held by a
 * thread whose request is not answered yet. While workers answer, that ends.
 * When they have left (SIGTERM), notify_stop() answers in their place until
 * the thread has come back: else it would wait for ever, and the process,
 * whose end closes the connection, with it.
 */
#define FUSE_USE_VERSION 312
#include "fuse/notify.h"

#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "fs/fs.h"
#include "fs/inval_queue.h"

#define LOOK_MS 20

struct notify {
	struct fuse_session *se;
	struct fs *fs;
	pthread_t thread;
	_Atomic(bool) ended;
};

static fuse_ino_t notify_number(struct notify *n, const struct inode *i)
{
	return i == fs_root(n->fs) ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)i;
}

/* What the kernel does not know it need not forget: no error counts. */
static void notify_tell(struct notify *n, const struct inval *notice)
{
	fuse_ino_t ino = notify_number(n, notice->inode);

	switch (notice->kind) {
	case INVAL_ENTRY:
		fuse_lowlevel_notify_inval_entry(n->se, ino, notice->name,
						 strlen(notice->name));
		break;
	case INVAL_ATTR:
		fuse_lowlevel_notify_inval_inode(n->se, ino, -1, 0);
		break;
	case INVAL_BYTES:
		fuse_lowlevel_notify_inval_inode(n->se, ino, 0, 0);
		break;
	}
}

static void *notify_work(void *arg)
{
	struct notify *n = arg;
	struct inval notice;

	while (inval_queue_next(fs_inval_queue(n->fs), &notice))
		notify_tell(n, &notice);
	atomic_store(&n->ended, true);
	return NULL;
}

struct notify *notify_start(struct fuse_session *se, struct fs *fs)
{
	struct notify *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->se = se;
	n->fs = fs;
	inval_queue_begin(fs_inval_queue(fs));
	if (!thread_start(&n->thread, "notify", notify_work, n))
		return n;
	inval_queue_end(fs_inval_queue(fs));
	free(n);
	return NULL;
}

/* Answers what has come, if anything comes soon. */
static void notify_answer(struct notify *n, struct fuse_buf *buf)
{
	struct pollfd p = { fuse_session_fd(n->se), POLLIN, 0 };

	if (poll(&p, 1, LOOK_MS) > 0 && (p.revents & POLLIN) &&
	    fuse_session_receive_buf(n->se, buf) > 0)
		fuse_session_process_buf(n->se, buf);
}

void notify_stop(struct notify *n)
{
	struct fuse_buf buf = { .mem = NULL };

	if (!n)
		return;
	inval_queue_end(fs_inval_queue(n->fs));
	fuse_session_reset(n->se);
	while (!atomic_load(&n->ended))
		notify_answer(n, &buf);
	pthread_join(n->thread, NULL);
	free(buf.mem);
	free(n);
}
