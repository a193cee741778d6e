/*
 * Who wrote what is not published yet: the last few threads, and the process of
 * each. Those of a process that has ended make room first.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fs/content/file_internal.h"

bool file_writer_known(struct file *f, pid_t thread)
{
	const struct file_writers *w;
	bool known = false;

	lock_take(&f->lock);
	w = &file_locked(f)->writers;
	for (unsigned k = 0; k < w->n && !known; k++)
		known = w->thread[k] == thread;
	lock_drop(&f->lock);
	return known;
}

static unsigned room(struct file_writers *w)
{
	if (w->n < FILE_WRITERS)
		return w->n++;
	for (unsigned k = 0; k < FILE_WRITERS; k++)
		if (kill(w->process[k], 0) && errno == ESRCH)
			return k;
	return w->oldest++ % FILE_WRITERS;
}

void file_writer_add(struct file *f, pid_t thread, pid_t process)
{
	struct file_writers *w;
	unsigned k;

	lock_take(&f->lock);
	w = &file_locked(f)->writers;
	k = room(w);
	w->thread[k] = thread;
	w->process[k] = process;
	lock_drop(&f->lock);
}

unsigned file_writers(struct file *f, pid_t out[FILE_WRITERS])
{
	unsigned n;

	lock_take(&f->lock);
	n = file_locked(f)->writers.n;
	memcpy(out, file_locked(f)->writers.process, n * sizeof(*out));
	lock_drop(&f->lock);
	return n;
}
