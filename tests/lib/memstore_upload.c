/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads of the memory store. An upload belongs to the store until
 * it is completed or aborted; the caller's handle knows it by its id, so what
 * another one did to it shows as "no such upload" (-EIO), as with a server.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "memstore_impl.h"

struct mem_upload {
	struct store_upload base;
	char *id;
};

static struct mem_upload *upload_of(struct store_upload *u)
{
	return (struct mem_upload *)u;
}

void mem_pending_free(struct mem_pending *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n_parts; i++)
		mem_blob_unref(p->parts[i].blob);
	free(p->parts);
	free(p->props);
	free(p->key);
	free(p->id);
	free(p);
}

static struct mem_pending **find_locked(struct memstore *m, const char *key,
					const char *id) REQUIRES(&m->lock)
{
	struct mem_pending **at = &mem_locked(m)->pendings;

	while (*at && (strcmp((*at)->id, id) || strcmp((*at)->key, key)))
		at = &(*at)->next;
	return at;
}

static int begin(struct memstore *m, const char *key,
		 const struct store_meta *meta, char **id)
{
	struct mem_pending *p = calloc(1, sizeof(*p));
	char name[32];
	int rc = p ? mem_props_of(meta, &p->props) : -ENOMEM;

	if (rc) {
		free(p);
		return rc;
	}
	p->key = strdup(key);
	lock_take(&m->lock);
	snprintf(name, sizeof(name), "upload-%u", ++mem_locked(m)->next_id);
	p->id = strdup(name);
	*id = strdup(name);
	if (p->key && p->id && *id) {
		p->next = mem_locked(m)->pendings;
		mem_locked(m)->pendings = p;
		p = NULL;
	}
	lock_drop(&m->lock);
	if (!p)
		return 0;
	mem_pending_free(p);
	free(*id);
	*id = NULL;
	return -ENOMEM;
}

int mem_upload_open(struct store *s, const char *key,
		    const struct store_meta *meta, struct store_upload **out)
{
	struct memstore *m = memstore_of(s);
	struct mem_upload *u;
	int rc = mem_enter(m, MEM_OPEN);

	if (rc)
		return rc;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->base.store = s;
	u->base.key = strdup(key);
	rc = u->base.key ? begin(m, key, meta, &u->id) : -ENOMEM;
	if (rc)
		mem_upload_free(&u->base);
	else
		*out = &u->base;
	return rc;
}

static int set_part_locked(struct mem_pending *p, unsigned number,
			   struct mem_blob *blob,
			   const char etag[STORE_ETAG_SIZE])
{
	struct mem_part *parts;
	unsigned i = 0;

	while (i < p->n_parts && p->parts[i].number < number)
		i++;
	if (i == p->n_parts || p->parts[i].number != number) {
		parts = realloc(p->parts, (p->n_parts + 1) * sizeof(*parts));
		if (!parts)
			return -ENOMEM;
		p->parts = parts;
		memmove(parts + i + 1, parts + i,
			(p->n_parts - i) * sizeof(*parts));
		p->n_parts++;
	} else {
		mem_blob_unref(p->parts[i].blob);
	}
	p->parts[i].number = number;
	p->parts[i].blob = blob;
	memcpy(p->parts[i].etag, etag, STORE_ETAG_SIZE);
	return 0;
}

int mem_upload_part(struct store_upload *u, unsigned number,
		    struct mem_blob *blob, char etag[STORE_ETAG_SIZE])
{
	struct memstore *m = memstore_of(u->store);
	struct mem_pending *p;
	int rc;

	mem_etag(blob, etag);
	lock_take(&m->lock);
	p = *find_locked(m, u->key, upload_of(u)->id);
	rc = p ? set_part_locked(p, number, blob, etag) : -EIO;
	lock_drop(&m->lock);
	return rc;
}

int mem_part_copy(struct store_upload *u, unsigned number, uint64_t at,
		  const struct store_range *range, struct store_part_done *out)
{
	struct memstore *m = memstore_of(u->store);
	struct mem_blob *from = NULL, *blob = NULL;
	const struct mem_object *o;
	int rc = mem_enter(m, MEM_PART_COPY);

	if (rc)
		return rc;
	lock_take(&m->lock);
	o = mem_find_locked(m, range->key);
	if (!o)
		rc = -ENOENT;
	else if (range->etag && strcmp(range->etag, o->info.etag))
		rc = -ESTALE;
	else if (range->offset > o->blob->n ||
		 range->len > o->blob->n - range->offset)
		rc = -EINVAL;
	else
		from = mem_blob_ref(o->blob);
	lock_drop(&m->lock);
	if (from) {
		blob = mem_blob_new(range->len);
		if (blob)
			memcpy(blob->bytes, from->bytes + range->offset,
			       range->len);
		rc = blob ? mem_upload_part(u, number, blob, out->etag)
			  : -ENOMEM;
		if (rc)
			mem_blob_unref(blob);
	}
	mem_blob_unref(from);
	return rc;
}

static const struct mem_part *part_of(const struct mem_pending *p,
				      const struct store_part_done *done)
{
	for (unsigned i = 0; i < p->n_parts; i++)
		if (p->parts[i].number == done->number &&
		    !strcmp(p->parts[i].etag, done->etag))
			return &p->parts[i];
	return NULL;
}

/* The parts as one blob, with the ETag that S3 gives it. */
static int join(const struct memstore *m, const struct mem_pending *p,
		const struct store_part_done *parts, unsigned n,
		struct mem_blob **out, char etag[STORE_ETAG_SIZE])
{
	struct digest *d = digest_new(DIGEST_MD5);
	unsigned char sum[SHA256_SIZE];
	char hex[2 * MD5_SIZE + 1];
	size_t size = 0;
	int rc = d ? 0 : -ENOMEM;

	for (unsigned i = 0; !rc && i < n; i++) {
		const struct mem_part *part = part_of(p, &parts[i]);

		if (!part)
			rc = -EIO;
		else if (i + 1 < n && part->blob->n < m->base.limits.part_min)
			rc = -EINVAL;
		else
			size += part->blob->n;
	}
	*out = rc ? NULL : mem_blob_new(size);
	if (!rc && !*out)
		rc = -ENOMEM;
	size = 0;
	for (unsigned i = 0; !rc && i < n; i++) {
		const struct mem_blob *b = part_of(p, &parts[i])->blob;

		memcpy((*out)->bytes + size, b->bytes, b->n);
		size += b->n;
		md5(b->bytes, b->n, sum);
		digest_add(d, sum, MD5_SIZE);
	}
	if (d)
		digest_end(d, sum);
	hex_encode(sum, MD5_SIZE, hex);
	snprintf(etag, STORE_ETAG_SIZE, "\"%s-%u\"", hex, n);
	return rc;
}

int mem_upload_complete(struct store_upload *u,
			const struct store_part_done *parts, unsigned n,
			const struct store_cond *cond, struct object_info *out)
{
	struct memstore *m = memstore_of(u->store);
	struct mem_pending **at, *p = NULL;
	struct mem_blob *blob = NULL;
	char etag[STORE_ETAG_SIZE];
	int rc = mem_enter(m, MEM_COMPLETE);

	if (rc)
		return rc;
	lock_take(&m->lock);
	at = find_locked(m, u->key, upload_of(u)->id);
	rc = *at ? mem_cond_locked(m, u->key, cond) : -EIO;
	if (!rc)
		rc = join(m, *at, parts, n, &blob, etag);
	rc = rc ? rc
		: mem_store_locked(m, u->key, blob, etag, (*at)->props, out);
	if (!rc) {
		p = *at;
		p->props = NULL;
		*at = p->next;
	} else {
		mem_blob_unref(blob);
	}
	lock_drop(&m->lock);
	mem_pending_free(p);
	return rc;
}

static int abort_upload(struct memstore *m, const char *key, const char *id)
{
	struct mem_pending **at, *p;
	int rc = mem_enter(m, MEM_ABORT);

	if (rc)
		return rc;
	lock_take(&m->lock);
	at = find_locked(m, key, id);
	p = *at;
	if (p)
		*at = p->next;
	lock_drop(&m->lock);
	mem_pending_free(p);
	return 0;
}

int mem_upload_abort(struct store_upload *u)
{
	return abort_upload(memstore_of(u->store), u->key, upload_of(u)->id);
}

void mem_upload_free(struct store_upload *u)
{
	free(upload_of(u)->id);
	free(u->key);
	free(u);
}

const char *mem_upload_id(struct store_upload *u)
{
	return upload_of(u)->id;
}

int mem_pending_abort(struct store *s, const struct store_pending *p)
{
	return abort_upload(memstore_of(s), p->key, p->id);
}

/* The next part behind `after`: 1, 0 or -ENOENT. */
static int next_part(struct memstore *m, const struct store_pending *p,
		     unsigned after, struct store_part_there *out)
{
	struct mem_pending *found;
	int rc = 0;

	lock_take(&m->lock);
	found = *find_locked(m, p->key, p->id);
	for (unsigned i = 0; found && !rc && i < found->n_parts; i++) {
		const struct mem_part *part = &found->parts[i];

		if (part->number <= after)
			continue;
		out->number = part->number;
		out->size = part->blob->n;
		memcpy(out->etag, part->etag, sizeof(out->etag));
		rc = 1;
	}
	lock_drop(&m->lock);
	return found ? rc : -ENOENT;
}

int mem_upload_resume(struct store *s, const struct store_pending *p,
		      store_part_there_fn *there, void *arg,
		      struct store_upload **out)
{
	struct store_part_there part = { 0 };
	struct mem_upload *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	u->base.store = s;
	u->base.key = strdup(p->key);
	u->id = strdup(p->id);
	rc = u->base.key && u->id ? 0 : -ENOMEM;
	while (!rc) {
		rc = next_part(memstore_of(s), p, part.number, &part);
		if (rc <= 0)
			break;
		rc = there(arg, &u->base, &part);
	}
	if (rc)
		mem_upload_free(&u->base);
	else
		*out = &u->base;
	return rc;
}
