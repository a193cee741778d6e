/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory store: objects in an array sorted by key, their bytes in counted
 * blobs that never change, so that a reader keeps what it began with while a
 * writer replaces it. It answers as S3 does: ETags are MD5s with quotes, a
 * part but the last has limits.part_min bytes at least.
 *
 * One lock guards all. It is held over the copying of bytes, which no real
 * store would do, but never over a callback.
 */
#include "memstore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "memstore_impl.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

static const char *const op_names[MEM_OPS] = {
	[MEM_GET] = "get",           [MEM_PUT] = "put",
	[MEM_PART] = "part",         [MEM_PART_COPY] = "part_copy",
	[MEM_COPY] = "copy",         [MEM_HEAD] = "head",
	[MEM_LIST] = "list",         [MEM_STAT] = "stat",
	[MEM_REMOVE] = "remove",     [MEM_OPEN] = "open",
	[MEM_COMPLETE] = "complete", [MEM_ABORT] = "abort",
};

static enum mem_op op_of(const char *name)
{
	unsigned op = 0;

	while (op < MEM_OPS && strcmp(op_names[op], name))
		op++;
	return op;
}

void memstore_fail(struct store *s, const char *op, unsigned n, int rc)
{
	struct memstore *m = memstore_of(s);
	enum mem_op i = op_of(op);

	if (i == MEM_OPS)
		return;
	lock_take(&m->lock);
	mem_locked(m)->faults[i].in = n;
	mem_locked(m)->faults[i].rc = rc;
	lock_drop(&m->lock);
}

int mem_enter(struct memstore *m, enum mem_op op)
{
	struct mem_fault *f;
	int rc = 0;

	lock_take(&m->lock);
	f = &mem_locked(m)->faults[op];
	f->calls++;
	if (f->rc && f->in == 0) {
		rc = f->rc;
	} else if (f->rc && --f->in == 0) {
		rc = f->rc;
		f->rc = 0;
	}
	lock_drop(&m->lock);
	return rc;
}

unsigned memstore_calls(struct store *s, const char *op)
{
	struct memstore *m = memstore_of(s);
	enum mem_op i = op_of(op);
	unsigned calls = 0;

	lock_take(&m->lock);
	if (i < MEM_OPS)
		calls = mem_locked(m)->faults[i].calls;
	lock_drop(&m->lock);
	return calls;
}

void memstore_delay(struct store *s, unsigned ms)
{
	struct memstore *m = memstore_of(s);

	lock_take(&m->lock);
	mem_locked(m)->delay_ms = ms;
	lock_drop(&m->lock);
}

unsigned memstore_uploads(struct store *s)
{
	struct memstore *m = memstore_of(s);
	struct mem_pending *p;
	unsigned n = 0;

	lock_take(&m->lock);
	for (p = mem_locked(m)->pendings; p; p = p->next)
		n++;
	lock_drop(&m->lock);
	return n;
}

static int mem_check(struct store *s, const char *prefix, struct buf *why)
{
	return 0;
}

static int mem_stat(struct store *s, const char *key, struct name_info *out)
{
	struct memstore *m = memstore_of(s);
	char below[STORE_KEY_MAX + 2];
	struct mem_object *o;
	size_t i;
	int rc = mem_enter(m, MEM_STAT);

	if (rc)
		return rc;
	snprintf(below, sizeof(below), "%s/", key);
	lock_take(&m->lock);
	o = mem_find_locked(m, key);
	if (o) {
		out->is_object = true;
		out->info = o->info;
	}
	i = mem_lower_locked(m, below);
	if (i < mem_locked(m)->n_objects) {
		o = &mem_locked(m)->objects[i];
		out->is_prefix = text_starts_with(o->key, below);
		out->has_marker = !strcmp(o->key, below);
	}
	lock_drop(&m->lock);
	return 0;
}

static int mem_head(struct store *s, const char *key,
		    struct object_details *out)
{
	struct memstore *m = memstore_of(s);
	struct mem_object *o;
	int rc = mem_enter(m, MEM_HEAD);

	if (rc)
		return rc;
	lock_take(&m->lock);
	o = mem_find_locked(m, key);
	if (o) {
		out->info = o->info;
		mem_props_tell(o->props, &out->props);
	}
	lock_drop(&m->lock);
	return o ? 0 : -ENOENT;
}

static int mem_put(struct store *s, const char *key,
		   const struct store_body *body, const struct store_meta *meta,
		   const struct store_cond *cond, struct object_info *out)
{
	struct memstore *m = memstore_of(s);
	struct mem_blob *blob = NULL;
	struct mem_props *props = NULL;
	int rc = mem_enter(m, MEM_PUT);

	if (!rc)
		rc = mem_props_of(meta, &props);
	if (!rc)
		rc = mem_blob_read(body, &blob);
	if (rc) {
		free(props);
		return rc;
	}
	lock_take(&m->lock);
	rc = mem_cond_locked(m, key, cond);
	if (!rc)
		rc = mem_store_locked(m, key, blob, "", props, out);
	lock_drop(&m->lock);
	if (rc) {
		mem_blob_unref(blob);
		free(props);
	}
	return rc;
}

/* The object, if it has that ETag (NULL: any). */
static int copy_find_locked(struct memstore *m, const char *from,
			    const char *etag, const struct mem_object **out)
	REQUIRES(&m->lock)
{
	*out = mem_find_locked(m, from);
	if (!*out)
		return -ENOENT;
	return etag && strcmp(etag, (*out)->info.etag) ? -ESTALE : 0;
}

static int copy_to_locked(struct memstore *m, const struct mem_object *o,
			  const char *to, const struct props *props,
			  struct object_info *out) REQUIRES(&m->lock)
{
	char same[STORE_ETAG_SIZE];
	struct mem_blob *blob;
	struct mem_props *kept;
	int rc = mem_props_keep(props, &kept);

	if (rc)
		return rc;
	blob = mem_blob_ref(o->blob);
	/* A new key moves the objects, o among them. */
	memcpy(same, o->info.etag, sizeof(same));
	rc = mem_store_locked(m, to, blob, same, kept, out);
	if (rc) {
		mem_blob_unref(blob);
		free(kept);
	}
	return rc;
}

static int copy_locked(struct memstore *m, const char *from, const char *etag,
		       const char *to, const struct store_retype *retype,
		       const struct store_cond *cond, struct object_info *out)
	REQUIRES(&m->lock)
{
	const struct mem_object *o;
	struct props props;
	int rc = copy_find_locked(m, from, etag, &o);

	if (!rc)
		rc = mem_cond_locked(m, to, cond);
	if (rc)
		return rc;
	mem_props_tell(o->props, &props);
	props_retype(&props, retype);
	return copy_to_locked(m, o, to, &props, out);
}

static int mem_copy_as(struct store *s, const struct store_range *from,
		       const char *to, const struct store_meta *meta,
		       struct object_info *out)
{
	struct memstore *m = memstore_of(s);
	const struct mem_object *o;
	struct props props = { .len = 0 };
	int rc = mem_enter(m, MEM_COPY);

	if (!rc)
		rc = props_of_meta(&props, meta);
	if (rc)
		return rc;
	lock_take(&m->lock);
	rc = copy_find_locked(m, from->key, from->etag, &o);
	if (!rc)
		rc = copy_to_locked(m, o, to, &props, out);
	lock_drop(&m->lock);
	return rc;
}

static int mem_copy(struct store *s, const char *from,
		    const struct object_info *known, const char *to,
		    const struct store_retype *retype,
		    const struct store_cond *cond, struct object_info *out)
{
	const char *etag = known && *known->etag ? known->etag : NULL;
	struct memstore *m = memstore_of(s);
	int rc = mem_enter(m, MEM_COPY);

	if (rc)
		return rc;
	lock_take(&m->lock);
	rc = copy_locked(m, from, etag, to, retype, cond, out);
	lock_drop(&m->lock);
	return rc;
}

static int set_props_locked(struct memstore *m, const char *key,
			    const char *etag, struct mem_props *kept,
			    struct object_info *out) REQUIRES(&m->lock)
{
	struct mem_object *o = mem_find_locked(m, key);

	if (!o)
		return -ENOENT;
	if (strcmp(o->info.etag, etag))
		return -ESTALE;
	free(o->props);
	o->props = kept;
	o->info.mtime = clock_now();
	*out = o->info;
	return 0;
}

static int mem_set_props(struct store *s, const char *key,
			 const struct object_details *now,
			 struct object_info *out)
{
	struct memstore *m = memstore_of(s);
	struct mem_props *kept = NULL;
	int rc = mem_enter(m, MEM_COPY);

	if (!rc)
		rc = mem_props_keep(&now->props, &kept);
	if (rc)
		return rc;
	lock_take(&m->lock);
	rc = set_props_locked(m, key, now->info.etag, kept, out);
	lock_drop(&m->lock);
	if (rc)
		free(kept);
	return rc;
}

static int mem_remove(struct store *s, const char *key,
		      const struct store_cond *cond)
{
	struct memstore *m = memstore_of(s);
	int rc = mem_enter(m, MEM_REMOVE);

	if (rc)
		return rc;
	lock_take(&m->lock);
	rc = cond ? mem_cond_locked(m, key, cond) : 0;
	if (!rc)
		mem_remove_locked(m, key);
	lock_drop(&m->lock);
	return rc == -ENOENT ? 0 : rc;
}

static int mem_remove_many(struct store *s, const char *const *keys, unsigned n,
			   int *results)
{
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		results[i] = mem_remove(s, keys[i], NULL);
		if (!rc)
			rc = results[i];
	}
	return rc;
}

/* A URL that no server answers, in the form of those that one does. */
static int mem_presign(struct store *s, const struct store_presign *req,
		       struct store_presigned *out, struct buf *why)
{
	struct buf url = BUF_INIT(BUF_URL);

	out->expires_at = clock_now_s() + req->expire;
	buf_adds(&url, "mem://store/");
	text_percent_encode(&url, req->key, strlen(req->key), true);
	buf_addf(&url, "?X-Mem-Expires=%lld&X-Mem-Method=%s",
		 (long long)req->expire, out->method);
	for (size_t i = 0; i < req->n_query; i++) {
		buf_addf(&url, "&%s=", req->query[i].name);
		text_percent_encode(&url, req->query[i].value,
				    strlen(req->query[i].value), false);
	}
	out->url = buf_detach(&url);
	if (!out->url)
		return -ENOMEM;
	return store_presign_headers(out, req->headers, req->n_headers);
}

static void mem_locate(struct store *s, const char *key, struct buf *out)
{
	buf_addf(out, "mem://%s/%s", s->name, key);
}

static int mem_describe(struct store *s, struct buf *out)
{
	buf_adds(out, "in memory, for tests");
	return buf_err(out);
}

static void mem_free(struct store *s)
{
	struct memstore *m = memstore_of(s);
	struct mem_pending *p;

	mem_data_stop(m);
	lock_take(&m->lock);
	for (size_t i = 0; i < mem_locked(m)->n_objects; i++) {
		free(mem_locked(m)->objects[i].key);
		free(mem_locked(m)->objects[i].props);
		mem_blob_unref(mem_locked(m)->objects[i].blob);
	}
	free(mem_locked(m)->objects);
	while ((p = mem_locked(m)->pendings)) {
		mem_locked(m)->pendings = p->next;
		mem_pending_free(p);
	}
	lock_drop(&m->lock);
	lock_destroy(&m->lock);
	store_fini(s);
	free(m);
}

static const struct store_ops mem_ops = {
	.kind = "mem",
	.free = mem_free,
	.check = mem_check,
	.stat = mem_stat,
	.head = mem_head,
	.list_open = mem_list_open,
	.list_next = mem_list_next,
	.list_close = mem_list_close,
	.get = mem_get,
	.get_cancel = mem_get_cancel,
	.put = mem_put,
	.upload_open = mem_upload_open,
	.part = mem_part,
	.part_cancel = mem_part_cancel,
	.part_copy = mem_part_copy,
	.upload_complete = mem_upload_complete,
	.upload_abort = mem_upload_abort,
	.upload_free = mem_upload_free,
	.upload_id = mem_upload_id,
	.pending_abort = mem_pending_abort,
	.upload_resume = mem_upload_resume,
	.copy = mem_copy,
	.set_props = mem_set_props,
	.copy_as = mem_copy_as,
	.remove = mem_remove,
	.remove_many = mem_remove_many,
	.presign = mem_presign,
	.locate = mem_locate,
	.describe = mem_describe,
};

struct store *memstore_new(const char *name)
{
	struct memstore *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (store_init(&m->base, &mem_ops, name)) {
		free(m);
		return NULL;
	}
	m->base.identity = strdup("mem");
	m->base.limits = (struct store_limits){
		.put_max = 5 * GIB,
		.part_min = 5 * MIB,
		.parts_max = 10000,
		.object_max = 5 * 1024 * GIB,
		.utf8_keys = true,
		.presign = true,
	};
	lock_init(&m->lock, LOCK_STORE_TEST);
	return &m->base;
}
