/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: the caller, which finds jobs, `parallel` workers, and one that
 * watches: it takes SIGINT and SIGTERM, which are blocked everywhere else,
 * and shows the progress. An interrupt reaches workers by their waiters, so
 * that a job ends its requests, and an upload under way is given up.
 *
 *   OPEN --transfer_end()--> CLOSED, jobs left are done
 *     \--signal--> STOPPED, jobs left are dropped
 *
 * Everything that a person reads goes to stderr under the lock `speech`, so
 * that the progress line is wiped before a message and drawn behind it.
 */
#include "transfer/transfer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/number.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "client/message.h"
#include "client/table.h"
#include "stage/stage.h"
#include "store/store.h"

#define QUEUE_MAX 4096 /* jobs */
#define TICK_MS 200
/* A signal to a process and to its group comes twice; a person who means it
 * takes longer, and then ends the cleaning up as well. */
#define ECHO_MS 1000

enum phase { OPEN, CLOSED, STOPPED };

struct transfer_locked {
	enum phase phase;
	struct transfer_job *queue;
	unsigned n_queue, busy;
	struct waiter_list idle; /* workers without a job */
	struct waiter_list full; /* the caller, with more than fits */
	struct waiter *all[TRANSFER_PARALLEL_MAX + 1]; /* to interrupt */
	unsigned n_all;
	struct transfer_count count;
};

struct transfer {
	struct transfer_settings set;
	pthread_t watcher, workers[TRANSFER_PARALLEL_MAX];
	unsigned n_workers;
	sigset_t before;
	struct table *rows; /* of a dry run, or JSON; or NULL */
	bool terminal;
	bool watching;
	int64_t began_ms;
	int64_t moved; /* atomic: bytes */
	int64_t paced_ms; /* atomic: when the next bytes may travel */
	struct lock speech;
	struct lock lock;
	struct transfer_locked guarded_;
};

LOCK_GUARDS(transfer_locked, transfer, transfer_locked);

void transfer_job_free(struct transfer_job *job)
{
	if (!job)
		return;
	transfer_remote_clear(&job->remote);
	transfer_remote_clear(&job->to);
	free(job->local);
	free(job);
}

const struct transfer_settings *transfer_settings(const struct transfer *t)
{
	return &t->set;
}

void transfer_moved(struct transfer *t, int64_t bytes)
{
	__atomic_add_fetch(&t->moved, bytes, __ATOMIC_RELAXED);
}

unsigned transfer_width(struct transfer *t)
{
	unsigned busy;

	busy = LOCK_UNDER(&t->lock, transfer_locked(t)->busy);
	return busy < t->set.parallel
		       ? (unsigned)t->set.parallel / (busy ? busy : 1)
		       : 1;
}

int transfer_pace(struct transfer *t, uint64_t bytes)
{
	int64_t now = clock_mono_ms(), begin, next;

	if (!t->set.rate || !bytes)
		return 0;
	begin = __atomic_load_n(&t->paced_ms, __ATOMIC_RELAXED);
	do {
		next = number_max(begin, now) +
		       (int64_t)((double)bytes * 1000 / (double)t->set.rate);
	} while (!__atomic_compare_exchange_n(&t->paced_ms, &begin, next, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	while (clock_mono_ms() < begin)
		if (waiter_park(waiter_self(), begin) == -EINTR)
			return -EINTR;
	return 0;
}

static void transfer_count(struct transfer *t, struct transfer_count *out)
{
	int64_t moved = __atomic_load_n(&t->moved, __ATOMIC_RELAXED);

	lock_take(&t->lock);
	*out = transfer_locked(t)->count;
	out->all_found = transfer_locked(t)->phase != OPEN;
	lock_drop(&t->lock);
	out->moved = moved > 0 ? moved : 0;
	out->elapsed_ms = clock_mono_ms() - t->began_ms;
}

/* ---- what a person reads ---- */

static void transfer_wipe_line(const struct transfer *t)
{
	if (t->terminal)
		fputs("\r\033[K", stderr);
}

static void transfer_show(struct transfer *t)
{
	struct winsize size = { .ws_col = 80 };
	BUF_LOCAL line = BUF_INIT(BUF_MESSAGE);
	struct transfer_count c;

	if (!t->terminal)
		return;
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	transfer_count(t, &c);
	transfer_progress_line(&c, size.ws_col > 1 ? size.ws_col - 1 : 79,
			       &line);
	lock_take(&t->speech);
	transfer_wipe_line(t);
	fputs(buf_str(&line), stderr);
	fflush(stderr);
	lock_drop(&t->speech);
}

void transfer_fail(struct transfer *t, const char *why, const char *what, ...)
{
	BUF_LOCAL line = BUF_INIT(2 * BUF_MESSAGE);
	va_list ap;

	va_start(ap, what);
	buf_vaddf(&line, what, ap);
	va_end(ap);
	LOCK_DO(&t->lock, transfer_locked(t)->count.failed++);
	lock_take(&t->speech);
	transfer_wipe_line(t);
	message(buf_str(&line), why);
	lock_drop(&t->speech);
}

static bool transfer_job_is_upload(const struct transfer_job *job)
{
	return job->action == TRANSFER_UPLOAD;
}

static const char *transfer_job_what(const struct transfer_job *job)
{
	static const char *const words[] = { "download", "upload", "copy",
					     "remove" };

	return words[job->action];
}

static const char *transfer_job_from(const struct transfer_job *job)
{
	return job->action == TRANSFER_REMOVE ? ""
	       : transfer_job_is_upload(job)  ? job->local
					      : job->remote.label;
}

static const char *transfer_job_to(const struct transfer_job *job)
{
	bool remote = transfer_job_is_upload(job) ||
		      (job->action == TRANSFER_REMOVE && job->remote.label);

	return remote ? job->remote.label : job->local;
}

bool transfer_failed(struct transfer *t)
{
	return LOCK_UNDER(&t->lock, transfer_locked(t)->count.failed);
}

static void transfer_say_failure(struct transfer *t,
				 const struct transfer_job *job,
				 const char *why)
{
	if (job->action == TRANSFER_REMOVE)
		transfer_fail(t, why, "cannot remove %s", transfer_job_to(job));
	else
		transfer_fail(t, why, "cannot %s %s to %s",
			      transfer_job_what(job), transfer_job_from(job),
			      transfer_job_to(job));
}

/* ---- what a program reads ---- */

static const struct table_column rows_dry[] = {
	{ "from", TABLE_TEXT },
	{ "to", TABLE_TEXT },
	{ "size", TABLE_TEXT },
};
static const struct table_column rows_json[] = {
	{ "from", TABLE_TEXT },   { "to", TABLE_TEXT },
	{ "size", TABLE_NUMBER }, { "status", TABLE_TEXT },
	{ "error", TABLE_TEXT },
};

static int transfer_rows_open(struct transfer *t)
{
	if (t->set.json)
		t->rows = table_new(stdout, TABLE_NDJSON, false, rows_json, 5);
	else if (t->set.dry_run)
		t->rows = table_new(stdout, TABLE_AUTO, false, rows_dry, 3);
	else
		return 0;
	return t->rows ? 0 : -ENOMEM;
}

/* status: what became of it; error: why, or NULL. */
static void transfer_row(struct transfer *t, const struct transfer_job *job,
			 const char *status, const char *error)
{
	uint64_t size = job->info.size;
	BUF_LOCAL text = BUF_INIT(64);

	if (!t->rows)
		return;
	if (size != TRANSFER_UNKNOWN)
		buf_addf(&text, "%llu", (unsigned long long)size);
	lock_take(&t->speech);
	table_row(
		t->rows,
		(const struct table_value[5]){
			{ .text = t->set.json || job->action != TRANSFER_REMOVE
					  ? transfer_job_from(job)
					  : "(remove)" },
			{ .text = transfer_job_to(job) },
			{ .text = buf_str(&text),
			  .number = size == TRANSFER_UNKNOWN ? 0 : size },
			{ .text = status },
			{ .text = error },
		});
	lock_drop(&t->speech);
}

/* ---- workers ---- */

/* The next job; NULL: there will be none. */
static struct transfer_job *transfer_take_job(struct transfer *t)
{
	struct transfer_job *job;
	struct transfer_locked *g;

	lock_take(&t->lock);
	g = transfer_locked(t);
	WAITER_LIST_UNTIL(&g->idle, &t->lock, false,
			  g->queue || g->phase != OPEN);
	job = g->queue;
	if (job) {
		DL_DELETE(g->queue, job);
		g->n_queue--;
		g->busy++;
		snprintf(g->count.current, sizeof(g->count.current), "%s",
			 job->action == TRANSFER_UPLOAD ? job->local
						     : job->remote.label ?: "");
		waiter_list_wake(&g->full);
	}
	lock_drop(&t->lock);
	return job;
}

static void transfer_job_over(struct transfer *t, int rc)
{
	struct transfer_locked *g;

	lock_take(&t->lock);
	g = transfer_locked(t);
	g->busy--;
	if (!rc)
		g->count.done++;
	else if (rc == -EEXIST)
		g->count.skipped++;
	lock_drop(&t->lock);
}

/* Of a move, when its bytes have arrived: only the object that they are. */
static int transfer_remove_source(struct transfer_job *job, struct buf *why)
{
	const struct transfer_remote *r = &job->remote;
	int rc;

	if (transfer_job_is_upload(job))
		rc = unlink(job->local) ? -errno : 0;
	else if (*job->info.etag)
		rc = store_remove_same(r->stage->store, r->key, job->info.etag);
	else
		rc = store_remove(r->stage->store, r->key);
	if (rc)
		buf_addf(why, "it has arrived, but %s cannot be removed: %s",
			 transfer_job_from(job), strerror(-rc));
	return rc;
}

static void transfer_enlist(struct transfer *t)
{
	struct transfer_locked *g;

	lock_take(&t->lock);
	g = transfer_locked(t);
	g->all[g->n_all++] = waiter_self();
	lock_drop(&t->lock);
}

/* A waiter ends with its thread. */
static void transfer_delist(struct transfer *t)
{
	struct transfer_locked *g;

	lock_take(&t->lock);
	g = transfer_locked(t);
	for (unsigned i = 0; i < g->n_all; i++)
		if (g->all[i] == waiter_self())
			g->all[i--] = g->all[--g->n_all];
	lock_drop(&t->lock);
}

static const char *transfer_job_status(const struct transfer_job *job, int rc)
{
	if (rc)
		return rc == -EEXIST ? "skipped" : "failed";
	return job->action == TRANSFER_REMOVE ? "removed" : "done";
}

static void transfer_do(struct transfer *t, struct transfer_job *job)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = job->run(t, job, &why);

	if (rc == -EEXIST && why.len)
		rc = -EIO; /* it was not meant: a failure */
	if (!rc && job->move && !job->directory)
		rc = transfer_remove_source(job, &why);
	if (rc && rc != -EEXIST) {
		if (!why.len)
			buf_adds(&why, strerror(-rc));
		transfer_say_failure(t, job, buf_str(&why));
	}
	transfer_row(t, job, transfer_job_status(job, rc),
		     text_given(buf_str(&why)));
	transfer_job_over(t, rc);
}

static void *transfer_worker(void *arg)
{
	struct transfer *t = arg;
	struct transfer_job *job;

	waiter_begin(waiter_self());
	transfer_enlist(t);
	while ((job = transfer_take_job(t))) {
		transfer_do(t, job);
		transfer_job_free(job);
	}
	transfer_delist(t);
	return NULL;
}

/* ---- the watcher ---- */

static void transfer_stop(struct transfer *t)
{
	struct transfer_job *dropped;
	struct transfer_locked *g;

	lock_take(&t->lock);
	g = transfer_locked(t);
	g->phase = STOPPED;
	g->count.interrupted = true;
	dropped = g->queue;
	g->queue = NULL;
	g->n_queue = 0;
	for (unsigned i = 0; i < g->n_all; i++)
		waiter_interrupt(g->all[i]);
	waiter_list_wake(&g->idle);
	waiter_list_wake(&g->full);
	lock_drop(&t->lock);
	while (dropped) {
		struct transfer_job *job = dropped;

		dropped = job->next;
		transfer_job_free(job);
	}
}

/* What is ignored (nohup, a job in the background) stays ignored. */
static void transfer_signals(sigset_t *out)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction now;

	sigemptyset(out);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!sigaction(ends[i], NULL, &now) &&
		    now.sa_handler != SIG_IGN)
			sigaddset(out, ends[i]);
	sigaddset(out, SIGUSR1); /* transfer_end()'s word that it is over */
}

static void *transfer_watcher(void *arg)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	struct transfer *t = arg;
	int64_t again_ms = 0;
	sigset_t set;
	int sig;

	transfer_signals(&set);
	while ((sig = sigtimedwait(&set, NULL, &tick)) != SIGUSR1) {
		if (sig <= 0) {
			transfer_show(t);
		} else if (clock_mono_ms() >= again_ms) {
			transfer_stop(t);
			again_ms = clock_mono_ms() + ECHO_MS;
		}
	}
	return NULL;
}

/* ---- life ---- */

int transfer_new(const struct transfer_settings *set, struct transfer **out)
{
	struct transfer *t = calloc(1, sizeof(*t));
	sigset_t block;
	int rc;

	if (!t)
		return -ENOMEM;
	t->set = *set;
	if (!t->set.workers)
		t->set.workers = (unsigned)t->set.parallel;
	t->terminal = !set->quiet && !set->dry_run && isatty(STDERR_FILENO);
	t->began_ms = clock_mono_ms();
	lock_init(&t->speech, LOCK_SPEECH);
	lock_init(&t->lock, LOCK_TRANSFER);
	transfer_signals(&block);
	sigaddset(&block, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &block, &t->before);
	transfer_enlist(t); /* the caller's own waits end on a signal as well */
	rc = transfer_rows_open(t);
	if (!rc)
		rc = thread_start(&t->watcher, "watch", transfer_watcher, t);
	t->watching = !rc;
	while (!rc && t->n_workers < t->set.workers) {
		rc = thread_start(&t->workers[t->n_workers], "transfer",
				  transfer_worker, t);
		t->n_workers += !rc;
	}
	if (t->n_workers)
		rc = 0; /* some are enough */
	*out = t;
	if (rc) {
		struct transfer_count none;

		transfer_end(t, &none);
		*out = NULL;
	}
	return rc;
}

void transfer_skip(struct transfer *t, struct transfer_job *job)
{
	if (t->set.json) /* a dry run's table has what would be done */
		transfer_row(t, job, "skipped", NULL);
	lock_take(&t->lock);
	transfer_locked(t)->count.found++;
	transfer_locked(t)->count.skipped++;
	lock_drop(&t->lock);
	transfer_job_free(job);
}

int transfer_add(struct transfer *t, struct transfer_job *job)
{
	struct transfer_locked *g;
	int rc = 0;

	if (t->set.dry_run) {
		transfer_row(t, job,
			     job->action == TRANSFER_REMOVE ? "remove"
							    : "planned",
			     NULL);
		transfer_job_free(job);
		return 0;
	}
	lock_take(&t->lock);
	g = transfer_locked(t);
	WAITER_LIST_UNTIL(&g->full, &t->lock, false,
			  g->n_queue < QUEUE_MAX || g->phase == STOPPED);
	if (g->phase == STOPPED) {
		rc = -EINTR;
	} else {
		DL_APPEND(g->queue, job);
		g->n_queue++;
		g->count.found++;
		if (job->info.size != TRANSFER_UNKNOWN)
			g->count.found_bytes += job->info.size;
		waiter_list_wake(&g->idle);
	}
	lock_drop(&t->lock);
	if (rc)
		transfer_job_free(job);
	return rc;
}

static void transfer_close_queue(struct transfer *t)
{
	lock_take(&t->lock);
	if (transfer_locked(t)->phase == OPEN)
		transfer_locked(t)->phase = CLOSED;
	waiter_list_wake(&transfer_locked(t)->idle);
	lock_drop(&t->lock);
}

void transfer_end(struct transfer *t, struct transfer_count *out)
{
	BUF_LOCAL sum = BUF_INIT(BUF_MESSAGE);

	transfer_close_queue(t);
	for (unsigned i = 0; i < t->n_workers; i++)
		pthread_join(t->workers[i], NULL);
	if (t->watching) {
		pthread_kill(t->watcher, SIGUSR1);
		pthread_join(t->watcher, NULL);
	}
	transfer_count(t, out);
	if (t->rows && table_end(t->rows))
		out->failed++;
	if (t->terminal) {
		transfer_progress_sum(out, &sum);
		transfer_wipe_line(t);
		fprintf(stderr, "%s\n", buf_str(&sum));
	}
	pthread_sigmask(SIG_SETMASK, &t->before, NULL);
	waiter_begin(waiter_self());
	lock_destroy(&t->speech);
	lock_destroy(&t->lock);
	free(t);
}
