/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file, from the far side to a name of this machine. It comes in ranges of
 * CHUNK bytes, as many at once as there are requests to spare; each round of
 * them is complete before the state notes it, so what the state counts has no
 * holes. The first request goes alone: it tells size and ETag where they are
 * not known, and whether there are ranges at all. Later ones are of that ETag,
 * so bytes of two versions never meet.
 *
 * A server that knows no ranges sends the whole object whatever is asked for:
 * what is larger than a chunk is asked for whole then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/number.h"
#include "base/waiter.h"
#include "store/store.h"
#include "transfer/transfer.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_local.h"
#include "transfer/transfer_sink.h"

#define CHUNK ((uint64_t)8 << 20)
#define CHUNK_MIN ((uint64_t)64 << 10)
#define ROUND_MAX 16 /* requests at once for one file */
#define WHOLE_TRIES 3 /* of what cannot go on where it broke off */

struct download {
	struct transfer *t;
	struct transfer_job *job;
	struct transfer_sink sink;
	struct object_info info; /* as far as it is known */
	uint64_t done;
	struct waiter *waiter; /* of the thread that waits for pieces */
	unsigned coming; /* atomic: pieces that have not ended */
	bool failed; /* atomic: what comes is not wanted any more */
};

/* A range of it, by one request. What is not atomic is the store's thread's
 * until the piece has ended. */
struct piece {
	struct store_get get; /* first */
	struct download *d;
	uint64_t delivered; /* bytes of the range that are in the file */
	int write_rc;
	bool longer; /* more came than the object is known to have */
	int rc;
	struct object_info info;
};

/* With a limit a request is a second's worth. */
static uint64_t get_chunk(const struct download *d)
{
	uint64_t rate = transfer_settings(d->t)->rate;

	return rate ? number_min(CHUNK, number_max(rate, CHUNK_MIN)) : CHUNK;
}

static uint64_t get_left(const struct download *d)
{
	return d->info.size == TRANSFER_UNKNOWN ? TRANSFER_UNKNOWN
						: d->info.size - d->done;
}

static int get_note(struct download *d, struct buf *why)
{
	return transfer_sink_note(&d->sink, &d->info, d->done, why);
}

/* ---- pieces ---- */

static void get_piece_data(struct store_get *get, const void *bytes, size_t n)
{
	struct piece *p = (struct piece *)get;
	struct download *d = p->d;
	uint64_t at = get->offset + p->delivered - d->sink.base;

	p->longer |= d->info.size != TRANSFER_UNKNOWN &&
		     get->offset + p->delivered + n > d->info.size;
	if (!p->write_rc && !p->longer)
		p->write_rc = io_pwrite(d->sink.fd, bytes, n, at);
	if (p->write_rc || p->longer) {
		__atomic_store_n(&d->failed, true, __ATOMIC_RELEASE);
		waiter_unpark(d->waiter);
		return;
	}
	p->delivered += n;
	transfer_moved(d->t, (int64_t)n);
}

static void get_piece_done(struct store_get *get, int rc,
			   const struct object_info *info)
{
	struct piece *p = (struct piece *)get;
	struct download *d = p->d;
	struct waiter *waiter = d->waiter;

	p->rc = rc;
	p->info = *info;
	__atomic_sub_fetch(&d->coming, 1, __ATOMIC_ACQ_REL);
	waiter_unpark(waiter);
}

static void get_piece_init(struct piece *p, struct download *d, uint64_t offset,
			   uint64_t len)
{
	*p = (struct piece){
		.get = { .key = d->job->remote.key,
			 .etag = *d->info.etag ? d->info.etag : NULL,
			 .offset = offset,
			 .len = len,
			 .data = get_piece_data,
			 .done = get_piece_done },
		.d = d,
	};
}

/* Sleeps until all have ended. An interrupt, and a disk that takes no more,
 * cancel them. */
static void get_pieces_wait(struct download *d, struct piece *p, unsigned n)
{
	bool cancelled = false;

	while (__atomic_load_n(&d->coming, __ATOMIC_ACQUIRE)) {
		int rc = cancelled ? waiter_park_uninterrupted(d->waiter,
							       WAIT_FOREVER)
				   : waiter_park(d->waiter, WAIT_FOREVER);

		if (cancelled ||
		    (rc != -EINTR &&
		     !__atomic_load_n(&d->failed, __ATOMIC_ACQUIRE)))
			continue;
		cancelled = true;
		for (unsigned i = 0; i < n; i++)
			store_get_cancel(d->job->remote.store, &p[i].get);
	}
}

static int get_piece_outcome(const struct piece *p, struct buf *why)
{
	struct download *d = p->d;
	int rc = p->rc;

	if (p->write_rc) {
		buf_addf(why, "cannot write: %s", strerror(-p->write_rc));
		return p->write_rc;
	}
	if (p->longer)
		return buf_fail(why, -EIO,
				"the answer is longer than the object");
	if (rc == -ECANCELED && waiter_interrupted(d->waiter))
		rc = -EINTR;
	if (!rc && p->info.size != TRANSFER_UNKNOWN &&
	    d->info.size != TRANSFER_UNKNOWN && p->info.size != d->info.size)
		rc = -ESTALE;
	return rc ? transfer_remote_fail(&d->job->remote, rc, why) : 0;
}

/* One after the other in the file. What came before the first that failed has
 * no hole, and counts. */
static int get_pieces_get(struct download *d, struct piece *p, unsigned n,
			  struct buf *why)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = transfer_pace(d->t, number_min(p[i].get.len, get_left(d)));
	if (rc)
		return transfer_remote_fail(&d->job->remote, rc, why);
	d->waiter = waiter_self();
	d->coming = n;
	d->failed = false;
	for (unsigned i = 0; i < n; i++)
		store_get(d->job->remote.store, &p[i].get);
	get_pieces_wait(d, p, n);
	for (unsigned i = 0; i < n && !rc; i++) {
		rc = get_piece_outcome(&p[i], why);
		if (!rc)
			d->done += p[i].delivered;
	}
	return rc;
}

/* ---- the first request ---- */

static int get_start_anew(struct download *d)
{
	transfer_moved(d->t, -(int64_t)d->done);
	d->done = 0;
	return ftruncate(d->sink.fd, 0) ? -errno : 0;
}

static void get_learn_etag(struct download *d, const struct piece *p)
{
	if (*p->info.etag)
		memcpy(d->info.etag, p->info.etag, sizeof(d->info.etag));
}

/* By one request without a range: what is small, and from a server that knows
 * no ranges. */
static int get_whole(struct download *d, struct buf *why)
{
	struct piece p;
	int rc = 0;

	for (int tries = 1; tries <= WHOLE_TRIES; tries++) {
		buf_reset(why);
		rc = get_start_anew(d);
		if (rc)
			break;
		get_piece_init(&p, d, 0, STORE_GET_ALL);
		rc = get_pieces_get(d, &p, 1, why);
		if (!rc || rc == -EINTR || p.write_rc || !p.delivered ||
		    *p.info.etag)
			break;
		d->done = p.delivered;
	}
	if (!rc)
		get_learn_etag(d, &p);
	if (!rc && d->info.size == TRANSFER_UNKNOWN)
		d->info.size = d->done;
	return rc;
}

/* What the answer says of the object. */
static int get_learn(struct download *d, const struct piece *p, struct buf *why)
{
	get_learn_etag(d, p);
	if (p->info.size != TRANSFER_UNKNOWN)
		d->info.size = p->info.size;
	if (p->get.whole && d->done < d->info.size)
		return get_whole(d, why);
	if (d->info.size == TRANSFER_UNKNOWN)
		return buf_fail(why, -EIO,
				"the server does not tell the object's size");
	return 0;
}

static int get_first(struct download *d, struct buf *why)
{
	struct piece p;
	int rc;

	/* a listing's ETag need not be the object's own */
	if (!d->done)
		d->info.etag[0] = '\0';
	if (!d->done && d->info.size <= get_chunk(d)) {
		rc = get_whole(d, why);
	} else {
		get_piece_init(&p, d, d->done,
			       number_min(get_left(d), get_chunk(d)));
		rc = get_pieces_get(d, &p, 1, why);
		if (!rc)
			rc = get_learn(d, &p, why);
	}
	return rc ? rc : get_note(d, why);
}

/* ---- the rest, in rounds ---- */

static int get_round(struct download *d, struct buf *why)
{
	struct piece pieces[ROUND_MAX];
	unsigned width = transfer_width(d->t), n = 0;
	BUF_LOCAL noted = BUF_INIT(BUF_MESSAGE);
	uint64_t at = d->done, end;
	int rc, note_rc;

	while (n < ROUND_MAX && n < width && at < d->info.size) {
		uint64_t len = number_min(d->info.size - at, get_chunk(d));

		get_piece_init(&pieces[n++], d, at, len);
		at += len;
	}
	end = at;
	rc = get_pieces_get(d, pieces, n, why);
	if (!rc && d->done != end)
		rc = buf_fail(
			why, -EIO,
			"the answer has not the bytes that were asked for");
	note_rc = get_note(d, &noted);
	if (!rc && note_rc) {
		buf_adds(why, buf_str(&noted));
		rc = note_rc;
	}
	return rc;
}

/* ---- the file ---- */

/* Goes on where the last run ended, if that is still the same object. */
static void get_resume(struct download *d)
{
	struct transfer_sink *s = &d->sink;

	if (s->out_fd >= 0)
		return;
	d->done = transfer_state_resume(&s->saved, s->part_bytes, &d->info);
	if (d->done) {
		memcpy(d->info.etag, s->saved.etag, sizeof(d->info.etag));
		d->info.size = s->saved.size;
		transfer_moved(d->t, (int64_t)d->done);
	}
}

static int get_fetch(struct download *d, struct buf *why)
{
	bool went_on;
	int rc = 0;

	if (transfer_local_is(&d->job->remote))
		return transfer_local_get(d->t, &d->job->remote, &d->sink,
					  &d->info, &d->done, why);
	get_resume(d);
	went_on = d->done > 0;
	if (!went_on || d->done < d->info.size)
		rc = get_first(d, why);
	/* What an earlier run began is of another version now. */
	if (rc == -ESTALE && went_on) {
		buf_reset(why);
		rc = get_start_anew(d);
		d->info = d->job->info;
		if (!rc)
			rc = get_first(d, why);
	}
	while (!rc && d->done < d->info.size)
		rc = get_round(d, why);
	return rc;
}

static int get_check_size(struct download *d, struct buf *why)
{
	struct stat st;

	if (d->sink.out_fd >= 0)
		return 0;
	/* a round that failed in an earlier run may have left more */
	if (ftruncate(d->sink.fd, (off_t)d->info.size) ||
	    fstat(d->sink.fd, &st))
		return -errno;
	if (d->done == d->info.size && (uint64_t)st.st_size == d->info.size)
		return 0;
	return buf_fail(why, -EIO, "%llu bytes came of %llu",
			(unsigned long long)d->done,
			(unsigned long long)d->info.size);
}

/* Is the file that is there the object's bytes already? */
static bool get_is_there(const struct transfer_job *job)
{
	FD_LOCAL fd = open(job->local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool equal = false;
	struct stat st;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    (transfer_local_is(&job->remote)
		     ? transfer_local_equal(&job->remote, fd, st.st_size,
					    &equal)
		     : transfer_file_equal(fd, st.st_size,
					   job->remote.part_size, &job->info,
					   &equal)))
		equal = false;
	return equal;
}

int transfer_get(struct transfer *t, struct transfer_job *job, struct buf *why)
{
	const struct transfer_settings *set = transfer_settings(t);
	struct download d = { .t = t, .job = job, .info = job->info };
	int rc = transfer_remote_open(&job->remote, why);

	if (rc)
		return rc;
	if (set->skip_existing && get_is_there(job))
		return -EEXIST;
	rc = transfer_sink_open(job->local, set->no_clobber, &d.sink, why);
	if (!rc)
		rc = get_fetch(&d, why);
	if (!rc)
		rc = get_check_size(&d, why);
	if (!rc)
		rc = transfer_sink_finish(&d.sink, set->no_clobber, why);
	if (!rc) /* of what has come: the caller may remove it */
		memcpy(job->info.etag, d.info.etag, sizeof(job->info.etag));
	/* Bytes of an object that is gone, or that cannot be known again, are
	 * of no use to the next run. */
	transfer_sink_close(&d.sink, rc && rc != -ESTALE && rc != -EEXIST &&
					     d.done && *d.info.etag);
	return rc;
}
