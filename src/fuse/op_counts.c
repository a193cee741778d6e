/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a thread works for is its own; counters are the process's, as its
 * session is. Requests without an answer (forget) are counted as they come.
 */
#include "fuse/op_counts.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

#define OPCODES 64 /* of <linux/fuse.h>: 1 to 52 today; 0: any other */
#define LABELS_SIZE 64

static const char *const names[OPCODES] = {
	[0] = "other",
	[FUSE_LOOKUP] = "lookup",
	[FUSE_FORGET] = "forget",
	[FUSE_GETATTR] = "getattr",
	[FUSE_SETATTR] = "setattr",
	[FUSE_READLINK] = "readlink",
	[FUSE_SYMLINK] = "symlink",
	[FUSE_MKNOD] = "mknod",
	[FUSE_MKDIR] = "mkdir",
	[FUSE_UNLINK] = "unlink",
	[FUSE_RMDIR] = "rmdir",
	[FUSE_RENAME] = "rename",
	[FUSE_LINK] = "link",
	[FUSE_OPEN] = "open",
	[FUSE_READ] = "read",
	[FUSE_WRITE] = "write",
	[FUSE_STATFS] = "statfs",
	[FUSE_RELEASE] = "release",
	[FUSE_FSYNC] = "fsync",
	[FUSE_SETXATTR] = "setxattr",
	[FUSE_GETXATTR] = "getxattr",
	[FUSE_LISTXATTR] = "listxattr",
	[FUSE_REMOVEXATTR] = "removexattr",
	[FUSE_FLUSH] = "flush",
	[FUSE_INIT] = "init",
	[FUSE_OPENDIR] = "opendir",
	[FUSE_READDIR] = "readdir",
	[FUSE_RELEASEDIR] = "releasedir",
	[FUSE_FSYNCDIR] = "fsyncdir",
	[FUSE_ACCESS] = "access",
	[FUSE_CREATE] = "create",
	[FUSE_INTERRUPT] = "interrupt",
	[FUSE_DESTROY] = "destroy",
	[FUSE_BATCH_FORGET] = "batch_forget",
	[FUSE_FALLOCATE] = "fallocate",
	[FUSE_READDIRPLUS] = "readdirplus",
	[FUSE_RENAME2] = "rename2",
	[FUSE_LSEEK] = "lseek",
	[FUSE_COPY_FILE_RANGE] = "copy_file_range",
};

/* How a request has ended. */
enum op_end { OP_OK, OP_ABSENT, OP_INTERRUPTED, OP_ERROR, OP_ENDS };
static const char *const ends[OP_ENDS] = { "ok", "absent", "interrupted",
					   "error" };

static struct {
	metric begun;
	metric ended[OP_ENDS];
	struct metric_times took;
} counts[OPCODES];

static __thread struct {
	uint64_t unique; /* 0: nothing */
	uint64_t node;
	uint32_t pid;
	unsigned op; /* a place in the tables */
	uint64_t since_us;
} current;

void op_counts_begin(const void *request, size_t len)
{
	struct fuse_in_header h;

	current.unique = 0;
	if (len < sizeof(h))
		return;
	memcpy(&h, request, sizeof(h));
	current.op = h.opcode < OPCODES && names[h.opcode] ? h.opcode : 0;
	current.unique = h.unique;
	current.node = h.nodeid;
	current.pid = h.pid;
	current.since_us = clock_mono_us();
	metric_add(&counts[current.op].begun, 1);
}

/* A name that is known to be absent is an entry without a node. */
static bool op_counts_is_absent(const struct iovec *body)
{
	struct fuse_entry_out entry;

	if (current.op != FUSE_LOOKUP || body->iov_len < sizeof(entry))
		return false;
	memcpy(&entry, body->iov_base, sizeof(entry));
	return !entry.nodeid;
}

static enum op_end op_counts_how(int32_t error, const struct iovec *body)
{
	switch (-error) {
	case 0:
		return body && op_counts_is_absent(body) ? OP_ABSENT : OP_OK;
	case ENOENT:
	case ENODATA:
		return OP_ABSENT;
	case EINTR:
		return OP_INTERRUPTED;
	default:
		return OP_ERROR;
	}
}

void op_counts_end(const struct iovec *answer, int count)
{
	struct fuse_out_header h;
	uint64_t us;

	memcpy(&h, answer->iov_base, sizeof(h));
	/* What the kernel is told unasked has the number 0. */
	if (!h.unique || h.unique != current.unique)
		return;
	us = clock_mono_us() - current.since_us;
	metric_add(&counts[current.op].ended[op_counts_how(
			   h.error, count > 1 ? answer + 1 : NULL)],
		   1);
	metric_observe(&counts[current.op].took, us);
	log_debug("fuse %llu: %s of node %llx by process %u: %s, %llu us",
		  (unsigned long long)h.unique, names[current.op],
		  (unsigned long long)current.node, current.pid,
		  h.error ? strerrorname_np(-h.error) : "ok",
		  (unsigned long long)us);
	current.unique = 0;
}

void op_counts_write(struct buf *out)
{
	char labels[LABELS_SIZE];

	metric_head(out, "fuse_requests_total", "counter",
		    "Requests of the kernel, by operation.");
	for (unsigned i = 0; i < OPCODES; i++) {
		if (!metric_get(&counts[i].begun))
			continue;
		snprintf(labels, sizeof(labels), "op=\"%s\"", names[i]);
		metric_value(out, "fuse_requests_total", labels,
			     metric_get(&counts[i].begun));
	}
	metric_head(out, "fuse_answers_total", "counter",
		    "Answers to the kernel, by operation and result (absent: "
		    "no such name or attribute).");
	for (unsigned i = 0; i < OPCODES; i++)
		for (unsigned k = 0; k < OP_ENDS; k++) {
			if (!metric_get(&counts[i].ended[k]))
				continue;
			snprintf(labels, sizeof(labels),
				 "op=\"%s\",result=\"%s\"", names[i], ends[k]);
			metric_value(out, "fuse_answers_total", labels,
				     metric_get(&counts[i].ended[k]));
		}
	metric_head(out, "fuse_seconds", "histogram",
		    "Time from a request of the kernel to its answer.");
	for (unsigned i = 0; i < OPCODES; i++) {
		if (!metric_times_count(&counts[i].took))
			continue;
		snprintf(labels, sizeof(labels), "op=\"%s\"", names[i]);
		metric_write_times(out, "fuse_seconds", labels,
				   &counts[i].took);
	}
}
