/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfuse does the rest: what has no function here is answered by ENOSYS. Only
 * names are asked for before anything is made of them, so looking one up is
 * what says that the place is busy.
 */
#define FUSE_USE_VERSION 312
#include "fuse/guard.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mountinfo.h"
#include "base/thread.h"

struct guard {
	struct fuse_session *se;
	char *mountpoint;
	char device[32];
	pthread_t thread;
};

static void guard_lookup(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	fuse_reply_err(req, EBUSY);
}

static void guard_opendir(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	fuse_reply_err(req, EBUSY);
}

static void guard_getattr(fuse_req_t req, fuse_ino_t ino,
			  struct fuse_file_info *fi)
{
	const struct stat st = { .st_ino = FUSE_ROOT_ID,
				 .st_mode = S_IFDIR | 0555,
				 .st_nlink = 2,
				 .st_uid = geteuid(),
				 .st_gid = getegid() };

	fuse_reply_attr(req, &st, 1);
}

static const struct fuse_lowlevel_ops guard_ops = {
	.lookup = guard_lookup,
	.getattr = guard_getattr,
	.opendir = guard_opendir,
};

static void *guard_run(void *arg)
{
	struct guard *g = arg;

	fuse_session_loop(g->se);
	return NULL;
}

static int guard_mount(struct guard *g)
{
	char *argv[] = { (char *)"stagefs", (char *)"-o",
			 (char *)"subtype=stagefs-ending,fsname=stagefs,"
				 "nosuid,nodev,ro",
			 NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct mountinfo_place place;

	g->se = fuse_session_new(&args, &guard_ops, sizeof(guard_ops), NULL);
	fuse_opt_free_args(&args);
	if (!g->se || fuse_session_mount(g->se, g->mountpoint))
		return -EIO;
	if (mountinfo_at(g->mountpoint, &place))
		strcpy(g->device, place.device);
	return thread_start(&g->thread, "guard", guard_run, g);
}

struct guard *guard_new(const char *mountpoint)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->mountpoint = strdup(mountpoint);
	if (g->mountpoint && !guard_mount(g))
		return g;
	if (g->se) {
		fuse_session_unmount(g->se);
		fuse_session_destroy(g->se);
	}
	free(g->mountpoint);
	free(g);
	return NULL;
}

void guard_free(struct guard *g, int (*detach)(const char *mountpoint))
{
	struct mountinfo_place place;

	if (!g)
		return;
	if (mountinfo_at(g->mountpoint, &place) &&
	    !strcmp(place.device, g->device) && !detach(g->mountpoint)) {
		pthread_join(g->thread, NULL);
		/* The kernel has let go, and libfuse sees it: it unmounts
		 * nothing, and frees what it has. */
		fuse_session_unmount(g->se);
		fuse_session_destroy(g->se);
		free(g->mountpoint);
		free(g);
		return;
	}
	/* Its thread has it as long as the process lives. */
	log_warn("%s: something was mounted over the place while the mount "
		 "ended; a dead mount stays below it",
		 g->mountpoint);
}
