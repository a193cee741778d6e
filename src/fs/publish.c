/*
 * Making the store's object what one reads now. One part is one PUT; more are
 * an upload, of whose parts
 *
 *   those that left while the program wrote and are not stale stay,
 *   those that are the base's, byte for byte, are copied by the server,
 *   the others are sent: from the tail, or from the spill file, into which
 *   the base's share of them is fetched first.
 *
 * A failure aborts the upload and keeps the bytes, so that the next publish
 * may succeed; only bytes that are nowhere else (`lost`) make it final. An
 * interrupt keeps the upload as well, for the next publish to go on with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fs/file_internal.h"
#include "stage/stage.h"

#define FETCH_SIZE (1U << 20)

/* A publication under way. */
struct job {
	struct file *file;
	const char *key;
	uint64_t size;
	unsigned n; /* parts */
	bool copies; /* the server copies parts */
	char *base_key; /* its own, as are the base's facts */
	struct object_info base;
	struct object_info result;
};

/* The part of that number, as long as it is now. */
static int part_of(struct job *j, unsigned number, struct part_range *part)
{
	int err = part_numbered(j->file->stage->part_size, number, part);

	if (!err && part->start + part->len > j->size)
		part->len = j->size - part->start;
	return err;
}

static enum file_kind kind_at(struct file *f, uint64_t at, uint64_t end,
			      uint64_t *run_end)
{
	enum file_kind kind;

	lock_take(&f->lock);
	kind = file_kind_locked(f, at, end, run_end);
	lock_drop(&f->lock);
	return kind;
}

/* Bytes of the base, into the spill file. */
static int fetch(struct job *j, uint64_t at, uint64_t end)
{
	const char *etag = j->base.etag[0] ? j->base.etag : NULL;
	char *bytes = malloc(FETCH_SIZE);
	int err = bytes ? 0 : -ENOMEM;

	while (!err && at < end) {
		size_t len =
			end - at < FETCH_SIZE ? (size_t)(end - at) : FETCH_SIZE;
		size_t n = 0;

		err = store_get_sync(file_store(j->file), j->base_key, etag, at,
				     bytes, len, &n, NULL);
		if (err == -ENOENT || (!err && n < len))
			err = -ESTALE;
		err = err ? err : file_keep(j->file, at, bytes, len);
		at += len;
	}
	free(bytes);
	return err;
}

static int lost_for_good(struct file *f)
{
	lock_take(&f->lock);
	file_locked(f)->sticky = true;
	lock_drop(&f->lock);
	file_log(f, LOG_LEVEL_ERROR, -EIO,
		 "cannot upload again what was uploaded and not kept: the disk "
		 "of the spill directory was full");
	return -EIO;
}

/* All of the part is in the spill file afterwards. */
static int fill(struct job *j, const struct part_range *part,
		struct store_body *body)
{
	uint64_t end = part->start + part->len, run_end;
	struct file_spill *s;
	int err = file_spill_need(j->file, &s);

	for (uint64_t at = part->start; !err && at < end; at = run_end) {
		switch (kind_at(j->file, at, end, &run_end)) {
		case FILE_BASE:
			err = fetch(j, at, run_end);
			break;
		case FILE_ZERO:
			err = spill_zero(&s->spill, at, run_end);
			break;
		case FILE_LOST:
			err = lost_for_good(j->file);
			break;
		case FILE_TAIL: /* it is a part of its own */
		case FILE_SPILL:
			break;
		}
	}
	if (!err)
		*body = (struct store_body){ .fd = s->spill.fd,
					     .offset = part->start,
					     .len = part->len };
	return err;
}

static int body_of(struct job *j, const struct part_range *part,
		   struct store_body *body)
{
	struct tail t = file_tail(j->file);

	if (t.mem && t.part.number == part->number)
		*body = (struct store_body){ .data = t.mem, .len = part->len };
	else if (!part->len)
		*body = (struct store_body){ .data = "", .len = 0 };
	else
		return fill(j, part, body);
	return 0;
}

static int put_whole(struct job *j)
{
	struct part_range part = { .number = 1, .len = j->size };
	struct store_body body;
	int err = body_of(j, &part, &body);

	return err ? err
		   : store_put(file_store(j->file), j->key, &body, NULL, NULL,
			       &j->result);
}

static void sent(struct file *f, unsigned number, const char *etag)
{
	struct slot *slot;

	lock_take(&f->lock);
	slot = writer_slot_locked(f, number);
	slot->state = SLOT_SENT;
	slot->stale = false;
	memcpy(slot->etag, etag, sizeof(slot->etag));
	lock_drop(&f->lock);
}

/* 0: the server has copied the part; -ENOTSUP: it is to be sent. */
static int copy_part(struct job *j, const struct part_range *part)
{
	uint64_t end = part->start + part->len, run_end;
	struct store_part_done done;
	struct store_upload *u;
	int err;

	if (!j->copies ||
	    kind_at(j->file, part->start, end, &run_end) != FILE_BASE ||
	    run_end < end)
		return -ENOTSUP;
	if (part->number < j->n &&
	    part->len < file_store(j->file)->limits.part_min)
		return -ENOTSUP;
	lock_take(&j->file->lock);
	u = file_locked(j->file)->upload;
	lock_drop(&j->file->lock);
	err = store_part_copy(u, part->number, j->base_key,
			      j->base.etag[0] ? j->base.etag : NULL,
			      part->start, part->len, &done);
	if (err == -ENOTSUP)
		j->copies = false;
	else if (err == -ENOENT)
		err = -ESTALE;
	if (!err)
		sent(j->file, part->number, done.etag);
	return err;
}

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

static int send_part(struct job *j, unsigned number)
{
	struct part_range part;
	struct store_body body;
	int err;

	if (under_way(j->file, number))
		return 0;
	/* A stale one of that number must not land after the new one. */
	err = writer_wait_part(j->file, number);
	err = err ? err : writer_slot_need(j->file, number);
	err = err ? err : part_of(j, number, &part);
	if (err)
		return err;
	err = copy_part(j, &part);
	if (err != -ENOTSUP)
		return err;
	err = writer_wait_room(j->file);
	err = err ? err : body_of(j, &part, &body);
	return err ? err : writer_send(j->file, &part, &body);
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
static int send_all(struct job *j)
{
	int err = 0;

	part_error(j->file);
	for (unsigned n = 1; !err && n <= j->n; n++)
		err = send_part(j, n);
	return err ? err : writer_wait_all(j->file, false);
}

/* The list that completes the upload; -EAGAIN when parts are missing. */
static int list_parts(struct job *j, struct store_part_done *list)
{
	int err = 0;

	lock_take(&j->file->lock);
	for (unsigned n = 1; !err && n <= j->n; n++) {
		struct slot *slot = writer_slot_locked(j->file, n);

		list[n - 1].number = n;
		if (slot && slot->state == SLOT_SENT)
			memcpy(list[n - 1].etag, slot->etag,
			       sizeof(slot->etag));
		else
			err = -EAGAIN;
	}
	lock_drop(&j->file->lock);
	return err;
}

static int upload_parts(struct job *j)
{
	struct store_part_done *list = calloc(j->n, sizeof(*list));
	struct store_upload *u;
	int err = list ? 0 : -ENOMEM;

	lock_take(&j->file->lock);
	u = file_locked(j->file)->upload;
	lock_drop(&j->file->lock);
	if (!err && !u)
		err = writer_open(j->file, j->key);
	/* A part that left before and fails now is sent once more. */
	err = err ? err : send_all(j);
	err = err ? err : list_parts(j, list);
	if (err == -EAGAIN) {
		err = send_all(j);
		err = err ? err : list_parts(j, list);
	}
	if (err == -EAGAIN) {
		err = part_error(j->file);
		err = err ? err : -EIO;
	}
	if (!err) {
		lock_take(&j->file->lock);
		u = file_locked(j->file)->upload;
		lock_drop(&j->file->lock);
		err = store_upload_complete(u, list, j->n, NULL, &j->result);
	}
	if (!err)
		writer_completed(j->file);
	free(list);
	return err;
}

/* What the publication begins with; false: it cannot succeed. */
static int look(struct job *j, bool *moved, bool *whole)
{
	struct file *f = j->file;
	struct file_locked *g;
	int err = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	j->size = g->size;
	j->n = parts_count(f->stage->part_size, g->size);
	j->base = g->base;
	j->copies = true;
	if (g->base_key)
		j->base_key = strdup(g->base_key);
	if (g->base_key && !j->base_key)
		err = -ENOMEM;
	*moved = g->upload && strcmp(g->upload->key, j->key);
	*whole = j->n == 1 && !g->lost.n;
	if (g->sticky)
		err = -EIO;
	lock_drop(&f->lock);
	if (!err && j->n > PARTS_MAX)
		err = -EFBIG;
	return err;
}

static bool is_sticky(struct file *f)
{
	bool sticky;

	lock_take(&f->lock);
	sticky = file_locked(f)->sticky;
	lock_drop(&f->lock);
	return sticky;
}

static int publish(struct job *j)
{
	struct file *f = j->file;
	char *key = strdup(j->key);
	bool moved, whole;
	int err = key ? look(j, &moved, &whole) : -ENOMEM;

	if (!err && moved) {
		writer_give_up(f);
		err = is_sticky(f) ? lost_for_good(f) : 0;
	}
	if (!err)
		err = whole ? put_whole(j) : upload_parts(j);
	if (!err) {
		writer_give_up(f); /* one that was begun and not needed */
		j->result.size = j->size;
		file_forget(f, &j->result, key);
		inode_published(f->env->tree, f->inode, &j->result);
		key = NULL;
	} else if (err == -EINTR) {
		/* They send from memory that is written to from now on. */
		writer_wait_all(f, true);
	} else {
		writer_give_up(f);
	}
	free(key);
	free(j->base_key);
	return err;
}

static bool is_clean(struct file *f)
{
	bool clean;

	lock_take(&f->lock);
	clean = file_locked(f)->state == FILE_CLEAN;
	lock_drop(&f->lock);
	return clean;
}

/* With the turn. */
static enum file_state publish_turn(struct file *f, const char *key, int *err)
{
	struct job j = { .file = f, .key = key };
	bool orphan;

	lock_take(&f->lock);
	orphan = file_locked(f)->orphan;
	lock_drop(&f->lock);
	if (orphan) {
		writer_give_up(f);
		return FILE_DIRTY;
	}
	*err = publish(&j);
	return *err ? FILE_DIRTY : FILE_CLEAN;
}

int file_publish(struct file *f)
{
	struct buf key = BUF_INIT(STORE_KEY_MAX + 1);
	enum file_state before;
	bool begun = false;
	int err;

	if (is_clean(f))
		return 0;
	err = tree_publish_begin(f->env->tree, f->inode, &key);
	if (err == -ENOENT) {
		file_orphan(f);
		err = 0;
	} else if (!err) {
		begun = true;
	}
	err = err ? err : file_begin(f, FILE_PUBLISHING, &before);
	if (!err) {
		if (before == FILE_DIRTY)
			before = publish_turn(f, buf_str(&key), &err);
		file_end(f, before);
	}
	if (begun)
		tree_publish_end(f->env->tree, f->inode);
	buf_clear(&key);
	return err;
}
