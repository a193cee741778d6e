/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operations begin and end with, and what they take apart.
 */
#include "fuse/op.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/waiter.h"
#include "fuse/killpriv.h"

/* A caller whom /proc does not show us, as one in another container, or one of
 * another user under hidepid=: it is believed to live for so long. */
#define UNKNOWN_MS 10000

static void op_interrupted(fuse_req_t req, void *waiter)
{
	waiter_ask(waiter);
}

/* Any signal of the caller's interrupts a request, also one that it handles
 * and goes on from: only one that kills it ends what it asked for. */
static bool op_is_dying(void *req, int64_t since_ms)
{
	switch (fatal_signal(fuse_req_ctx(req)->pid)) {
	case FATAL_NO:
		return false;
	case FATAL_YES:
		return true;
	case FATAL_UNKNOWN:
		break;
	}
	return clock_mono_ms() - since_ms >= UNKNOWN_MS;
}

struct fs *op_begin(fuse_req_t req)
{
	struct waiter *w = waiter_self();

	waiter_begin_judged(w, op_is_dying, req);
	waiter_set_began(w, clock_mono_ms());
	fuse_req_interrupt_func(req, op_interrupted, w);
	return fuse_req_userdata(req);
}

struct fs *op_begin_whole(fuse_req_t req)
{
	waiter_begin(waiter_self());
	waiter_set_began(waiter_self(), clock_mono_ms());
	return fuse_req_userdata(req);
}

void op_end(fuse_req_t req)
{
	fuse_req_interrupt_func(req, NULL, NULL);
	waiter_begin(waiter_self());
}

void op_reply(fuse_req_t req, int rc)
{
	fuse_reply_err(req, -rc);
}

void op_done(fuse_req_t req, int rc)
{
	op_end(req);
	op_reply(req, rc);
}

static bool op_work_is_dying(void *arg, int64_t since_ms)
{
	struct op_work *o = arg;

	return op_is_dying(o->req, since_ms);
}

static void op_work_leave(void *arg)
{
	struct op_work *o = arg;

	struct fs *fs = fuse_req_userdata(o->req);

	o->answered = true;
	if (o->handle)
		fs_retain(o->handle);
	if (o->from)
		fs_retain(o->from);
	if (o->inode)
		fs_retain_inode(fs, o->inode);
	if (o->leave)
		o->leave(o, fs);
	fuse_req_interrupt_func(o->req, NULL, NULL);
	op_reply(o->req, -EINTR);
}

static struct fs *op_work_start(struct op_work *o, bool whole)
{
	struct waiter *w = waiter_self();

	o->answered = false;
	waiter_begin_judged(w, op_work_is_dying, o);
	waiter_set_leave(w, op_work_leave);
	if (whole)
		waiter_finish(w);
	waiter_set_began(w, clock_mono_ms());
	fuse_req_interrupt_func(o->req, op_interrupted, w);
	return fuse_req_userdata(o->req);
}

struct fs *op_work_begin(struct op_work *o)
{
	return op_work_start(o, false);
}

struct fs *op_work_begin_whole(struct op_work *o)
{
	return op_work_start(o, true);
}

bool op_failed(fuse_req_t req, int rc)
{
	op_end(req);
	if (rc)
		op_reply(req, rc);
	return rc;
}

bool op_work_over(struct op_work *o, struct fs *fs, int rc)
{
	if (!o->answered)
		return op_failed(o->req, rc);
	waiter_begin(waiter_self());
	if (o->handle)
		fs_release(fs, o->handle);
	if (o->from)
		fs_release(fs, o->from);
	if (o->inode)
		fs_release_inode(fs, o->inode);
	return true;
}

void op_work_end(struct op_work *o, struct fs *fs, int rc)
{
	if (!op_work_over(o, fs, rc))
		op_reply(o->req, 0);
}

struct inode *op_inode(fuse_req_t req, fuse_ino_t ino)
{
	if (ino == FUSE_ROOT_ID)
		return fs_root(fuse_req_userdata(req));
	return (struct inode *)(uintptr_t)ino;
}

static int op_groups(const struct fs_caller *c, gid_t *list, int max)
{
	int n = fuse_req_getgroups(c->arg, max, list);

	return n > max ? -EOVERFLOW : n;
}

void op_caller(fuse_req_t req, struct fs_caller *out)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	out->uid = ctx->uid;
	out->gid = ctx->gid;
	out->groups = op_groups;
	out->arg = req;
	out->drop_setid = killpriv_wanted();
}

void op_entry_param(const struct fs_entry *e, struct fuse_entry_param *out)
{
	memset(out, 0, sizeof(*out));
	out->ino = (fuse_ino_t)(uintptr_t)e->inode;
	out->attr = e->st;
	out->attr_timeout = e->attr_timeout;
	out->entry_timeout = e->entry_timeout;
}
