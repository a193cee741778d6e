/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data calls of the memory store. Without a delay they end before the call
 * that starts them returns; with one they wait in a queue for the store's own
 * thread, which is started by the first of them. A call in the queue is found
 * by its caller's structure, so a cancel that comes after done() finds
 * nothing and touches nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/waiter.h"
#include "memstore_impl.h"

#define PIECE ((size_t)16 << 10) /* bytes come in such, as from a socket */

static void do_get(struct memstore *m, struct store_get *get, int rc)
{
	struct mem_blob *blob = NULL;
	struct object_info info = { 0 };
	struct mem_object *o;
	size_t n;

	lock_take(&m->lock);
	o = mem_find_locked(m, get->key);
	if (!rc && !o) {
		rc = get->etag ? -ESTALE : -ENOENT;
	} else if (!rc && get->etag && strcmp(get->etag, o->info.etag)) {
		rc = -ESTALE;
	} else if (!rc) {
		blob = mem_blob_ref(o->blob);
		info = o->info;
		if (get->props) {
			mem_props_tell(o->props, get->props);
			get->has_props = true;
		}
	}
	lock_drop(&m->lock);
	if (blob && get->offset < blob->n) {
		n = blob->n - get->offset;
		if (n > get->len)
			n = get->len;
		for (size_t at = 0; at < n; at += PIECE)
			get->data(get, blob->bytes + get->offset + at,
				  n - at < PIECE ? n - at : PIECE);
	}
	mem_blob_unref(blob);
	get->done(get, rc, &info);
}

static void do_part(struct store_part *part, int rc)
{
	struct mem_blob *blob = NULL;
	char etag[STORE_ETAG_SIZE];

	if (!rc)
		rc = mem_blob_read(&part->body, &blob);
	if (!rc)
		rc = mem_upload_part(part->upload, part->number, blob, etag);
	if (rc)
		mem_blob_unref(blob);
	else
		memcpy(part->etag, etag, sizeof(etag));
	part->done(part, rc);
}

static void run_job(struct memstore *m, struct mem_job *j)
{
	int rc = j->cancelled ? -ECANCELED : j->rc;

	if (j->get)
		do_get(m, j->get, rc);
	else
		do_part(j->part, rc);
	free(j);
}

/* The first job whose time has come; else how long to sleep. */
static struct mem_job *take_job_locked(struct memstore *m, int64_t *until_ms)
	REQUIRES(&m->lock)
{
	struct mem_job **at = &mem_locked(m)->jobs;
	int64_t now = clock_mono_ms();

	*until_ms = WAIT_FOREVER;
	for (; *at; at = &(*at)->next) {
		struct mem_job *j = *at;

		if (j->cancelled || mem_locked(m)->stop || j->due_ms <= now) {
			j->cancelled |= mem_locked(m)->stop;
			*at = j->next;
			return j;
		}
		if (j->due_ms < *until_ms)
			*until_ms = j->due_ms;
	}
	return NULL;
}

static void *worker(void *arg)
{
	struct memstore *m = arg;
	struct waiter *self = waiter_self();
	bool stop = false;

	while (!stop) {
		struct mem_job *j;
		int64_t until_ms;

		lock_take(&m->lock);
		mem_locked(m)->worker = self;
		j = take_job_locked(m, &until_ms);
		stop = !j && mem_locked(m)->stop;
		lock_drop(&m->lock);
		if (j)
			run_job(m, j);
		else if (!stop)
			waiter_park(self, until_ms);
	}
	return NULL;
}

static int queue_locked(struct memstore *m, struct mem_job *j)
	REQUIRES(&m->lock)
{
	struct mem_job **at = &mem_locked(m)->jobs;

	if (!mem_locked(m)->running) {
		if (thread_start(&m->thread, "memstore", worker, m))
			return -EAGAIN;
		mem_locked(m)->running = true;
	}
	while (*at)
		at = &(*at)->next;
	*at = j;
	if (mem_locked(m)->worker)
		waiter_unpark(mem_locked(m)->worker);
	return 0;
}

/* Puts the call off; false: it is to be done now. */
static bool put_off(struct memstore *m, struct store_get *get,
		    struct store_part *part, int rc)
{
	struct mem_job *j = NULL;
	bool queued = false;
	unsigned delay_ms;

	lock_take(&m->lock);
	delay_ms = mem_locked(m)->delay_ms;
	if (delay_ms)
		j = calloc(1, sizeof(*j));
	if (j) {
		j->due_ms = clock_mono_ms() + delay_ms;
		j->get = get;
		j->part = part;
		j->rc = rc;
		queued = queue_locked(m, j) == 0;
	}
	lock_drop(&m->lock);
	if (!queued)
		free(j);
	return queued;
}

void mem_get(struct store *s, struct store_get *get)
{
	struct memstore *m = memstore_of(s);
	int rc = mem_enter(m, MEM_GET);

	if (!put_off(m, get, NULL, rc))
		do_get(m, get, rc);
}

void mem_part(struct store_part *part)
{
	struct memstore *m = memstore_of(part->upload->store);
	int rc = mem_enter(m, MEM_PART);

	if (!put_off(m, NULL, part, rc))
		do_part(part, rc);
}

static void cancel(struct memstore *m, const struct store_get *get,
		   const struct store_part *part)
{
	struct mem_job *j;

	lock_take(&m->lock);
	for (j = mem_locked(m)->jobs; j; j = j->next) {
		if (j->get == get && j->part == part) {
			j->cancelled = true;
			if (mem_locked(m)->worker)
				waiter_unpark(mem_locked(m)->worker);
		}
	}
	lock_drop(&m->lock);
}

void mem_get_cancel(struct store *s, struct store_get *get)
{
	cancel(memstore_of(s), get, NULL);
}

void mem_part_cancel(struct store_part *part)
{
	cancel(memstore_of(part->upload->store), NULL, part);
}

void mem_data_stop(struct memstore *m)
{
	bool running;

	lock_take(&m->lock);
	running = mem_locked(m)->running;
	mem_locked(m)->stop = true;
	if (mem_locked(m)->worker)
		waiter_unpark(mem_locked(m)->worker);
	lock_drop(&m->lock);
	if (running)
		pthread_join(m->thread, NULL);
}
