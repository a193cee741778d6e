/*
 * A file comes in ranges of CHUNK bytes, as many at once as the crew has
 * hands free; each round of them is complete before the state notes it, so
 * what the state counts has no holes. The first request goes alone: it tells
 * size and ETag where they are not known, and whether there are ranges at all.
 *
 * A small file of known size is one plain GET.
 */
#include "transfer/transfer_get.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/http_engine.h"
#include "transfer/transfer_file.h"
#include "transfer/transfer_local.h"
#include "transfer/transfer_sink.h"

#define CHUNK ((uint64_t)8 << 20)
#define ROUND_MAX 16 /* requests at once for one file */

struct download {
	struct transfer *t;
	struct transfer_job *job;
	struct transfer_sink sink;
	struct object_info info; /* as far as it is known */
	uint64_t done;
	bool whole; /* the server knows no ranges, and has sent all */
};

static uint64_t left(const struct download *d)
{
	return d->info.size == TRANSFER_UNKNOWN ? TRANSFER_UNKNOWN
						: d->info.size - d->done;
}

static int sign(struct download *d, struct transfer_row *row,
		enum http_verb *verb, struct buf *why)
{
	int rc = transfer_call_sign(&d->job->remote, PRESIGN_DOWNLOAD, NULL,
				    row, why);

	return rc ? rc : transfer_call_verb(row, verb, why);
}

static int note(struct download *d, struct buf *why)
{
	struct transfer_state now = { .size = d->info.size, .done = d->done };

	memcpy(now.etag, d->info.etag, sizeof(now.etag));
	return transfer_sink_note(&d->sink, &now, why);
}

/* ---- the first request ---- */

static int ask_first(struct download *d, struct transfer_piece *p,
		     struct buf *why)
{
	struct transfer_row row;
	struct http_reply reply;
	enum http_verb verb;
	uint64_t n = left(d);
	bool ranged = d->done || n == TRANSFER_UNKNOWN || n > CHUNK;
	int rc = sign(d, &row, &verb, why);

	if (!rc) {
		transfer_piece_init(p, d->t, &row, verb);
		p->fd = d->sink.fd;
		p->base = d->sink.base;
		p->offset = d->done;
		p->ranged = ranged;
		p->len = !ranged ? TRANSFER_UNKNOWN : n < CHUNK ? n : CHUNK;
		p->info = d->info;
		/* a listing's ETag need not be the object's own */
		if (!d->done)
			p->info.etag[0] = '\0';
		rc = http_perform(d->job->remote.lane, &p->http, &reply);
		rc = transfer_piece_outcome(p, rc, &reply, why);
		p->row = NULL;
		http_reply_clear(&reply);
	}
	transfer_row_clear(&row);
	return rc;
}

/* An object of no bytes has no range: asked for once more without one. */
static int ask_empty(struct download *d, struct transfer_piece *p,
		     struct buf *why)
{
	buf_reset(why);
	d->info.size = 0;
	return ask_first(d, p, why);
}

static int first(struct download *d, struct buf *why)
{
	struct transfer_piece p = { 0 };
	bool unknown = d->info.size == TRANSFER_UNKNOWN;
	int rc = ask_first(d, &p, why);

	if (rc && p.empty && !d->done && unknown)
		rc = ask_empty(d, &p, why);
	if (rc)
		return rc;
	d->info = p.info;
	d->whole = p.whole;
	d->done = p.offset + p.delivered;
	if (d->info.size == TRANSFER_UNKNOWN && !d->whole) {
		buf_adds(why, "the server does not tell the object's size");
		return -EIO;
	}
	if (d->info.size == TRANSFER_UNKNOWN)
		d->info.size = d->done; /* a body that told no length */
	return note(d, why);
}

/* ---- the rest, in rounds ---- */

static int round_of(struct download *d, struct transfer_piece *p, unsigned n,
		    struct buf *why)
{
	struct http_reply replies[ROUND_MAX];
	struct http_call *calls[ROUND_MAX];
	int results[ROUND_MAX], rc = 0;
	uint64_t done = d->done;

	for (unsigned i = 0; i < n; i++)
		calls[i] = &p[i].http;
	http_perform_all(d->job->remote.lane, calls, replies, results, n);
	for (unsigned i = 0; i < n; i++) {
		if (!rc)
			rc = transfer_piece_outcome(&p[i], results[i],
						    &replies[i], why);
		if (!rc)
			done += p[i].delivered;
		http_reply_clear(&replies[i]);
	}
	/* what came before the first that failed has no hole */
	d->done = done;
	return rc;
}

static int next_round(struct download *d, struct buf *why)
{
	struct transfer_piece pieces[ROUND_MAX];
	unsigned width = transfer_width(d->t), n = 0;
	struct buf noted = BUF_INIT(BUF_MESSAGE);
	struct transfer_row row;
	enum http_verb verb;
	uint64_t at = d->done;
	int rc = sign(d, &row, &verb, why), rc2;

	while (!rc && n < ROUND_MAX && n < width && at < d->info.size) {
		struct transfer_piece *p = &pieces[n++];
		uint64_t rest = d->info.size - at;

		transfer_piece_init(p, d->t, &row, verb);
		p->fd = d->sink.fd;
		p->base = d->sink.base;
		p->offset = at;
		p->len = rest < CHUNK ? rest : CHUNK;
		p->ranged = true;
		p->info = d->info;
		at += p->len;
	}
	if (!rc) {
		rc = round_of(d, pieces, n, why);
		rc2 = note(d, &noted);
		if (!rc && rc2)
			buf_adds(why, buf_str(&noted));
		rc = rc ? rc : rc2;
	}
	buf_clear(&noted);
	transfer_row_clear(&row);
	return rc;
}

/* ---- the file ---- */

/* Goes on where the last run ended, if that is still the same object. */
static void resume(struct download *d)
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

static int start_anew(struct download *d)
{
	transfer_moved(d->t, -(int64_t)d->done);
	d->done = 0;
	d->info = d->job->info;
	return ftruncate(d->sink.fd, 0) ? -errno : 0;
}

static int fetch(struct download *d, struct buf *why)
{
	bool went_on;
	int rc = 0;

	if (transfer_local_is(&d->job->remote))
		return transfer_local_get(d->t, &d->job->remote, &d->sink,
					  &d->info, &d->done, why);
	resume(d);
	went_on = d->done > 0;
	if (!went_on || d->done < d->info.size)
		rc = first(d, why);
	/* What an earlier run began is of another version now. */
	if (rc == -ESTALE && went_on) {
		buf_reset(why);
		rc = start_anew(d);
		if (!rc)
			rc = first(d, why);
	}
	while (!rc && d->done < d->info.size)
		rc = next_round(d, why);
	return rc;
}

static int check_size(struct download *d, struct buf *why)
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
	buf_addf(why, "%llu bytes came of %llu", (unsigned long long)d->done,
		 (unsigned long long)d->info.size);
	return -EIO;
}

/* Is the file that is there the object's bytes already? */
static bool is_there(const struct transfer_job *job)
{
	int fd = open(job->local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
	close(fd);
	return equal;
}

int transfer_get(struct transfer *t, struct transfer_job *job, struct buf *why)
{
	const struct transfer_settings *set = transfer_settings(t);
	struct download d = { .t = t, .job = job, .info = job->info };
	int rc;

	if (set->skip_existing && is_there(job))
		return -EEXIST;
	rc = transfer_sink_open(job->local, set->no_clobber, &d.sink, why);
	if (rc)
		goto out;
	rc = fetch(&d, why);
	if (!rc)
		rc = check_size(&d, why);
	if (!rc)
		rc = transfer_sink_finish(&d.sink, set->no_clobber, why);
out:
	/* Bytes of an object that is gone, or that cannot be known again, are
	 * of no use to the next run. */
	transfer_sink_close(&d.sink, rc && rc != -ESTALE && rc != -EEXIST &&
					     d.done && *d.info.etag);
	return rc;
}
