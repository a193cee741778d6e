/*
 * The upload of a publication: first the server copies what is the base's,
 * several parts at once, then the others are sent, then it is completed.
 *
 * No store keeps a part without bytes for zeros that nobody wrote, and a part
 * can only be copied from an object that is there. So the server copies them
 * from the base's end, if that has as many, as what was grown before has; the
 * others are sent, from a hole of the spill file.
 *
 * The completion is not interrupted: if it were, nobody would know whether the
 * base is still there for another try.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "fs/content/publish_internal.h"
#include "stage/stage.h"
#include "store/store_watch.h"

#define LOOK_FIRST (64U << 10) /* most bases do not end in zeros */
#define LOOK_SIZE (4U << 20)

/* A part, and where in the base the server finds its bytes. */
struct copy {
	unsigned number;
	uint64_t from;
};

struct upload {
	struct publish *publish;
	struct store_upload *store;
	struct copy *copies;
	size_t n_copies;
	struct extent zeros; /* of the base; empty: none are known */
	struct store_part_done *list; /* what completes it */
};

/* True when the store has the part as it is now, or will have. */
static bool under_way(struct file *f, unsigned number)
{
	struct slot *slot;
	bool is;

	lock_take(&f->lock);
	slot = writer_slot_locked(f, number);
	is = slot && (slot->state == SLOT_SENT ||
		      (slot->state == SLOT_SENDING && !slot->stale));
	lock_drop(&f->lock);
	return is;
}

static void set_sent(struct file *f, unsigned number, const char *etag)
{
	struct slot *slot;

	lock_take(&f->lock);
	slot = writer_slot_locked(f, number);
	slot->state = SLOT_SENT;
	slot->stale = false;
	memcpy(slot->etag, etag, sizeof(slot->etag));
	lock_drop(&f->lock);
}

static int copy_part(void *arg, size_t k)
{
	struct upload *u = arg;
	struct publish *p = u->publish;
	struct part_range part;
	struct store_range from = { .key = p->base_key,
				    .etag = publish_etag(p) };
	struct store_part_done done;
	int err = publish_part(p, u->copies[k].number, &part);

	from.offset = u->copies[k].from;
	from.len = part.len;
	err = err ? err
		  : store_part_copy(u->store, part.number, part.start, &from,
				    &done);
	if (!err)
		set_sent(p->file, part.number, done.etag);
	return err == -ENOENT ? -ESTALE : err;
}

/* The base has only zeros in [start, end)? */
static int look_for_zeros(struct publish *p, uint64_t start, uint64_t end,
			  bool *are)
{
	char *bytes = malloc(LOOK_SIZE);
	int err = bytes ? 0 : -ENOMEM;

	*are = true;
	for (uint64_t at = start; !err && *are && at < end; at += LOOK_SIZE) {
		size_t len =
			end - at < LOOK_SIZE ? (size_t)(end - at) : LOOK_SIZE;

		err = publish_get(p, at, bytes, len);
		*are = !err && !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
	}
	free(bytes);
	return err;
}

/* Where the base ends in as many zeros as the longest part has that is to be
 * of zeros, if the server is to make several parts of them. */
static int find_zeros(struct upload *u)
{
	struct publish *p = u->publish;
	uint64_t longest = 0, size = p->base_limit ? p->base.size : 0, last;
	struct part_range part;
	unsigned count = 0;
	bool are;
	int err = 0;

	for (unsigned n = 1; !err && n <= p->n; n++) {
		err = publish_part(p, n, &part);
		if (err || !publish_is(p, &part, FILE_ZERO))
			continue;
		count++;
		if (part.len > longest)
			longest = part.len;
	}
	if (err || count < 2 || size < longest)
		return err;
	last = longest < LOOK_FIRST ? longest : LOOK_FIRST;
	err = look_for_zeros(p, size - last, size, &are);
	if (!err && are)
		err = look_for_zeros(p, size - longest, size - last, &are);
	if (!err && are)
		u->zeros = (struct extent){ size - longest, size };
	/* What cannot be read is not known to be of zeros. */
	return err == -EINTR ? err : 0;
}

/* A part that the server can copy? */
static bool can_copy(struct upload *u, const struct part_range *part,
		     struct copy *out)
{
	struct publish *p = u->publish;

	out->number = part->number;
	out->from = part->start;
	if (part->number != p->n &&
	    part->len < file_store(p->file)->limits.part_min)
		return false;
	if (publish_is(p, part, FILE_BASE))
		return true;
	out->from = u->zeros.start;
	return part->len <= u->zeros.end - u->zeros.start &&
	       publish_is(p, part, FILE_ZERO);
}

/* Copies what can be copied. A store that cannot copy parts is sent them. */
static int copy_all(struct upload *u)
{
	struct publish *p = u->publish;
	struct part_range part;
	int err = 0;

	u->copies = calloc(p->n, sizeof(*u->copies));
	err = u->copies ? find_zeros(u) : -ENOMEM;
	for (unsigned n = 1; !err && n <= p->n; n++) {
		if (under_way(p->file, n))
			continue;
		err = publish_part(p, n, &part);
		if (!err && can_copy(u, &part, &u->copies[u->n_copies])) {
			u->n_copies++;
			/* A stale one must not land after the copy. */
			err = writer_wait_part(p->file, n);
		}
	}
	if (!err && u->n_copies)
		err = crew_run(CREW_MAX, u->n_copies, copy_part, u, true);
	return err == -ENOTSUP ? 0 : err;
}

static int send_part(struct publish *p, unsigned number)
{
	struct part_range part;
	struct store_body body;
	int err;

	if (under_way(p->file, number))
		return 0;
	/* A stale one of that number must not land after the new one. */
	err = writer_wait_part(p->file, number);
	err = err ? err : publish_part(p, number, &part);
	err = err ? err : writer_wait_room(p->file);
	err = err ? err : publish_body(p, &part, &body);
	return err ? err : writer_send(p->file, &part, &body);
}

/* What a part has failed with, which is then forgotten. */
static int part_error(struct file *f)
{
	int err;

	lock_take(&f->lock);
	err = file_locked(f)->part_err;
	file_locked(f)->part_err = 0;
	lock_drop(&f->lock);
	return err;
}

/* Sends what the store does not have; parts that had failed before too. */
static int send_all(struct publish *p)
{
	int err = 0;

	part_error(p->file);
	for (unsigned n = 1; !err && n <= p->n; n++)
		err = send_part(p, n);
	return err ? err : writer_wait_all(p->file);
}

/* The list that completes the upload; -EAGAIN when parts are missing. */
static int list_parts(struct upload *u)
{
	struct publish *p = u->publish;
	int err = 0;

	lock_take(&p->file->lock);
	for (unsigned n = 1; !err && n <= p->n; n++) {
		struct slot *slot = writer_slot_locked(p->file, n);

		u->list[n - 1].number = n;
		if (slot && slot->state == SLOT_SENT)
			memcpy(u->list[n - 1].etag, slot->etag,
			       sizeof(slot->etag));
		else
			err = -EAGAIN;
	}
	lock_drop(&p->file->lock);
	return err;
}

static int complete(void *arg, size_t k)
{
	struct upload *u = arg;
	struct publish *p = u->publish;

	return STORE_OWN(store_upload_complete(u->store, u->list, p->n, NULL,
					       &p->result));
}

static struct store_upload *open_upload(struct file *f)
{
	struct store_upload *u;

	lock_take(&f->lock);
	u = file_locked(f)->upload;
	lock_drop(&f->lock);
	return u;
}

static int run(struct upload *u)
{
	struct publish *p = u->publish;
	int err = 0;

	if (!open_upload(p->file))
		err = writer_open(p->file, p->key);
	u->store = open_upload(p->file);
	err = err ? err : writer_slot_need(p->file, p->n);
	err = err ? err : copy_all(u);
	err = err ? err : send_all(p);
	err = err ? err : list_parts(u);
	if (err == -EAGAIN) {
		/* A part that left before and has failed is sent once more. */
		err = send_all(p);
		err = err ? err : list_parts(u);
	}
	if (err == -EAGAIN) {
		err = part_error(p->file);
		err = err ? err : -EIO;
	}
	return err ? err : crew_run(1, 1, complete, u, false);
}

int publish_parts(struct publish *p)
{
	struct upload u = { .publish = p };
	int err;

	u.list = calloc(p->n, sizeof(*u.list));
	err = u.list ? run(&u) : -ENOMEM;
	if (!err)
		writer_completed(p->file);
	free(u.copies);
	free(u.list);
	return err;
}
