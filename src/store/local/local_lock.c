/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional writes hold between processes by a lock on one byte of
 * `.stagefs/locks`, at the hash of the key. It belongs to an open file (OFD),
 * so it holds between threads too, ends with its process, and leaves nothing
 * to clean; two keys of one hash merely wait for each other.
 *
 * The lock is asked for again and again rather than slept for in the kernel:
 * a thread that waits can be interrupted, and does not wait for ever for a
 * process that was stopped.
 */
#include "store/local/local_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/waiter.h"
#include "store/local/local_folder.h"

#define PATIENCE_MS 60000
#define PAUSE_MAX_MS 8

static off_t local_lock_place(const char *key)
{
	return hash_string(HASH_START, key) >> 1;
}

static int local_lock_take(int fd, off_t at)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = at == INT64_MAX ? 0 : at,
		.l_len = 1,
	};
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct waiter *self = waiter_self();
	int64_t pause_ms = 1;

	while (fcntl(fd, F_OFD_SETLK, &lock)) {
		int64_t now_ms = clock_mono_ms();

		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		if (now_ms >= until_ms)
			return -ETIMEDOUT;
		if (waiter_park(self, now_ms + pause_ms) == -EINTR)
			return -EINTR;
		if (pause_ms < PAUSE_MAX_MS)
			pause_ms *= 2;
	}
	return 0;
}

int local_lock_keys(struct local *l, const char *one, const char *two)
{
	off_t a = local_lock_place(one), b = two ? local_lock_place(two) : a;
	int fd = local_folder_locks(l), rc;

	if (fd < 0)
		return fd;
	rc = local_lock_take(fd, a < b ? a : b);
	if (!rc && a != b)
		rc = local_lock_take(fd, a < b ? b : a);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}
